/**
 * A replica that comes back without its disk. It may have promised and accepted what it no longer
 * knows, and quorums count on it. So it asks all others before it says anything: each ballot that
 * it ever promised is durable at its candidate, and what it accepted is still at some other member
 * of the quorum that chose it (Michael et al., DISC 2017; "Paxos Made Live", 5.1).
 */
import { maxInteger, range, type Signed, type Slot } from '@quorumlab/core';
import { mayAnswer, noteAnswer } from './answers.ts';
import { catchUp, isBehind, resumeFromDisk, saveChosen } from './learner.ts';
import { waitOut } from './lease.ts';
import type { Recall, Recalled, Vote } from './messages.ts';
import { collect, isComplete, reportOf } from './report.ts';
import { setElectionTimer } from './role.ts';
import { type Context, hasSeats, isPeer, type Replica } from './state.ts';

/** `upon start`: a follower waits for a leader, or for what the others know of its promises. */
export function start(replica: Replica, ctx: Context, incarnation: number): void {
  resumeFromDisk(replica, ctx);
  waitOut(replica, ctx);
  if (replica.rejoining) rejoin(replica, ctx, incarnation);
  else setElectionTimer(ctx);
}

/** Own ballots start this many rounds above all heard ones: no old unheard one is used again. */
const roundsApart = 2 ** 20;

/** Called in place of a start, and again after each crash until all others have answered. */
export function rejoin(replica: Replica, ctx: Context, incarnation: number): void {
  ctx.line('recall');
  if (!replica.rejoining) ctx.save({ rejoining: true });
  replica.role = 'rejoining';
  waitOut(replica, ctx);
  replica.attempt = incarnation;
  replica.recalled.clear();
  askToRejoin(replica, ctx);
}

/** `upon recall timeout`, and at first: asks whoever has not answered. */
export function askToRejoin(replica: Replica, ctx: Context): void {
  const { group } = ctx;
  if (replica.role !== 'rejoining') return;
  ctx.setTimer('recall', group.electionTimeout);
  for (const member of range(group.known)) {
    const report = replica.recalled.get(member);
    if (member === ctx.self || (report !== undefined && isComplete(report))) continue;
    ctx.send(member, { kind: 'recall', attempt: replica.attempt });
  }
}

/** All others have answered, and what they know to be chosen is executed: take part again. */
export function maybeRejoin(replica: Replica, ctx: Context): void {
  const { group } = ctx;
  if (replica.role !== 'rejoining') return;
  const answered = range(group.known).every((each) => {
    const report = replica.recalled.get(each);
    return each === ctx.self || (report !== undefined && isComplete(report));
  });
  if (!answered) return;
  if (replica.firstUnchosen < replica.knownTo) return;
  // What it may have chosen all by itself nobody else can tell: pretending otherwise would lie.
  const { self } = ctx;
  if (replica.configurations.some((each) => group.phasesOf(each).phase2.has([self]))) return;
  ctx.line('rejoin');
  // To report a vote of another member as its own is safe: it was really proposed in that ballot.
  for (const [slot, { ballot, value }] of replica.reported)
    if (slot >= replica.firstUnchosen) ctx.put('accepted', slot, { ballot, value });
  const n = group.members.length;
  const ballotFloor = Math.min(replica.heard + roundsApart * n, maxInteger);
  ctx.save({ promised: replica.heard, ballotFloor, rejoining: false });
  saveChosen(replica, ctx);
  replica.role = 'follower';
  replica.reported.clear();
  replica.recalled.clear();
  replica.knownTo = 0;
  ctx.clearTimer('recall');
  setElectionTimer(ctx);
}

/** A replica that lost its disk asks what it may have promised and accepted. */
export function recall(replica: Replica, { attempt, from }: Signed<Recall>, ctx: Context): void {
  const { group } = ctx;
  // Whoever has lost its own disk knows nothing to tell. Two at once are more than this survives.
  if (replica.role === 'rejoining' || !isPeer(from, ctx)) return;
  // Others have come that it does not know, so it would come back without having asked them.
  if (hasSeats(replica)) return;
  if (!mayAnswer(group, replica, 'recall', from, ctx.now)) return;
  noteAnswer(replica, 'recall', from, ctx.now);
  const { promised, ballot, open } = replica;
  // A leader's proposals too, whose Accept may have overtaken its own vote: `from` may have
  // accepted them, and together with the leader's own vote to come that can make a quorum.
  const voteAt = (slot: Slot): Vote | undefined => {
    const proposed = open.get(slot);
    return proposed === undefined ? replica.accepted.get(slot) : { ballot, value: proposed.value };
  };
  for (const part of reportOf(group, replica, replica.firstUnchosen, voteAt))
    ctx.send(from, { kind: 'recalled', attempt, promised, ...part });
}

/** Once all others have answered, the replica takes part again. */
export function recalled(replica: Replica, message: Signed<Recalled>, ctx: Context): void {
  const { attempt, promised, from } = message;
  if (replica.role !== 'rejoining' || attempt !== replica.attempt) return;
  if (!isPeer(from, ctx)) return;
  if (!collect(ctx.group, replica, replica.recalled, from, message, promised)) return;
  replica.heard = Math.max(replica.heard, promised);
  if (isBehind(replica) && replica.teacher === null) catchUp(replica, from, ctx);
  maybeRejoin(replica, ctx);
}
