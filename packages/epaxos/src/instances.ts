/** The words that the chapters share: what is known of an instance, and how that is kept. */
import { assert } from '@quorumlab/core';
import { each, has, none, runsOf } from './dependencies.ts';
import type { Group } from './group.ts';
import { type InstanceId, noOp, type Row, type Runs, type Value, valueBytes } from './messages.ts';
import type { Context, Replica } from './state.ts';

/** An instance of which nothing is known. */
const unknown: Row = Object.freeze({
  ballot: 0,
  accepted: 0,
  phase: 'initial',
  checkpoints: 0,
  isNoOp: false,
  dependencies: none,
  initial: null,
});

/** What is known of an instance. */
export const rowOf = ({ instances }: Replica, id: InstanceId): Row => instances.get(id) ?? unknown;

/** Its command as of now (cmd): nothing if that is not known. */
export const commandOf = (replica: Replica, id: InstanceId): Value | null =>
  rowOf(replica, id).isNoOp ? noOp : (replica.values.get(id) ?? null);

/** Whether it will never be executed here, if it was not yet. */
export const isDropped = ({ cut }: Replica, id: InstanceId): boolean => id < cut.below;

/** Whether it is of a window that this replica has got to. */
export const isWithin = (group: Group, { cut }: Replica, id: InstanceId): boolean =>
  id >= cut.below && id < cut.base + group.window * group.n;

/** Whether it was committed. */
export const isCommitted = (replica: Replica, id: InstanceId): boolean =>
  rowOf(replica, id).phase === 'committed';

/** Whether nobody has to wait for it any more. */
export const isSettled = (replica: Replica, id: InstanceId): boolean => {
  if (isDropped(replica, id) || replica.executed.has(id)) return true;
  const row = replica.instances.get(id);
  return row?.phase === 'committed' && row.isNoOp;
};

/** Changes what is known of an instance. */
export function put(replica: Replica, id: InstanceId, change: Partial<Row>, ctx: Context): void {
  const row = { ...rowOf(replica, id), ...change };
  assert(row.accepted <= row.ballot, 'accepted in a ballot that was not joined');
  replica.heard = Math.max(replica.heard, row.ballot);
  ctx.put('instances', id, row);
}

/** Keeps the command of an instance, once. */
export function keep(replica: Replica, id: InstanceId, value: Value, ctx: Context): void {
  if (value.kind === 'no-op' || replica.values.has(id)) return;
  replica.liveBytes += valueBytes(value);
  ctx.put('values', id, value);
}

/** Most pairs of operations that are looked at: comparing must not take longer than executing. */
const mostPairs = 256;

const operationsIn = ({ commands }: Value): number =>
  commands.reduce((sum, { operations }) => sum + Math.max(1, operations.length), 0);

/**
 * Whether two commands interfere. No-ops do not: nobody executes them. Large ones do: to say so of
 * two that need not is safe, and all replicas say it of the same ones.
 */
function interfere(one: Value, other: Value, ctx: Context): boolean {
  if (one.kind === 'no-op' || other.kind === 'no-op') return false;
  if (one.kind === 'checkpoint' || other.kind === 'checkpoint') return true;
  if (operationsIn(one) * operationsIn(other) > mostPairs) return true;
  return one.commands.some((first) =>
    other.commands.some((second) => ctx.interferes(first, second)),
  );
}

/**
 * Whether `id` comes before whatever depends on `dependencies`: it is one of them, or it was
 * executed before a checkpoint that is one of them.
 */
export const isCoveredBy = (
  group: Group,
  { cut, covered }: Replica,
  id: InstanceId,
  dependencies: Runs,
): boolean =>
  has(dependencies, id, group.n) || (covered.has(id) && has(dependencies, cut.checkpoint, group.n));

/** Each known instance but `id` that may be committed with a command that interferes. */
export function* rivalsOf(
  replica: Replica,
  id: InstanceId,
  value: Value,
  ctx: Context,
): Iterable<InstanceId> {
  for (const [other, theirs] of replica.values)
    if (
      other !== id &&
      !isDropped(replica, other) &&
      !(isCommitted(replica, other) && rowOf(replica, other).isNoOp) &&
      interfere(value, theirs, ctx)
    )
      yield other;
}

/** `known`, and what interferes with `value` by what is known here. */
export function dependenciesOf(
  replica: Replica,
  id: InstanceId,
  value: Value,
  known: Runs,
  ctx: Context,
): Runs {
  const { group } = ctx;
  const { cut, covered } = replica;
  const ids = new Set<InstanceId>(each(known, group.n));
  const before = ids.size;
  // Whatever was executed before it comes before this one, too.
  if (cut.checkpoints > 0) ids.add(cut.checkpoint);
  for (const other of rivalsOf(replica, id, value, ctx)) if (!covered.has(other)) ids.add(other);
  return ids.size === before ? known : runsOf(ids, group.n);
}

/** Notes that it is not known what is committed in an instance. */
export function watch(replica: Replica, id: InstanceId, ctx: Context): void {
  if (isSettled(replica, id) || isCommitted(replica, id) || replica.unresolved.has(id)) return;
  replica.unresolved.set(id, { since: ctx.now, asked: false, heard: 0, tries: 0 });
}
