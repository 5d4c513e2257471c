/**
 * Leader election: §5.2 and §5.4.1 of the paper; PreVote (9.6), CheckQuorum (6.2) and the rule
 * that voters stay loyal to a leader they hear (4.2.3) from Ongaro's thesis.
 */
import { maxInteger, type ReplicaId, type Signed } from '@quorumlab/core';
import { electorate, type Group } from './group.ts';
import { becomeLeader } from './leader.ts';
import { isLeased } from './lease.ts';
import { lastIndex, lastTerm, type Position } from './log.ts';
import { isPeer, mayLead } from './members.ts';
import type { PreVote, PreVoteReply, RequestVote, Vote } from './messages.ts';
import { isBehind, nextTerm, satisfies } from './rejoin.ts';
import type { Context, Replica } from './state.ts';
import { becomeFollower, recentContact, setElectionTimer, updateTerm } from './term.ts';

/** `upon election timeout` (§5.2). */
export function electionTimeout(replica: Replica, ctx: Context): void {
  const { group } = ctx;
  if (replica.role === 'leader') return;
  // The timer is not re-armed at every heartbeat; it looks back once it fires, which is cheaper.
  const since = recentContact(group, replica, ctx);
  if (since !== undefined) return setElectionTimer(ctx, since);
  ctx.line('followers-2');
  becomeFollower(replica, null, ctx);
  setElectionTimer(ctx);
  // Terms end at the largest number of the wire: no election after it, rather than two in one term.
  if (nextTerm(replica) > maxInteger) return;
  // Its own vote is a vote too, and its log is not fit to lead.
  if (isBehind(replica)) return;
  // Who is no member, and is not needed as one, disturbs nobody (thesis 4.2.2).
  if (!mayLead(group, replica, ctx.self)) return;
  if (group.preVote) askPreVotes(replica, ctx);
  else campaign(replica, ctx);
}

/** Would I win? Asked before the term is raised, so that whoever cannot win disturbs nobody. */
function askPreVotes(replica: Replica, ctx: Context): void {
  ctx.line('pre-vote-1');
  replica.role = 'pre-candidate';
  replica.votes.add(ctx.self);
  const term = nextTerm(replica);
  const last = { lastIndex: lastIndex(replica), lastTerm: lastTerm(replica) };
  for (const peer of electorate(ctx.group, replica).voters)
    if (peer !== ctx.self) ctx.send(peer, { kind: 'pre-vote', nextTerm: term, ...last });
  maybeCampaign(replica, ctx);
}

function maybeCampaign(replica: Replica, ctx: Context): void {
  if (electorate(ctx.group, replica).quorum.has(replica.votes)) campaign(replica, ctx);
}

/**
 * §5.2: increment the term, vote for oneself, ask all others. `transfer`: the term whose leader has
 * told this server to (thesis 3.10).
 */
export function campaign(candidate: Replica, ctx: Context, transfer?: number): void {
  ctx.line('candidates-1');
  const term = nextTerm(candidate);
  ctx.save({ currentTerm: term, votedFor: ctx.self });
  candidate.role = 'candidate';
  candidate.votes.clear();
  setElectionTimer(ctx);
  const last = {
    lastIndex: lastIndex(candidate),
    lastTerm: lastTerm(candidate),
    ...(transfer === undefined ? {} : { transfer }),
  };
  for (const peer of electorate(ctx.group, candidate).voters)
    if (peer !== ctx.self) ctx.send(peer, { kind: 'request-vote', term, ...last });
  // Its own vote is a message too: it counts only once it is durable.
  ctx.send(ctx.self, { kind: 'vote', term, candidate: ctx.self, granted: true });
}

function maybeBecomeLeader(candidate: Replica, ctx: Context): void {
  if (!electorate(ctx.group, candidate).quorum.has(candidate.votes)) return;
  ctx.line('candidates-2');
  becomeLeader(candidate, ctx);
}

/**
 * Thesis 4.2.3: whoever hears a leader, or is one, does not help to replace it. With leases not
 * even if it has heard of a later term since: what was granted was granted.
 */
export const isLoyal = (group: Group, voter: Replica, ctx: Pick<Context, 'now'>): boolean =>
  voter.role === 'leader' ||
  ((voter.leader !== null || isLeased(group)) && recentContact(group, voter, ctx) !== undefined);

/** Whether a request for a vote in `term` has to be ignored for that. */
export function ignores(
  group: Group,
  voter: Replica,
  { term, transfer }: Pick<RequestVote, 'term' | 'transfer'>,
  ctx: Pick<Context, 'now'>,
): boolean {
  // The leader of that term wants it so, and this voter has heard of none since.
  if (transfer !== undefined && voter.currentTerm <= transfer) return false;
  const isNew = isLeased(group) ? term >= voter.currentTerm : term > voter.currentTerm;
  return group.checkQuorum && isNew && isLoyal(group, voter, ctx);
}

/** Whether a candidate with this log may have the voter's vote (§5.4.1). */
const isFit = (group: Group, voter: Replica, candidate: Position): boolean =>
  group.rules.upToDate(voter, candidate) && satisfies(voter, candidate);

const isFree = (voter: Replica, candidate: ReplicaId): boolean =>
  voter.votedFor === null || voter.votedFor === candidate;

/** Thesis 6.2, CheckQuorum: a leader that a quorum does not answer makes room for another. */
export function checkQuorum(leader: Replica, ctx: Context): void {
  const { group } = ctx;
  if (leader.role !== 'leader') return;
  const heard = [ctx.self];
  for (const [follower, { heardAt }] of leader.pipelines)
    if (heardAt !== null && ctx.now - heardAt < group.electionTimeout) heard.push(follower);
  if (electorate(group, leader).quorum.has(heard))
    return ctx.setTimer('check-quorum', group.electionTimeout);
  ctx.line('check-quorum');
  becomeFollower(leader, null, ctx);
}

/** May I run for the next term (thesis 9.6)? Changes nothing here. */
export function preVote(
  voter: Replica,
  { nextTerm, lastIndex: index, lastTerm: term, from }: Signed<PreVote>,
  ctx: Context,
): void {
  const { group } = ctx;
  if (!isPeer(from, ctx)) return;
  const reply = (term: number, granted: boolean): void =>
    ctx.send(from, { kind: 'pre-vote-reply', term, granted });
  // Our higher term lets an asker that has fallen behind catch up with it.
  if (nextTerm < voter.currentTerm) return reply(voter.currentTerm, false);
  if (isLoyal(group, voter, ctx)) return ctx.line('loyal');
  if (nextTerm === voter.currentTerm && !isFree(voter, from)) return reply(nextTerm, false);
  if (!isFit(group, voter, { index, term })) return reply(voter.currentTerm, false);
  ctx.line('pre-vote-2');
  reply(nextTerm, true);
}

/** With the pre-votes of a quorum the election begins. */
export function preVoteReply(
  replica: Replica,
  { term, granted, from }: Signed<PreVoteReply>,
  ctx: Context,
): void {
  if (!isPeer(from, ctx)) return;
  if (!granted) return updateTerm(replica, term, ctx);
  if (replica.role !== 'pre-candidate' || term !== nextTerm(replica)) return;
  replica.votes.add(from);
  maybeCampaign(replica, ctx);
}

/** RequestVote of Figure 2, receiver implementation. */
export function requestVote(voter: Replica, message: Signed<RequestVote>, ctx: Context): void {
  const { group } = ctx;
  const { term, lastIndex: index, lastTerm: logTerm, from } = message;
  if (!isPeer(from, ctx)) return;
  if (ignores(group, voter, message, ctx)) return ctx.line('loyal');
  updateTerm(voter, term, ctx);
  const reply = (granted: boolean): void =>
    ctx.send(from, { kind: 'vote', term: voter.currentTerm, candidate: from, granted });
  if (term < voter.currentTerm) {
    ctx.line('request-vote-1');
    return reply(false);
  }
  if (!isFree(voter, from)) return reply(false);
  if (!isFit(group, voter, { index, term: logTerm })) return reply(false);
  ctx.line('request-vote-2');
  ctx.save({ votedFor: from });
  becomeFollower(voter, voter.leader, ctx);
  setElectionTimer(ctx);
  reply(true);
}

/** §5.2: with the votes of a quorum the candidate leads. */
export function vote(
  candidate: Replica,
  { term, candidate: elect, granted, from }: Signed<Vote>,
  ctx: Context,
): void {
  if (from !== ctx.self && !isPeer(from, ctx)) return;
  updateTerm(candidate, term, ctx);
  if (candidate.role !== 'candidate' || term !== candidate.currentTerm) return;
  if (!granted || elect !== ctx.self) return;
  candidate.votes.add(from);
  maybeBecomeLeader(candidate, ctx);
}
