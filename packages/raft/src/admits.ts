/**
 * What a replica could make something of now: the first lines of the handlers, asked before the
 * message is stepped. Whatever is refused here its handler would have ignored.
 */
import { type Asked, changedGuards, type Guards, type Signed } from '@quorumlab/core';
import { mayHelp, mayRefuse } from './answers.ts';
import { ignores, isLoyal } from './election.ts';
import type { Group } from './group.ts';
import type { AppendEntries, InstallSnapshot } from './messages.ts';
import { isWaiting, nextTerm } from './rejoin.ts';
import { isNews, movesWindow } from './replication.ts';
import type { Raft, Replica } from './state.ts';

/**
 * The guards of a group. Who waits for others to tell what it has promised is deaf but for that;
 * what it says to itself counts.
 */
export function guards(group: Group): Guards<Raft> {
  const { rejoin, 'rejoin-reply': reply, ...others } = guardsOfHandlers(group);
  const deaf = changedGuards<Raft>(
    others,
    (guard) => (replica, message, asked) =>
      !isWaiting(replica) && (message.from === asked.self || guard(replica, message, asked)),
  );
  return { ...deaf, rejoin, 'rejoin-reply': reply };
}

const guardsOfHandlers = (group: Group): Required<Guards<Raft>> => ({
  'pre-vote': (voter, message, asked) =>
    message.nextTerm < voter.currentTerm || !isLoyal(group, voter, asked),
  'pre-vote-reply': (replica, { term, granted, from }) =>
    granted
      ? replica.role === 'pre-candidate' && term === nextTerm(replica) && !replica.votes.has(from)
      : term > replica.currentTerm,
  'request-vote': (voter, message, asked) => !ignores(group, voter, message, asked),
  vote: (candidate, { term, candidate: elect, granted, from }, { self }) =>
    term > candidate.currentTerm ||
    (candidate.role === 'candidate' &&
      term === candidate.currentTerm &&
      granted &&
      elect === self &&
      !candidate.votes.has(from)),
  'append-entries': (follower, message, asked) => mayLead(group, follower, message, asked),
  'append-reply': (leader, reply) =>
    reply.term > leader.currentTerm ||
    (leader.role === 'leader' && reply.term === leader.currentTerm && isNews(leader, reply)),
  'install-snapshot': (follower, message, asked) =>
    message.lastIndex > 0 && mayLead(group, follower, message, asked),
  'snapshot-reply': (leader, { term, lastIndex, from }) =>
    term > leader.currentTerm ||
    (leader.role === 'leader' &&
      term === leader.currentTerm &&
      movesWindow(leader, from, lastIndex)),
  'timeout-now': (replica, { term }) => term >= replica.currentTerm && replica.role !== 'leader',
  'read-index': (leader) => leader.role === 'leader',
  'read-index-reply': ({ question, life }, reply) =>
    reply.life === life && reply.question === question?.number,
  rejoin: (member, { from }, { self, now }) =>
    from !== self && !isWaiting(member) && mayHelp(group, member, from, now),
  'rejoin-reply': (replica, { nonce, from }, { self }) =>
    from !== self && isWaiting(replica) && nonce === replica.rejoining?.nonce,
});

/** Whether its sender leads this term or a later one, or is to be told of this one. */
const mayLead = (
  group: Group,
  follower: Replica,
  { term, from }: Signed<AppendEntries | InstallSnapshot>,
  { now }: Asked,
): boolean => {
  if (term < follower.currentTerm) return mayRefuse(group, follower, from, now);
  return term > follower.currentTerm || follower.role !== 'leader';
};
