/**
 * Phase 0: who shall lead. The paper takes any oracle; this is ZooKeeper's FastLeaderElection. It
 * finds the best history of a quorum, so that the leader's own becomes that of the epoch.
 */
import { maxLeap, type ReplicaId, type Signed } from '@quorumlab/core';
import { mayTell } from './answers.ts';
import { isWaiting, ownCredentials } from './credentials.ts';
import { follow, lead } from './discovery.ts';
import { type Group, isVoter } from './group.ts';
import { sameZxid } from './history.ts';
import { look, notification, notifyAll, ownVote } from './looking.ts';
import type { Notification } from './messages.ts';
import { type Context, isPeer, type Replica, type Vote } from './state.ts';

/** `upon timeout`: a follower without a word of its leader looks for another; who looks repeats. */
export function electionTimeout(replica: Replica, ctx: Context): void {
  const { group } = ctx;
  if (replica.role === 'leading' || isWaiting(replica)) return;
  if (replica.role === 'looking') {
    if (replica.round > 0) return repeat(replica, ctx);
    look(replica, ctx);
    return maybeElect(replica, ctx); // A group of one is a quorum already.
  }
  // The timer is not re-armed at every message; it looks back once it fires, which is cheaper.
  const since = ctx.now - replica.lastContact;
  if (since < group.electionTimeout)
    return ctx.setTimer('election', [
      group.electionTimeout - since,
      2 * group.electionTimeout - since,
    ]);
  ctx.line('lost-leader');
  look(replica, ctx);
}

/** What was lost of the nomination is said again. */
function repeat(replica: Replica, ctx: Context): void {
  ctx.setTimer('election', 2 * ctx.group.heartbeat);
  notifyAll(replica, ctx);
}

const sameVote = (one: Vote, other: Vote): boolean =>
  one.leader === other.leader &&
  one.currentEpoch === other.currentEpoch &&
  sameZxid(one.zxid, other.zxid);

/** The order of nominations: the better history; of equal ones, the preferred id. */
const isBetter = (group: Group, one: Vote, other: Vote): boolean =>
  group.rules.isAsGood(one, other) &&
  (!group.rules.isAsGood(other, one) || group.rules.isPreferred(one.leader, other.leader));

/** Whether no other can still say anything that matters, or all that have been waited for have. */
function maybeElect(replica: Replica, ctx: Context): void {
  const { group } = ctx;
  const { votes, vote } = replica;
  const same = [...votes].filter(([, each]) => sameVote(each, vote)).map(([id]) => id);
  if (!group.quorum.has(same)) return ctx.clearTimer('grace');
  if (same.length === group.voters.length) return elect(replica, ctx);
  ctx.line('look-grace');
  ctx.setTimer('grace', group.grace);
}

/** Nothing better was nominated while a quorum agreed. */
export function graceTimeout(replica: Replica, ctx: Context): void {
  if (replica.role === 'looking') elect(replica, ctx);
}

function elect(replica: Replica, ctx: Context): void {
  const { leader } = replica.vote;
  if (leader === ctx.self) lead(replica, ctx);
  else follow(replica, leader, ctx);
}

/** What another member says of who should lead. */
export function onNotification(
  replica: Replica,
  message: Signed<Notification>,
  ctx: Context,
): void {
  const { group } = ctx;
  const { state, from } = message;
  if (!isPeer(from, ctx) || isWaiting(replica)) return;
  if (replica.role !== 'looking') return tell(replica, message, ctx);
  if (state !== 'looking') countSettled(replica, message, ctx);
  else if (isNomination(group, message, ctx)) countVote(replica, message, ctx);
}

/** Whether its sender has a vote, and whoever hears it. */
export const isNomination = (
  group: Group,
  { from, leader }: Signed<Notification>,
  { self }: { readonly self: ReplicaId },
): boolean => isVoter(group, from) && isVoter(group, self) && isVoter(group, leader);

/** Whether the leader that this replica follows looks for one itself, since it was elected. */
export const isAbandoned = (
  { role, leader, round, epoch }: Replica,
  message: Signed<Notification>,
): boolean =>
  role === 'following' &&
  message.from === leader &&
  message.state === 'looking' &&
  (message.round > round || (epoch > 0 && message.currentEpoch >= epoch));

function tell(replica: Replica, message: Signed<Notification>, ctx: Context): void {
  const { state, from } = message;
  if (state !== 'looking') return;
  if (isAbandoned(replica, message)) {
    ctx.line('lost-leader');
    return look(replica, ctx);
  }
  answer(replica, from, ctx);
}

function answer(replica: Replica, from: ReplicaId, ctx: Context): void {
  if (!mayTell(ctx.group, replica, from, ctx.now)) return;
  replica.toldAt.set(from, ctx.now);
  ctx.line('look-tell');
  ctx.send(from, notification(replica));
}

/** Whether it is of a round so late that nobody gets there honestly. */
export const isFar = ({ round }: Replica, message: Notification): boolean =>
  message.round > round + maxLeap;

function countVote(replica: Replica, message: Signed<Notification>, ctx: Context): void {
  const { group } = ctx;
  const { round, leader, currentEpoch, zxid, from } = message;
  if (isFar(replica, message)) return;
  if (round < replica.round) return answer(replica, from, ctx);
  const vote = { leader, currentEpoch, zxid };
  if (isKnown(replica, message)) return;
  if (round > replica.round) {
    ctx.line('look-round');
    replica.round = round;
    replica.votes.clear();
    replica.settled.clear();
    replica.vote = ownVote(replica, ctx.self);
    nominate(replica, isBetter(group, vote, replica.vote) ? vote : replica.vote, ctx);
  } else if (isBetter(group, vote, replica.vote)) {
    ctx.line('look-better');
    nominate(replica, vote, ctx);
  }
  replica.votes.set(from, vote);
  maybeElect(replica, ctx);
}

/** Whether just this was said before in this round. */
export function isKnown(replica: Replica, message: Signed<Notification>): boolean {
  const { round, from } = message;
  const known = replica.votes.get(from);
  return round === replica.round && known !== undefined && sameVote(known, message);
}

function nominate(replica: Replica, vote: Vote, ctx: Context): void {
  replica.vote = vote;
  replica.votes.set(ctx.self, vote);
  notifyAll(replica, ctx);
}

/** A quorum has a leader, which says that it leads. */
function countSettled(replica: Replica, message: Signed<Notification>, ctx: Context): void {
  const { group } = ctx;
  const { leader, from } = message;
  replica.settled.set(from, message);
  if (leader === ctx.self || !isVoter(group, leader)) return;
  if (replica.settled.get(leader)?.state !== 'leading') return;
  // Those that still look and nominate it count too, this replica among them.
  const { settled, votes } = replica;
  const isFor = (id: ReplicaId): boolean =>
    settled.get(id)?.leader === leader || votes.get(id)?.leader === leader;
  if (!group.quorum.has(group.voters.filter(isFor))) return;
  ctx.line('look-settled');
  const { currentEpoch, zxid } = replica.settled.get(leader) ?? ownCredentials(replica);
  replica.vote = { leader, currentEpoch, zxid };
  follow(replica, leader, ctx);
}
