/**
 * A start, and a replica that comes back without its disk. It may have answered about instances of
 * which it knows nothing any more, and quorums count on that. So it asks all others before it says
 * anything, and takes part again once all is settled that was open before: nobody needs its answers
 * about that then. Of its own numbers it uses none that may have been used.
 */
import { maxInteger, type ReplicaId, type Signed } from '@quorumlab/core';
import { propose } from './accept.ts';
import { each, isSane, runsOf } from './dependencies.ts';
import { drive } from './driven.ts';
import { type Group, leaderOf, mostPipeline } from './group.ts';
import { commandOf, isCommitted, isSettled, rowOf, watch } from './instances.ts';
import type { InstanceId, Recall, Recalled } from './messages.ts';
import { setTick } from './patience.ts';
import { addPlace } from './places.ts';
import { lead } from './pre-accept.ts';
import { type Context, isPeer, othersOf, type Replica } from './state.ts';

/** `upon start`: what is committed is executed again, and what was open goes on. */
export function start(replica: Replica, ctx: Context, incarnation: number): void {
  const { group } = ctx;
  const { n } = group;
  let last = Math.max(replica.cut.base, replica.ownFloor) - n + ctx.self;
  for (const id of replica.instances.keys())
    if (leaderOf(group, id) === ctx.self) last = Math.max(last, id);
  replica.nextOwn = last + n;
  for (const { ballot } of replica.instances.values())
    replica.heard = Math.max(replica.heard, ballot);
  setTick(ctx);
  if (replica.rejoining) return rejoin(replica, ctx, incarnation);
  for (const id of [...replica.instances.keys()].sort((one, two) => one - two))
    resume(replica, id, ctx);
}

function resume(replica: Replica, id: InstanceId, ctx: Context): void {
  if (isSettled(replica, id)) return;
  const { phase, ballot, initial, dependencies, checkpoints } = rowOf(replica, id);
  const value = commandOf(replica, id);
  if (phase === 'committed') replica.ready.push(id);
  else watch(replica, id, ctx);
  const proposed = replica.values.get(id);
  if (leaderOf(ctx.group, id) !== ctx.self || proposed === undefined) return;
  replica.own.set(id, proposed);
  for (const command of proposed.commands) addPlace(replica, command);
  if (ballot > 0 || phase === 'committed' || value === null) return;
  if (phase === 'pre-accepted' && initial !== null) lead(replica, id, ctx);
  if (phase !== 'accepted') return;
  const driven = drive(replica, id, 0, 'accept', ctx);
  driven.checkpoints = checkpoints;
  propose(replica, id, driven, value, dependencies, ctx);
}

/** Called in place of a start, and again after each crash until it takes part again. */
export function rejoin(replica: Replica, ctx: Context, incarnation: number): void {
  if (!replica.rejoining) ctx.save({ rejoining: true });
  replica.role = 'rejoining';
  replica.attempt = incarnation;
  replica.recalled.clear();
  replica.open.clear();
  for (const id of replica.instances.keys()) if (isCommitted(replica, id)) replica.ready.push(id);
  setTick(ctx);
  askOthers(replica, ctx);
}

/** `upon recall timeout`, and at first: asks whoever has not answered. */
export function askOthers(replica: Replica, ctx: Context): void {
  const { group } = ctx;
  if (replica.role !== 'rejoining') return;
  ctx.line('recall');
  ctx.setTimer('recall', group.recoveryTimeout);
  for (const to of othersOf(ctx))
    if (!replica.recalled.has(to)) ctx.send(to, { kind: 'recall', attempt: replica.attempt });
}

/** `upon receiving ⟨recall⟩`: tells what the sender may have answered about. */
export function onRecall(replica: Replica, { from, attempt }: Signed<Recall>, ctx: Context): void {
  const { group } = ctx;
  // Whoever has lost its own disk knows nothing to tell. Two at once are more than this survives.
  if (replica.role !== 'replica' || !isPeer(from, ctx)) return;
  if (ctx.now - (replica.answeredAt.get(from) ?? Number.NEGATIVE_INFINITY) < pauseOf(group)) return;
  replica.answeredAt.set(from, ctx.now);
  ctx.line('recalled');
  const known = new Set<InstanceId>();
  for (const id of replica.instances.keys()) {
    if (!isSettled(replica, id)) known.add(id);
  }
  const open = runsOf(known, group.n);
  const { checkpoints } = replica.cut;
  ctx.send(from, { kind: 'recalled', attempt, next: highestOf(replica), checkpoints, open });
}

/** How soon a member is told again: it asks every recovery timeout. */
export const pauseOf = ({ recoveryTimeout }: Group): number => Math.floor(recoveryTimeout / 2);

/** Above all instances that this replica has heard of. */
function highestOf({ cut, nextOwn, instances }: Replica): InstanceId {
  let highest = Math.max(cut.base, nextOwn);
  for (const id of instances.keys()) highest = Math.max(highest, id + 1);
  return highest;
}

/** `upon receiving ⟨recalled⟩`. */
export function onRecalled(
  replica: Replica,
  { from, attempt, next, open }: Signed<Recalled>,
  ctx: Context,
): void {
  if (replica.role !== 'rejoining' || attempt !== replica.attempt) return;
  if (!isPeer(from, ctx) || replica.recalled.has(from) || !isSane(open)) return;
  replica.recalled.set(from, next);
  for (const id of each(open, ctx.group.n)) replica.open.add(id);
}

/** All others have answered, and all that was open is settled: take part again. */
export function maybeRejoin(replica: Replica, ctx: Context): void {
  const { group } = ctx;
  if (replica.role !== 'rejoining') return;
  const others: readonly ReplicaId[] = othersOf(ctx);
  // What it may have committed all by itself nobody else can tell: pretending otherwise would lie.
  if (others.length === 0 || !others.every((each) => replica.recalled.has(each))) return;
  for (const id of replica.open) {
    if (!isSettled(replica, id) && !isCommitted(replica, id)) return;
    replica.open.delete(id);
  }
  ctx.line('rejoin');
  const { n } = group;
  const highest = Math.max(replica.nextOwn, ...replica.recalled.values());
  // More than it may have had open of which nobody has heard.
  const above = (Math.ceil(highest / n) + mostPipeline + 2) * n;
  const ownFloor = Math.min(above, Math.floor(maxInteger / n) * n - n);
  ctx.save({ rejoining: false, ownFloor });
  replica.nextOwn = ownFloor + ctx.self;
  replica.role = 'replica';
  replica.recalled.clear();
  ctx.clearTimer('recall');
}
