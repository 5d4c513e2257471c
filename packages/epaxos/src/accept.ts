/** Rules 4 and 5: the slow path, which recoveries take too. */
import type { Ballot, Signed } from '@quorumlab/core';
import { commit, hasRoom, tell } from './commit.ts';
import { isSane, none } from './dependencies.ts';
import { step } from './driven.ts';
import { type Group, leaderOf, slowQuorum } from './group.ts';
import { isCommitted, isDropped, isWithin, keep, put, rowOf, watch } from './instances.ts';
import {
  type Accept,
  type AcceptOk,
  type InstanceId,
  noOp,
  type Runs,
  type Value,
} from './messages.ts';
import { type Context, type Driven, isPeer, othersOf, type Replica } from './state.ts';

/** Has `value` with `dependencies` accepted in the ballot of `driven`. */
export function propose(
  replica: Replica,
  id: InstanceId,
  driven: Driven,
  value: Value,
  dependencies: Runs,
  ctx: Context,
): void {
  step(driven, 'accept', value, dependencies, ctx);
  acceptHere(replica, id, driven.ballot, driven.checkpoints, value, dependencies, ctx);
  driven.accepted.clear();
  driven.accepted.add(ctx.self);
  for (const to of othersOf(ctx)) sayAccept(id, driven, to, ctx);
  maybeCommit(replica, id, driven, ctx);
}

/** Nothing was committed in the instance, and nothing will be. */
export const proposeNoOp = (replica: Replica, id: InstanceId, driven: Driven, ctx: Context): void =>
  propose(replica, id, driven, noOp, none, ctx);

/** Says (again) what is to be accepted. */
export const sayAccept = (
  instance: InstanceId,
  { ballot, checkpoints, value, dependencies }: Driven,
  to: number,
  ctx: Context,
): void => ctx.send(to, { kind: 'accept', ballot, instance, checkpoints, value, dependencies });

function acceptHere(
  replica: Replica,
  id: InstanceId,
  ballot: Ballot,
  checkpoints: number,
  value: Value,
  dependencies: Runs,
  ctx: Context,
): void {
  keep(replica, id, value, ctx);
  const isNoOp = value.kind === 'no-op';
  const change = { ballot, accepted: ballot, phase: 'accepted', checkpoints, isNoOp } as const;
  put(replica, id, { ...change, dependencies }, ctx);
  watch(replica, id, ctx);
}

/** Whether `from` may speak in this ballot: ballot 0 is the command leader's. */
const isOwner = (
  group: Group,
  { ballot, instance, from }: { ballot: Ballot; instance: InstanceId; from: number },
): boolean => from === (ballot === 0 ? leaderOf(group, instance) : ballot % group.n);

/** `upon receiving ⟨accept, b, id, c, D⟩`. */
export function onAccept(replica: Replica, message: Signed<Accept>, ctx: Context): void {
  const { from, ballot, instance, checkpoints, value, dependencies } = message;
  if (!mayAccept(ctx.group, replica, message) || !isPeer(from, ctx)) return;
  if (isCommitted(replica, instance)) return tell(replica, instance, from, ctx);
  const { ballot: joined } = rowOf(replica, instance);
  if (ballot < joined) return refuse(ballot, instance, joined, from, ctx);
  ctx.line('accept');
  acceptHere(replica, instance, ballot, checkpoints, value, dependencies, ctx);
  if (replica.driven.get(instance)?.ballot !== ballot) replica.driven.delete(instance);
  ctx.send(from, { kind: 'accept-ok', ballot, instance });
}

/** Whether this replica could make something of it. */
export const mayAccept = (group: Group, replica: Replica, message: Signed<Accept>): boolean =>
  replica.role === 'replica' &&
  isOwner(group, message) &&
  !isDropped(replica, message.instance) &&
  isWithin(group, replica, message.instance) &&
  isSane(message.dependencies) &&
  hasRoom(replica, 4);

/** The sender has joined a higher ballot than `ballot`. */
export function refuse(
  ballot: Ballot,
  instance: InstanceId,
  joined: Ballot,
  to: number,
  ctx: Context,
): void {
  ctx.line('nack');
  ctx.send(to, { kind: 'nack', ballot, instance, joined });
}

/** `upon receiving ⟨accept-ok, b, id⟩`. */
export function onAcceptOk(
  replica: Replica,
  { from, ballot, instance }: Signed<AcceptOk>,
  ctx: Context,
): void {
  const driven = replica.driven.get(instance);
  if (driven === undefined || !isPeer(from, ctx)) return;
  if (driven.step !== 'accept' || driven.ballot !== ballot) return;
  driven.accepted.add(from);
  maybeCommit(replica, instance, driven, ctx);
}

function maybeCommit(
  replica: Replica,
  id: InstanceId,
  { accepted, ballot, value, dependencies }: Driven,
  ctx: Context,
): void {
  if (accepted.size < slowQuorum(ctx.group)) return;
  ctx.line('chosen');
  ctx.voters([...accepted]);
  commit(replica, id, ballot, value, dependencies, ctx);
}
