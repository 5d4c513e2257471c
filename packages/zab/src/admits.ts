/**
 * What a replica could make something of now: the first lines of the handlers, asked before the
 * message is stepped. Whatever is refused here its handler would have ignored.
 */
import { type Asked, changedGuards, type Guards, type Signed } from '@quorumlab/core';
import { mayHelp, mayTell } from './answers.ts';
import { isAckNews } from './broadcast.ts';
import { isWaiting } from './credentials.ts';
import { isEpochNews } from './discovery.ts';
import { isAbandoned, isFar, isKnown } from './election.ts';
import type { Group } from './group.ts';
import type { Notification } from './messages.ts';
import { lastCounter, type Replica, type Zab } from './state.ts';
import { isLeaderNews, isLeaderOf, isOfLeader } from './synchronization.ts';

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
  propose: isOfLeader,
  ack: (leader, message) =>
    isLeaderOf(leader, message.epoch) &&
    message.zxid.counter <= lastCounter(leader) &&
    isAckNews(leader, message),
  commit: isOfLeader,
  ping: isOfLeader,
  rejoin: (member, { from }, { now }) => !isWaiting(member) && mayHelp(group, member, from, now),
  'rejoin-reply': (replica, { nonce }) => isWaiting(replica) && nonce === replica.rejoining?.nonce,
});

/** Whether it changes the search for a leader, or its sender is to be told something. */
function mayMatter(
  group: Group,
  replica: Replica,
  message: Signed<Notification>,
  { now }: Asked,
): boolean {
  const { state, round, leader, from } = message;
  if (isWaiting(replica)) return false;
  if (replica.role !== 'looking')
    return (
      state === 'looking' && (isAbandoned(replica, message) || mayTell(group, replica, from, now))
    );
  if (state !== 'looking') return true;
  if (isFar(replica, message) || leader >= group.members.length) return false;
  return round < replica.round ? mayTell(group, replica, from, now) : !isKnown(replica, message);
}
