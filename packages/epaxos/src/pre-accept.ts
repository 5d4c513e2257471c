/** Rules 1 to 3: a command leader opens an instance, and takes the fast path or the slow one. */
import { assert, type Signed } from '@quorumlab/core';
import { propose } from './accept.ts';
import { askForInstances, isBehind } from './catch-up.ts';
import { commit, hasRoom, tell } from './commit.ts';
import { isSane, none, union } from './dependencies.ts';
import { drive, step } from './driven.ts';
import { fastQuorum, type Group, leaderOf, slowQuorum } from './group.ts';
import {
  commandOf,
  dependenciesOf,
  isCommitted,
  isDropped,
  isWithin,
  keep,
  put,
  rowOf,
  watch,
} from './instances.ts';
import type { InstanceId, PreAccept, PreAcceptOk, Value } from './messages.ts';
import { type Context, type Driven, isPeer, othersOf, type Replica } from './state.ts';

/** Rule 1: this replica is the command leader of `value`, in a new instance. */
export function submit(replica: Replica, value: Value, ctx: Context): void {
  const { group } = ctx;
  const id = replica.nextOwn;
  replica.nextOwn += group.n;
  assert(isWithin(group, replica, id), 'an instance outside of the window');
  ctx.line('submit');
  const dependencies = dependenciesOf(replica, id, value, none, ctx);
  const { checkpoints } = replica.cut;
  keep(replica, id, value, ctx);
  put(
    replica,
    id,
    { phase: 'pre-accepted', checkpoints, dependencies, initial: dependencies },
    ctx,
  );
  replica.own.set(id, value);
  watch(replica, id, ctx);
  lead(replica, id, ctx);
}

/** Asks all others for what they know; again after a restart, with what was asked before. */
export function lead(replica: Replica, id: InstanceId, ctx: Context): void {
  const { checkpoints, initial, dependencies } = rowOf(replica, id);
  const value = commandOf(replica, id);
  assert(value !== null && initial !== null, 'an own instance without a command');
  const driven = drive(replica, id, 0, 'pre-accept', ctx);
  driven.checkpoints = checkpoints;
  step(driven, 'pre-accept', value, initial, ctx);
  driven.preAccepted.set(ctx.self, dependencies);
  for (const to of othersOf(ctx)) sayPreAccept(id, driven, to, ctx);
  conclude(replica, id, driven, false, ctx);
}

/** Says (again) what the command leader proposes. */
export const sayPreAccept = (
  instance: InstanceId,
  { checkpoints, value, dependencies }: Driven,
  to: number,
  ctx: Context,
): void => ctx.send(to, { kind: 'pre-accept', instance, checkpoints, value, dependencies });

/** Rule 2: `upon receiving ⟨pre-accept, id, c, D⟩`. */
export function onPreAccept(replica: Replica, message: Signed<PreAccept>, ctx: Context): void {
  const { from, instance, checkpoints, value, dependencies: proposed } = message;
  if (!isPeer(from, ctx) || !mayPreAccept(ctx.group, replica, message)) return;
  // What its leader has executed before it is not known here yet.
  if (isBehind(replica, checkpoints)) return askForInstances(replica, [], [from], ctx);
  if (isCommitted(replica, instance)) return tell(replica, instance, from, ctx);
  const row = rowOf(replica, instance);
  if (row.ballot > 0 || row.phase === 'accepted') return;
  if (row.phase === 'initial') {
    ctx.line('pre-accept');
    const dependencies = dependenciesOf(replica, instance, value, proposed, ctx);
    keep(replica, instance, value, ctx);
    put(
      replica,
      instance,
      { phase: 'pre-accepted', checkpoints, dependencies, initial: proposed },
      ctx,
    );
    watch(replica, instance, ctx);
  }
  const { dependencies } = rowOf(replica, instance);
  ctx.send(from, { kind: 'pre-accept-ok', instance, dependencies });
}

/** Whether this replica could make something of it. */
export const mayPreAccept = (
  group: Group,
  replica: Replica,
  { from, instance, checkpoints, value, dependencies }: Signed<PreAccept>,
): boolean =>
  replica.role === 'replica' &&
  from === leaderOf(group, instance) &&
  value.kind !== 'no-op' &&
  (isBehind(replica, checkpoints) ||
    (!isDropped(replica, instance) && isWithin(group, replica, instance))) &&
  isSane(dependencies) &&
  hasRoom(replica, 2);

/** Rule 3: `upon receiving ⟨pre-accept-ok, id, D⟩`. */
export function onPreAcceptOk(
  replica: Replica,
  { from, instance, dependencies }: Signed<PreAcceptOk>,
  ctx: Context,
): void {
  const driven = replica.driven.get(instance);
  if (driven === undefined || driven.step !== 'pre-accept' || !isPeer(from, ctx)) return;
  if (rowOf(replica, instance).ballot > 0 || !isSane(dependencies)) return;
  driven.preAccepted.set(from, dependencies);
  conclude(replica, instance, driven, false, ctx);
}

/** Commits, or goes on to the slow path as soon as the fast one is closed or was waited for. */
function conclude(
  replica: Replica,
  id: InstanceId,
  driven: Driven,
  isLate: boolean,
  ctx: Context,
): void {
  const { group } = ctx;
  const { preAccepted, dependencies, value } = driven;
  const equal = [...preAccepted].filter(([, each]) => group.rules.isEqual(each, dependencies));
  if (equal.length >= fastQuorum(group)) {
    ctx.line('fast-path');
    ctx.voters(equal.map(([member]) => member));
    return commit(replica, id, 0, value, dependencies, ctx);
  }
  if (preAccepted.size < slowQuorum(group)) return;
  const isOpen = equal.length + group.n - preAccepted.size >= fastQuorum(group);
  if (isOpen && !isLate) {
    ctx.line('grace');
    return ctx.setTimer('grace', group.fastPathWait);
  }
  ctx.line('slow-path');
  propose(replica, id, driven, value, union([...preAccepted.values()], group.n), ctx);
}

/** `upon grace timeout`: the fast path was waited for. */
export function graceTimeout(replica: Replica, ctx: Context): void {
  const { group } = ctx;
  let isLeft = false;
  for (const [id, driven] of [...replica.driven]) {
    if (driven.step !== 'pre-accept' || driven.preAccepted.size < slowQuorum(group)) continue;
    if (ctx.now >= driven.since + group.fastPathWait) conclude(replica, id, driven, true, ctx);
    else isLeft = true;
  }
  if (isLeft) ctx.setTimer('grace', group.fastPathWait);
}
