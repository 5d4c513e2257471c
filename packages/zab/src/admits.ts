/**
 * What a replica could make something of now: the first lines of the handlers, asked before the
 * message is stepped. Whatever is refused here its handler would have ignored.
 */
import { type Asked, changedGuards, type Guards, type Signed } from '@quorumlab/core';
import { mayHelp, mayTell } from './answers.ts';
import { isAckNews } from './broadcast.ts';
import { isWaiting } from './credentials.ts';
import { isEpochNews } from './discovery.ts';
import { isAbandoned, isFar, isKnown, isNomination } from './election.ts';
import { type Group, isVoter } from './group.ts';
import { lastCounter } from './history.ts';
import type { Notification } from './messages.ts';
import type { Replica, Zab } from './state.ts';
import { isAnswer, isAskedHere } from './sync.ts';
import { isForIts, isLeaderNews, isLeaderOf, isOfLeader } from './synchronization.ts';

/** The guards of a group. What a replica says to itself counts. */
export const guards = (group: Group): Guards<Zab> =>
  changedGuards<Zab>(
    guardsOfHandlers(group),
    (guard) => (replica, message, asked) =>
      message.from === asked.self || guard(replica, message, asked),
  );

const guardsOfHandlers = (group: Group): Required<Guards<Zab>> => ({
  notification: (replica, message, asked) => mayMatter(group, replica, message, asked),
  cepoch: ({ role }) => role === 'leading',
  newepoch: ({ role, leader }, { epoch, from }) =>
    role === 'following' && from === leader && epoch > 0,
  'ack-e': (leader, message, { self }) =>
    isLeaderOf(leader, message.epoch) && message.leader === self && isEpochNews(leader, message),
  trunc: isOfLeader,
  snap: isOfLeader,
  diff: isOfLeader,
  newleader: isOfLeader,
  'ack-ld': (leader, message) =>
    isLeaderOf(leader, message.epoch) &&
    message.zxid.counter <= lastCounter(leader) &&
    isLeaderNews(leader, message),
  'commit-ld': isOfLeader,
  propose: (replica, message) => isOfLeader(replica, message) && isForIts(replica, message),
  inform: (replica, message) => isOfLeader(replica, message) && isForIts(replica, message),
  ack: (leader, message) =>
    isLeaderOf(leader, message.epoch) &&
    message.zxid.counter <= lastCounter(leader) &&
    isAckNews(leader, message),
  commit: isOfLeader,
  ping: isOfLeader,
  rejoin: (member, { from }, { now }) =>
    !isWaiting(member) && isVoter(group, from) && mayHelp(group, member, from, now),
  'rejoin-reply': (replica, { nonce, from }) =>
    isWaiting(replica) && isVoter(group, from) && nonce === replica.rejoining?.nonce,
  sync: isAskedHere,
  'sync-reply': isAnswer,
});

/** Whether it changes the search for a leader, or its sender is to be told something. */
function mayMatter(
  group: Group,
  replica: Replica,
  message: Signed<Notification>,
  asked: Asked,
): boolean {
  const { now } = asked;
  const { state, round, from } = message;
  if (isWaiting(replica)) return false;
  if (replica.role !== 'looking')
    return (
      state === 'looking' && (isAbandoned(replica, message) || mayTell(group, replica, from, now))
    );
  if (state !== 'looking') return true;
  if (isFar(replica, message) || !isNomination(group, message, asked)) return false;
  return round < replica.round ? mayTell(group, replica, from, now) : !isKnown(replica, message);
}
