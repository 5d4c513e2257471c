/** Rules 7 to 9: another replica takes over an instance of which nobody has heard for a while. */
import { type Ballot, maxInteger, nextBallot, type ReplicaId, type Signed } from '@quorumlab/core';
import { propose, proposeNoOp, refuse } from './accept.ts';
import { offer } from './catch-up.ts';
import { tell } from './commit.ts';
import { isSane } from './dependencies.ts';
import { drive } from './driven.ts';
import { type Group, leaderOf, slowQuorum } from './group.ts';
import { commandOf, isCommitted, isDropped, isWithin, put, rowOf, watch } from './instances.ts';
import {
  type InstanceId,
  type Nack,
  noOp,
  type Recover,
  type RecoverOk,
  type Told,
} from './messages.ts';
import { type Context, type Driven, isPeer, othersOf, type Replica } from './state.ts';
import { lateTold, validate } from './validation.ts';

/** Rule 7: this replica recovers an instance, in a ballot above all that it has heard of. */
export function recover(replica: Replica, id: InstanceId, heard: Ballot, ctx: Context): void {
  const { group } = ctx;
  const ballot = nextBallot(Math.max(rowOf(replica, id).ballot, heard), ctx.self, group.n);
  if (ballot > maxInteger) return;
  ctx.line('recover');
  const told = report(group, replica, id);
  put(replica, id, { ballot }, ctx);
  const driven = drive(replica, id, ballot, 'recover', ctx);
  driven.told.set(ctx.self, told);
  for (const to of othersOf(ctx)) sayRecover(replica, id, driven, to, ctx);
  maybeChoose(replica, id, driven, ctx);
}

/** Asks (again) to join the ballot. */
export const sayRecover = (
  { cut: { checkpoints } }: Replica,
  instance: InstanceId,
  { ballot }: Driven,
  to: ReplicaId,
  ctx: Context,
): void => ctx.send(to, { kind: 'recover', ballot, instance, checkpoints });

/** What this replica knows of an instance. */
function report(group: Group, replica: Replica, id: InstanceId): Told {
  const row = rowOf(replica, id);
  const { phase, checkpoints, dependencies, initial } = row;
  const accepted = group.rules.reported(row);
  return { accepted, phase, checkpoints, value: commandOf(replica, id), dependencies, initial };
}

/** Rule 8: `upon receiving ⟨recover, b, id⟩`. */
export function onRecover(replica: Replica, message: Signed<Recover>, ctx: Context): void {
  const { group } = ctx;
  const { from, ballot, instance, checkpoints } = message;
  if (!isPeer(from, ctx) || !mayJoin(group, replica, message)) return;
  if (isDropped(replica, instance)) {
    if (checkpoints < replica.cut.checkpoints) offer(replica, from, ctx);
    return;
  }
  if (isCommitted(replica, instance)) {
    ctx.line('recover-committed');
    return tell(replica, instance, from, ctx);
  }
  const { ballot: joined } = rowOf(replica, instance);
  if (ballot < joined) return refuse(ballot, instance, joined, from, ctx);
  ctx.line('join');
  const told = report(group, replica, instance);
  put(replica, instance, { ballot }, ctx);
  replica.driven.delete(instance);
  replica.unresolved.delete(instance);
  watch(replica, instance, ctx);
  ctx.send(from, { kind: 'recover-ok', ballot, instance, ...told });
}

/** Whether this replica could make something of it. */
export const mayJoin = (
  group: Group,
  replica: Replica,
  { from, ballot, instance }: Signed<Recover>,
): boolean =>
  replica.role === 'replica' &&
  ballot > 0 &&
  from === ballot % group.n &&
  (isDropped(replica, instance) || isWithin(group, replica, instance));

/** `upon receiving ⟨recover-ok, b, id, …⟩`. */
export function onRecoverOk(replica: Replica, message: Signed<RecoverOk>, ctx: Context): void {
  const { from, ballot, instance, dependencies, initial } = message;
  const driven = replica.driven.get(instance);
  if (driven?.ballot !== ballot || ballot === 0 || !isPeer(from, ctx)) return;
  if (driven.told.has(from) || !isSane(dependencies) || !isSane(initial ?? [])) return;
  const { accepted, phase, checkpoints, value } = message;
  driven.told.set(from, { accepted, phase, checkpoints, value, dependencies, initial });
  if (driven.step === 'recover') maybeChoose(replica, instance, driven, ctx);
  else if (driven.step === 'wait') lateTold(replica, instance, driven, from, ctx);
}

/** Rule 9: upon answers of a recovery quorum. */
function maybeChoose(replica: Replica, id: InstanceId, driven: Driven, ctx: Context): void {
  const { group } = ctx;
  const { told } = driven;
  if (told.size < slowQuorum(group)) return;
  driven.quorum = [...told.keys()].sort((one, two) => one - two);
  const all = [...told.values()];
  const highest = Math.max(...all.map(({ accepted }) => accepted));
  const newest = all.filter(({ accepted }) => accepted === highest);
  driven.checkpoints = Math.max(...all.map(({ checkpoints }) => checkpoints));
  const accepted = newest.find(({ phase }) => phase === 'accepted');
  if (accepted !== undefined) {
    ctx.line('recover-accepted');
    const { value, dependencies } = accepted;
    return propose(replica, id, driven, value ?? noOp, dependencies, ctx);
  }
  if (told.has(leaderOf(group, id))) {
    ctx.line('recover-leader');
    return proposeNoOp(replica, id, driven, ctx);
  }
  const unchanged = all.filter(group.rules.isUnchanged);
  const [first] = unchanged;
  if (first === undefined || unchanged.length < driven.quorum.length - group.e) {
    ctx.line('recover-no-op');
    return proposeNoOp(replica, id, driven, ctx);
  }
  ctx.line('recover-unsure');
  driven.unchanged = unchanged.length;
  const { value, initial } = first;
  driven.checkpoints = first.checkpoints;
  validate(replica, id, driven, value ?? noOp, initial ?? [], ctx);
}

/** `upon receiving ⟨nack, b, id, joined⟩`: somebody else has taken over. */
export function onNack(
  replica: Replica,
  { from, ballot, instance, joined }: Signed<Nack>,
  ctx: Context,
): void {
  if (!isPeer(from, ctx) || joined <= ballot) return;
  if (replica.driven.get(instance)?.ballot !== ballot) return;
  replica.driven.delete(instance);
  watch(replica, instance, ctx);
  const unresolved = replica.unresolved.get(instance);
  if (unresolved === undefined) return;
  unresolved.heard = Math.max(unresolved.heard, joined);
  unresolved.since = ctx.now;
  replica.heard = Math.max(replica.heard, joined);
}
