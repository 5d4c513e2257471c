/**
 * What a replica could make something of now: the first lines of the handlers, asked before the
 * message is stepped. Whatever is refused here its handler would have ignored.
 */
import {
  type Asked,
  changedGuards,
  type Expectations,
  type Guards,
  type Signed,
} from '@quorumlab/core';
import { isLoyal, isOwner } from './acceptor.ts';
import { mayAnswer, mayTeach } from './answers.ts';
import { isNewOffer, teaches } from './catch-up.ts';
import type { Group } from './group.ts';
import { acceptedNews, ackNews, mayEnqueue } from './leader.ts';
import type { Accept, Heartbeat } from './messages.ts';
import { isOfUse } from './report.ts';
import type { MultiPaxos, Replica } from './state.ts';

/** The guards of a group. What a replica says to itself counts. */
export const guards = (group: Group): Guards<MultiPaxos> =>
  changedGuards<MultiPaxos>(
    guardsOfHandlers(group),
    (guard) => (replica, message, asked) =>
      message.from === asked.self || guard(replica, message, asked),
  );

/** What could be of use whatever is in it: nobody is told who has not asked. */
export const expectations: Expectations<MultiPaxos> = {
  promise: (candidate, from, self) =>
    from === self || (candidate.ballot > 0 && candidate.asked.has(from)),
  recalled: (replica, from, self) => from === self || replica.role === 'rejoining',
  forward: (leader, from, self) => from === self || leader.role === 'leader',
};

const guardsOfHandlers = (group: Group): Required<Guards<MultiPaxos>> => ({
  prepare: (acceptor, message, asked) => {
    const { ballot, from } = message;
    if (acceptor.role === 'rejoining' || !isOwner(group, message)) return false;
    if (ballot > acceptor.heard) return true;
    if (ballot < acceptor.promised)
      return mayAnswer(group, acceptor, 'old-ballot', from, asked.now);
    if (ballot > acceptor.promised) return !isLoyal(group, acceptor, from, asked);
    return mayAnswer(group, acceptor, 'prepare', from, asked.now);
  },
  accept: (acceptor, message, asked) => mayLead(group, acceptor, message, asked),
  heartbeat: (acceptor, message, asked) => mayLead(group, acceptor, message, asked),
  promise: (candidate, message) =>
    candidate.ballot > 0 &&
    message.ballot === candidate.ballot &&
    candidate.asked.has(message.from) &&
    isOfUse(group, candidate.promises, message.from, message, message.ballot),
  nack: (replica, { ballot, promised }) =>
    promised > ballot &&
    (promised > replica.heard || (replica.ballot > 0 && ballot === replica.ballot)),
  forward: (leader, { command }) => leader.role === 'leader' && mayEnqueue(group, leader, command),
  accepted: (leader, message) => acceptedNews(group, leader, message),
  'heartbeat-ack': (leader, message) => ackNews(leader, message),
  'catch-up': (replica, { fromSlot, from }, { now }) =>
    mayTeach(group, replica, from, fromSlot, now),
  learn: (replica, message) => teaches(replica, message),
  'snapshot-offer': (replica, message) => isNewOffer(replica, message),
  recall: (replica, { from }, { now }) =>
    replica.role !== 'rejoining' && mayAnswer(group, replica, 'recall', from, now),
  recalled: (replica, message) =>
    replica.role === 'rejoining' &&
    message.attempt === replica.attempt &&
    isOfUse(group, replica.recalled, message.from, message, message.promised),
});

/** Whether its sender leads this ballot or a later one, or is to be told of this one. */
const mayLead = (
  group: Group,
  acceptor: Replica,
  message: Signed<Accept | Heartbeat>,
  { now }: Asked,
): boolean =>
  acceptor.role !== 'rejoining' &&
  isOwner(group, message) &&
  (message.ballot >= acceptor.promised ||
    mayAnswer(group, acceptor, 'old-ballot', message.from, now));
