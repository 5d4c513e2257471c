/**
 * Coming back after the disk was lost. Raft has no rule for that: a replica that forgot its vote
 * can vote again, and entries that it acknowledged may have been counted. So it asks all others
 * what it may have promised, and until each has answered takes part in nothing; until its log is as
 * good as the best of theirs it helps nobody to lead. After Michael et al., "Recovering Shared
 * Objects Without Stable Storage" (DISC 2017), and Chandra et al., "Paxos Made Live" (PODC 2007,
 * 5.1); why it is safe is in decision 071.
 */
import { maxInteger, type ReplicaId, range, type Signed } from '@quorumlab/core';
import { mayHelp } from './answers.ts';
import { pipelineOf, replicateTo } from './leader.ts';
import { waitOut } from './lease.ts';
import { lastIndex, lastTerm, type Position } from './log.ts';
import { hasSeats, isPeer } from './members.ts';
import type { Index, Rejoin, RejoinReply } from './messages.ts';
import type { Context, Replica } from './state.ts';
import { setElectionTimer } from './term.ts';

/** How many terms are set aside at a time: more than anybody starts without being heard. */
const termsAside = 2 ** 20;

/** `upon start`: a follower waits for a leader, or for what the others know of its promises. */
export function start(replica: Replica, ctx: Context, incarnation: number): void {
  replica.life = incarnation;
  waitOut(replica, ctx);
  if (!isWaiting(replica)) setElectionTimer(ctx);
  askToRejoin(replica, ctx);
}

/** `upon start` of a replica whose disk was lost. */
export function rejoin(replica: Replica, ctx: Context, incarnation: number): void {
  const nonce = incarnation;
  replica.life = incarnation;
  waitOut(replica, ctx);
  ctx.save({ rejoining: { nonce, best: null, ownTerm: 0 } });
  askToRejoin(replica, ctx);
}

/** Whether it must not take part in anything yet. */
export const isWaiting = ({ rejoining }: Replica): boolean =>
  rejoining !== null && rejoining.best === null;

/** Whether its log lacks what it may have acknowledged before its disk was lost. */
export const isBehind = (replica: Replica): boolean => !satisfies(replica, lastOf(replica));

const lastOf = (replica: Replica): Position => ({
  index: lastIndex(replica),
  term: lastTerm(replica),
});

/** Whether a log that ends at `position` is good enough for this voter to help its owner lead. */
export const satisfies = ({ rejoining }: Replica, position: Position): boolean =>
  rejoining === null || (rejoining.best !== null && reaches(position, rejoining.best));

/** The order of §5.4.1: the later last term wins; with equal terms, the longer log. */
const reaches = (one: Position, other: Position): boolean =>
  one.term > other.term || (one.term === other.term && one.index >= other.index);

/**
 * The next term this replica can start: above all it knows, and never one it may have started.
 * Above the largest number of the wire: none, rather than two elections in one term.
 */
export function nextTerm({ currentTerm, rejoining }: Replica): number {
  const own = rejoining?.ownTerm ?? 0;
  return own < maxInteger ? Math.max(currentTerm + 1, own) : maxInteger + 1;
}

/** Asks whoever has not answered; and, once all have, whoever leads to send what is lacking. */
export function askToRejoin(replica: Replica, ctx: Context): void {
  const { group } = ctx;
  const { rejoining } = replica;
  if (rejoining === null || !isBehind(replica)) return;
  ctx.line('rejoin-1');
  const message = {
    kind: 'rejoin',
    nonce: rejoining.nonce,
    lastIndex: lastIndex(replica),
  } as const;
  for (const peer of range(group.known))
    if (peer !== ctx.self && !replica.heard.has(peer)) ctx.send(peer, message);
  ctx.setTimer('rejoin', group.electionTimeout);
}

/** All have answered: whatever it had promised, one of them knows it. */
function comeBack(replica: Replica, nonce: number, ctx: Context): void {
  ctx.line('rejoin-3');
  let best: Position = { index: 0, term: 0 };
  let currentTerm = 0;
  let ownTerm = 0;
  for (const heard of replica.heard.values()) {
    if (reaches(heard, best)) best = { index: heard.index, term: heard.term };
    currentTerm = Math.max(currentTerm, heard.currentTerm);
    ownTerm = Math.max(ownTerm, heard.ownTerm);
  }
  replica.heard.clear();
  // It may have voted in this term. It is no candidate, so a vote for itself elects nobody.
  ctx.save({ currentTerm, votedFor: ctx.self, rejoining: { nonce, best, ownTerm } });
  setElectionTimer(ctx);
  askToRejoin(replica, ctx);
}

/** Once the log has been as good as theirs, it is a log like any other, even if it is cut later. */
export function caughtUp(replica: Replica, ctx: Context): void {
  const { rejoining } = replica;
  if (rejoining === null || rejoining.best?.index === 0 || isBehind(replica)) return;
  ctx.line('rejoin-4');
  ctx.save({ rejoining: { ...rejoining, best: { index: 0, term: 0 } } });
}

/** What a leader counted on from the old disk is gone; only new acknowledgements count. */
function countAnew(leader: Replica, member: ReplicaId, index: Index, ctx: Context): void {
  if (leader.role !== 'leader' || (leader.matchIndex.get(member) ?? 0) <= index) return;
  leader.matchIndex.set(member, 0);
  leader.nextIndex.set(member, index + 1);
  const pipeline = pipelineOf(leader, member);
  pipeline.probing = true;
  pipeline.inFlight.length = 0;
  replicateTo(leader, member, ctx);
}

/** A member that lost its disk asks: it is told what it may have promised. */
export function onRejoin(
  member: Replica,
  { nonce, lastIndex: index, from }: Signed<Rejoin>,
  ctx: Context,
): void {
  // Who waits itself knows nothing: two disks lost at once are one too many.
  if (!isPeer(from, ctx) || isWaiting(member)) return;
  // Others have come that it does not know, so it would come back without having asked them.
  if (hasSeats(member)) return;
  if (!mayHelp(ctx.group, member, from, ctx.now)) return;
  member.helpedAt.set(from, ctx.now);
  ctx.line('rejoin-2');
  if (member.setAside.nonce !== nonce) {
    const above = Math.max(member.currentTerm, member.setAside.ownTerm);
    ctx.save({ setAside: { nonce, ownTerm: Math.min(above + termsAside, maxInteger) } });
  }
  countAnew(member, from, index, ctx);
  const own = lastOf(member);
  const best = member.rejoining?.best ?? own;
  const last = reaches(own, best) ? own : best;
  ctx.send(from, {
    kind: 'rejoin-reply',
    nonce,
    term: member.currentTerm,
    lastIndex: last.index,
    lastTerm: last.term,
    ownTerm: member.setAside.ownTerm,
  });
}

/** Once all others have answered, the replica takes part again. */
export function rejoinReply(
  replica: Replica,
  { nonce, term, lastIndex: index, lastTerm, ownTerm, from }: Signed<RejoinReply>,
  ctx: Context,
): void {
  if (!isPeer(from, ctx) || !isWaiting(replica)) return;
  if (nonce !== replica.rejoining?.nonce) return;
  replica.heard.set(from, { index, term: lastTerm, currentTerm: term, ownTerm });
  if (replica.heard.size === ctx.group.known - 1) comeBack(replica, nonce, ctx);
}
