/** Rules 10 to 12: could an instance have been committed on the fast path? */
import type { ReplicaId, Signed } from '@quorumlab/core';
import { propose, proposeNoOp } from './accept.ts';
import { askForInstances, isBehind } from './catch-up.ts';
import { hasRoom, tell } from './commit.ts';
import { has, isSane } from './dependencies.ts';
import { step } from './driven.ts';
import { type Group, leaderOf } from './group.ts';
import {
  isCommitted,
  isCoveredBy,
  isDropped,
  isSettled,
  isWithin,
  keep,
  put,
  rivalsOf,
  rowOf,
  watch,
} from './instances.ts';
import {
  type InstanceId,
  namesLimit,
  noOp,
  type Runs,
  type Validate,
  type ValidateOk,
  type Value,
  type Waiting,
} from './messages.ts';
import {
  type Context,
  type Driven,
  isPeer,
  type Obstacle,
  othersOf,
  type Replica,
} from './state.ts';

/** Has the recovery quorum name what speaks against a commit on the fast path. */
export function validate(
  replica: Replica,
  id: InstanceId,
  driven: Driven,
  value: Value,
  dependencies: Runs,
  ctx: Context,
): void {
  step(driven, 'validate', value, dependencies, ctx);
  if (!ctx.group.rules.validates) return propose(replica, id, driven, value, dependencies, ctx);
  // What the instance was proposed after is not known here yet: the next attempt will know.
  if (isBehind(replica, driven.checkpoints)) return void replica.driven.delete(id);
  driven.validated.set(ctx.self, judge(replica, id, driven.checkpoints, value, dependencies, ctx));
  for (const to of driven.quorum) if (to !== ctx.self) sayValidate(id, driven, to, ctx);
  maybeValid(replica, id, driven, ctx);
}

/** Asks (again) for obstacles. */
export const sayValidate = (
  instance: InstanceId,
  { ballot, checkpoints, value, dependencies }: Driven,
  to: ReplicaId,
  ctx: Context,
): void => ctx.send(to, { kind: 'validate', ballot, instance, checkpoints, value, dependencies });

/** Rule 10: keeps the proposal, and names what interferes without one depending on the other. */
function judge(
  replica: Replica,
  id: InstanceId,
  checkpoints: number,
  value: Value,
  dependencies: Runs,
  ctx: Context,
): readonly Obstacle[] {
  const { group } = ctx;
  ctx.line('validate');
  keep(replica, id, value, ctx);
  put(replica, id, { checkpoints, initial: dependencies }, ctx);
  watch(replica, id, ctx);
  const { cut } = replica;
  const obstacles: Obstacle[] = [];
  // It was executed without this instance, which must come after it then.
  const last = cut.checkpoints > 0 ? cut.checkpoint : undefined;
  if (last !== undefined && last !== id && !has(dependencies, last, group.n))
    obstacles.push({ instance: last, isCommitted: true });
  for (const other of rivalsOf(replica, id, value, ctx)) {
    if (other === last || isCoveredBy(group, replica, other, dependencies)) continue;
    const row = rowOf(replica, other);
    const isDone = row.phase === 'committed';
    const theirs = isDone ? row.dependencies : row.initial;
    if (theirs !== null && !has(theirs, id, group.n))
      obstacles.push({ instance: other, isCommitted: isDone });
  }
  // One that is committed decides, so it must not be cut off.
  return obstacles.sort(committedFirst).slice(0, namesLimit);
}

const committedFirst = (one: Obstacle, other: Obstacle): number =>
  Number(other.isCommitted) - Number(one.isCommitted) || one.instance - other.instance;

/** `upon receiving ⟨validate, b, id, c, D⟩`. */
export function onValidate(replica: Replica, message: Signed<Validate>, ctx: Context): void {
  const { from, ballot, instance, checkpoints, value, dependencies } = message;
  if (!isPeer(from, ctx) || !mayValidate(ctx.group, replica, message)) return;
  if (isBehind(replica, checkpoints)) return askForInstances(replica, [], [from], ctx);
  if (isCommitted(replica, instance)) return tell(replica, instance, from, ctx);
  const row = rowOf(replica, instance);
  if (row.ballot !== ballot || row.phase === 'accepted') return;
  const obstacles = judge(replica, instance, checkpoints, value, dependencies, ctx);
  ctx.send(from, { kind: 'validate-ok', ballot, instance, obstacles });
}

/** Whether this replica could make something of it. */
export const mayValidate = (
  group: Group,
  replica: Replica,
  { from, ballot, instance, dependencies }: Signed<Validate>,
): boolean =>
  replica.role === 'replica' &&
  ballot > 0 &&
  from === ballot % group.n &&
  !isDropped(replica, instance) &&
  isWithin(group, replica, instance) &&
  isSane(dependencies) &&
  hasRoom(replica, 4);

/** Rule 11: `upon receiving ⟨validate-ok, b, id, I⟩`. */
export function onValidateOk(
  replica: Replica,
  { from, ballot, instance, obstacles }: Signed<ValidateOk>,
  ctx: Context,
): void {
  const driven = replica.driven.get(instance);
  if (driven?.ballot !== ballot || driven.step !== 'validate') return;
  if (!isPeer(from, ctx) || !driven.quorum.includes(from)) return;
  driven.validated.set(from, obstacles);
  maybeValid(replica, instance, driven, ctx);
}

function maybeValid(replica: Replica, id: InstanceId, driven: Driven, ctx: Context): void {
  const { group } = ctx;
  const { validated, quorum, unchanged, value, dependencies } = driven;
  if (validated.size < quorum.length) return;
  const obstacles = [...validated.values()].flat();
  if (obstacles.length === 0) {
    ctx.line('valid-now');
    return propose(replica, id, driven, value, dependencies, ctx);
  }
  // With so few left unchanged, all of the leaders outside of the quorum have taken it unchanged.
  const isTight = unchanged === quorum.length - group.e;
  const isOutside = ({ instance }: Obstacle): boolean =>
    !quorum.includes(leaderOf(group, instance));
  if (obstacles.some((each) => each.isCommitted) || (isTight && obstacles.some(isOutside))) {
    ctx.line('invalid');
    return proposeNoOp(replica, id, driven, ctx);
  }
  ctx.line('wait');
  step(driven, 'wait', value, dependencies, ctx);
  driven.obstacles = [...new Set(obstacles.map(({ instance }) => instance))];
  for (const other of driven.obstacles) watch(replica, other, ctx);
  for (const to of othersOf(ctx)) sayWaiting(id, driven, to, ctx);
  maybeGoOn(replica, id, driven, ctx);
}

/** Says (again) that it waits. */
export const sayWaiting = (
  instance: InstanceId,
  { unchanged: count }: Driven,
  to: ReplicaId,
  ctx: Context,
): void => ctx.send(to, { kind: 'waiting', instance, count });

/** Whether this replica could make something of it. */
export const isNewWaiting = (
  group: Group,
  replica: Replica,
  { instance, count }: Waiting,
): boolean =>
  isWithin(group, replica, instance) &&
  !isCommitted(replica, instance) &&
  count > (replica.waitingFor.get(instance) ?? -1);

/** `upon receiving ⟨waiting, id, k⟩`. */
export function onWaiting(replica: Replica, message: Signed<Waiting>, ctx: Context): void {
  if (!isPeer(message.from, ctx) || !isNewWaiting(ctx.group, replica, message)) return;
  replica.waitingFor.set(message.instance, message.count);
}

/** Rule 12, of all instances that wait: asked whenever something may have changed. */
export function goOn(replica: Replica, ctx: Context): void {
  for (const [id, driven] of [...replica.driven])
    if (driven.step === 'wait') maybeGoOn(replica, id, driven, ctx);
}

function maybeGoOn(replica: Replica, id: InstanceId, driven: Driven, ctx: Context): void {
  const { group } = ctx;
  const { obstacles, value, dependencies } = driven;
  const { n, f, e } = group;
  const fates = obstacles.map((other) => fateOf(group, replica, id, other, dependencies));
  const isElsewhere = obstacles.some((other) => (replica.waitingFor.get(other) ?? 0) > n - f - e);
  if (fates.includes('contradicts')) {
    ctx.line('wait-invalid');
    proposeNoOp(replica, id, driven, ctx);
  } else if (fates.every((fate) => fate === 'agrees')) {
    ctx.line('wait-valid');
    propose(replica, id, driven, value, dependencies, ctx);
  } else if (isElsewhere) {
    ctx.line('wait-invalid');
    proposeNoOp(replica, id, driven, ctx);
  }
}

/** What an obstacle says by now. */
function fateOf(
  group: Group,
  replica: Replica,
  id: InstanceId,
  other: InstanceId,
  dependencies: Runs,
): 'open' | 'agrees' | 'contradicts' {
  const row = replica.instances.get(other);
  if (row !== undefined && !isDropped(replica, other)) {
    if (row.phase !== 'committed') return 'open';
    return row.isNoOp || has(row.dependencies, id, group.n) ? 'agrees' : 'contradicts';
  }
  if (!isSettled(replica, other)) return 'open';
  // Its row is dropped: it was executed before a checkpoint, or never will be.
  return has(dependencies, replica.cut.checkpoint, group.n) ? 'agrees' : 'contradicts';
}

/** Rule 12 (iv): an answer from outside of the quorum comes while the instance waits. */
export function lateTold(
  replica: Replica,
  id: InstanceId,
  driven: Driven,
  from: ReplicaId,
  ctx: Context,
): void {
  const told = driven.told.get(from);
  if (told === undefined) return;
  const { phase, value, dependencies } = told;
  const isLeader = from === leaderOf(ctx.group, id);
  if (phase !== 'accepted' && !isLeader) return;
  ctx.line('wait-told');
  if (phase === 'accepted') propose(replica, id, driven, value ?? noOp, dependencies, ctx);
  else proposeNoOp(replica, id, driven, ctx);
}
