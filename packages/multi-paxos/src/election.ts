/** Who leads: §2.4 and §3 of the paper, rules 1 to 6 of the README. */
import type { Signed } from '@quorumlab/core';
import { ballotAbove } from './ballots.ts';
import { isKnown } from './group.ts';
import { enqueue } from './leader.ts';
import { catchUp, inquire, isBehind, learn, saveChosen } from './learner.ts';
import type { Forward, Nack, Promised } from './messages.ts';
import { prepare } from './phase1.ts';
import { collect, isOfUse } from './report.ts';
import { forgetBallot, recentContact, setElectionTimer, stepDown } from './role.ts';
import { type Context, isMember, isPeer, type Replica } from './state.ts';

/** `upon election timeout`. */
export function electionTimeout(replica: Replica, ctx: Context): void {
  if (replica.role === 'leader' || replica.role === 'rejoining') return;
  // The timer is not re-armed at every word of a leader; it looks back once it fires.
  const since = recentContact(ctx.group, replica, ctx);
  if (since !== undefined) return setElectionTimer(ctx, since);
  setElectionTimer(ctx);
  if (isMember(replica, ctx.self)) campaign(replica, ctx);
  else inquire(replica, ctx);
}

/** Rule 2: a ballot above everything seen, durable before anybody hears of it. */
function campaign(candidate: Replica, ctx: Context): void {
  const seen = Math.max(candidate.promised, candidate.heard, candidate.ballotFloor);
  const ballot = ballotAbove(seen, ctx.self, ctx.group.members.length);
  if (ballot === undefined) return;
  ctx.line('elect');
  forgetBallot(candidate);
  ctx.save({ promised: ballot });
  candidate.role = 'candidate';
  candidate.leader = null;
  candidate.ballot = ballot;
  candidate.heard = ballot;
  prepare(candidate, ctx);
}

/** Rule 3: what promises know to be chosen is executed at once, as far as nothing is missing. */
function learnReported(candidate: Replica, ctx: Context): void {
  for (;;) {
    const slot = candidate.firstUnchosen;
    const found = candidate.reported.get(slot);
    if (found === undefined || !found.chosen) break;
    ctx.line('learn-promised');
    candidate.reported.delete(slot);
    learn(candidate, found, ctx);
  }
  saveChosen(candidate, ctx);
}

/** With the promises of a quorum the candidate leads (rules 3 to 5). */
export function promise(candidate: Replica, message: Signed<Promised>, ctx: Context): void {
  const { group } = ctx;
  const { ballot, from } = message;
  if (!isKnown(group, from)) return;
  if (candidate.ballot === 0 || ballot !== candidate.ballot || !candidate.asked.has(from)) return;
  if (!isOfUse(group, candidate.promises, from, message, ballot)) return;
  const complete = collect(group, candidate, candidate.promises, from, message, ballot);
  learnReported(candidate, ctx);
  if (complete && from !== ctx.self && isBehind(candidate)) {
    ctx.line('phase-1-behind');
    catchUp(candidate, from, ctx);
  }
}

/** §2.5: the ballot has no future. */
export function nack(
  replica: Replica,
  { ballot, promised, from }: Signed<Nack>,
  ctx: Context,
): void {
  if (!isPeer(from, ctx) || promised <= ballot) return;
  // The next own ballot must be above it, even if this one is given up already.
  replica.heard = Math.max(replica.heard, promised);
  if (replica.ballot > 0 && ballot === replica.ballot) stepDown(replica, ctx);
}

/** A client's command came to another replica first. */
export function forward(leader: Replica, { command, from }: Signed<Forward>, ctx: Context): void {
  // A replica that does not lead drops it: what is passed on twice could go round for ever.
  if (!isPeer(from, ctx) || leader.role !== 'leader') return;
  ctx.line('forwarded');
  enqueue(ctx.group, leader, command);
}
