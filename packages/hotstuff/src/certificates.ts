/**
 * Certificates: when they are valid, and what learning one changes. They alone move a replica to a
 * later view, so honest replicas that can speak to each other end up in the same one.
 */
import type { Certificate, ReplicaId, Signed } from '@quorumlab/core';
import { collectorOf, type Group, leaderOf, type Voters } from './group.ts';
import { isVoter, judgesOf, votersNamed } from './membership.ts';
import {
  type Checkpoint,
  type Link,
  Phase,
  type QuorumCertificate,
  type Timeout,
  type TimeoutCertificate,
  type Vote,
} from './messages.ts';
import { countedTime, longer } from './patience.ts';
import {
  type Context,
  hasLeft,
  highViewOf,
  maxViewsAhead,
  type Replica,
  viewAfter,
  viewOf,
} from './state.ts';

/** Whether `certificate` names a quorum. The host has checked the signatures. */
export const hasQuorum = (
  group: Group,
  { counted, quorum }: Voters,
  { seals }: Certificate<unknown>,
): boolean => group.rules.countSigners(counted, seals) >= quorum;

/** Whether `certificate` is of this epoch, and of a quorum of it. */
export const isCertificate = (
  group: Group,
  { voters }: Replica,
  certificate: QuorumCertificate,
): boolean => certificate.body.set === voters.set && hasQuorum(group, voters, certificate);

/** Whether f+1 have signed the state after a block, of those who go on from it. */
export function isCheckpoint(
  group: Group,
  replica: Replica,
  { body: { set, height }, seals }: Certificate<Checkpoint>,
): boolean {
  const voters = judgesOf(group, replica, height + 1, set);
  return voters !== undefined && group.rules.countSigners(voters.counted, seals) >= group.weak;
}

/**
 * Whether `justify` is a certificate for the parent of the block, by a quorum of the block's epoch;
 * null stands for the block that its epoch begins on.
 */
export function certifies(group: Group, replica: Replica, { block, justify }: Link): boolean {
  const { set, parent } = block;
  const base = replica.bases.get(set);
  if (base === undefined) return false;
  if (justify === null) return parent === base.block;
  const { body } = justify;
  if (body.block !== parent || body.set !== set || body.view <= base.view) return false;
  const voters = votersNamed(group, replica, set);
  return voters !== undefined && hasQuorum(group, voters, justify);
}

/** Whether `timeouts` are those of a quorum of distinct validators of this epoch for one view. */
export function isTimeoutCertificate(
  group: Group,
  replica: Replica,
  timeouts: TimeoutCertificate,
): boolean {
  const { voters } = replica;
  const view = timeouts[0]?.view;
  let last = -1;
  for (const each of timeouts) {
    if (each.view !== view || each.from <= last || each.set !== voters.set) return false;
    if (!isVoter(replica, each.from) || !isPlausible(group, each)) return false;
    last = each.from;
  }
  return timeouts.length >= voters.quorum;
}

/**
 * Whether an honest member can have said so: a certificate that ends the view, or one of a later
 * view, would have ended its wait.
 */
export const isPlausible = (group: Group, { view, highView }: Timeout): boolean =>
  highView < view || (group.rules.phased && highView === view);

/** Whether `vote` is of the first phase of its view. */
const isFirst = ({ phase = Phase.prepare }: Vote): boolean => phase === Phase.prepare;

/** Whether votes like this one would make the next certificate above the highest known one. */
export const isAwaited = (replica: Replica, vote: Vote): boolean => {
  const { high, voters } = replica;
  if (vote.set !== voters.set) return false;
  return vote.view > viewOf(replica, high)
    ? isFirst(vote)
    : vote.view === viewOf(replica, high) && vote.phase === phaseAfter(high) && !isFirst(vote);
};

/** The phase after the certified one; NaN: its view has no more. */
const phaseAfter = (certificate: QuorumCertificate | null): number =>
  (certificate?.body.phase ?? Number.NaN) + 1;

/** Whether `vote`, certified, says more than the highest known certificate. */
export const isHigher = (replica: Replica, { view, phase = 0 }: Vote): boolean => {
  const { high } = replica;
  if (high === null) return view > replica.base.view;
  return view > high.body.view || (view === high.body.view && phase > (high.body.phase ?? 0));
};

/** The highest certified view that a timeout certificate names. */
export const highestIn = (timeouts: TimeoutCertificate): number =>
  timeouts.reduce((most, { highView }) => Math.max(most, highView), 0);

/**
 * Learns a valid certificate: locks, remembers the highest, and enters the view after it. False if
 * it is not valid: then nothing has changed.
 */
export function learn(
  replica: Replica,
  certificate: QuorumCertificate | null,
  ctx: Context,
): boolean {
  if (certificate === null) return true;
  const { body } = certificate;
  if (!isCertificate(ctx.group, replica, certificate)) return false;
  if (!isHigher(replica, body)) return true;
  ctx.line('qc-high');
  ctx.save({ high: certificate });
  replica.news = true;
  for (const view of replica.votes.keys()) if (view <= body.view) replica.votes.delete(view);
  lock(replica, body, ctx);
  const next = viewAfter(replica, certificate);
  if (next > replica.view) {
    ctx.line('advance-qc');
    enter(replica, next, ctx);
  }
  return true;
}

/** Moves the lock, if the rules lock on what a certificate shows. */
export function lock(replica: Replica, certified: Vote, ctx: Context): void {
  const point = ctx.group.rules.locks(certified, replica.tree.get(certified.block));
  if (point === undefined || point.view <= replica.locked.view) return;
  ctx.line('lock');
  ctx.save({ locked: point });
}

/** Learns a valid timeout certificate, and tells the next leader what is known here. */
export function learnTimeouts(
  replica: Replica,
  timeouts: TimeoutCertificate | null,
  ctx: Context,
): boolean {
  const { group } = ctx;
  if (timeouts === null) return true;
  if (!isTimeoutCertificate(group, replica, timeouts)) return false;
  const { view } = timeouts[0] as TimeoutCertificate[number];
  if (view < replica.view) return true;
  ctx.line('advance-tc');
  ctx.save({ timeouts });
  enter(replica, view + 1, ctx);
  const leader = leaderOf(group, replica, replica.view);
  if (leader === ctx.self) {
    if (group.rules.waits && highViewOf(replica) < view)
      ctx.setTimer('propose', group.delta * longer(group, replica));
  } else ctx.send(leader, { kind: 'new-view', justify: replica.high, timeouts });
  return true;
}

/** Says a vote to whoever makes a certificate of it. */
export function sayVote(replica: Replica, vote: Vote, ctx: Context): void {
  if (ctx.group.votesToAll) ctx.broadcast(vote);
  else ctx.send(collectorOf(ctx.group, replica, vote.view), vote);
}

/** A view begins. */
function enter(replica: Replica, view: number, ctx: Context): void {
  const before = leaderOf(ctx.group, replica, replica.view);
  const left = hasLeft(replica, replica.view);
  replica.view = view;
  if (before !== leaderOf(ctx.group, replica, view) || (left && !hasLeft(replica, view)))
    replica.reignSince = countedTime(replica, ctx.now);
  for (const each of replica.proposals.keys()) if (each < view - 1) replica.proposals.delete(each);
  for (const each of replica.votes.keys())
    if (each < view - maxViewsAhead) replica.votes.delete(each);
  for (const [from, timeout] of replica.timeoutVotes)
    if (timeout.view < view) replica.timeoutVotes.delete(from);
}

/** Who signed `certificate`, beginning at a place that differs from replica to replica. */
export function signersOf({ seals }: Certificate<unknown>, self: ReplicaId): readonly ReplicaId[] {
  const all = seals.map(({ from }) => from);
  const start = self % Math.max(1, all.length);
  return [...all.slice(start), ...all.slice(0, start)];
}

/** The timeouts of `view` among those that count: their certificates are known here. */
export function countedTimeouts(
  replica: Replica,
  view: number,
): Signed<TimeoutCertificate[number]>[] {
  const counted = [];
  for (const each of replica.timeoutVotes.values())
    if (each.view === view && each.highView <= highViewOf(replica)) counted.push(each);
  return counted;
}
