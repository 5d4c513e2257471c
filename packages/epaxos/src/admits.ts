/**
 * What a replica could make something of now: the first lines of the handlers, asked before the
 * message is stepped. Whatever is refused here its handler would have ignored.
 */
import { changedGuards, type Guards } from '@quorumlab/core';
import { mayAccept } from './accept.ts';
import { isNewOffer, missingOf } from './catch-up.ts';
import { isNewCommit } from './commit.ts';
import type { Group } from './group.ts';
import { mayPreAccept } from './pre-accept.ts';
import { mayJoin } from './recovery.ts';
import { pauseOf } from './rejoin.ts';
import type { Epaxos } from './state.ts';
import { isNewWaiting, mayValidate } from './validation.ts';

/** The guards of a group. Nobody sends to itself. */
export const guards = (group: Group): Guards<Epaxos> =>
  changedGuards<Epaxos>(
    guardsOfHandlers(group),
    (guard) => (replica, message, asked) =>
      message.from !== asked.self && guard(replica, message, asked),
  );

const guardsOfHandlers = (group: Group): Required<Guards<Epaxos>> => ({
  'pre-accept': (replica, message) => mayPreAccept(group, replica, message),
  'pre-accept-ok': ({ driven }, { instance }) => driven.get(instance)?.step === 'pre-accept',
  accept: (replica, message) => mayAccept(group, replica, message),
  'accept-ok': ({ driven }, { instance, ballot }) => {
    const known = driven.get(instance);
    return known?.step === 'accept' && known.ballot === ballot;
  },
  commit: (replica, message) => isNewCommit(group, replica, message),
  recover: (replica, message) => mayJoin(group, replica, message),
  'recover-ok': ({ driven }, { instance, ballot, from }) => {
    const known = driven.get(instance);
    return known?.ballot === ballot && ballot > 0 && !known.told.has(from);
  },
  validate: (replica, message) => mayValidate(group, replica, message),
  'validate-ok': ({ driven }, { instance, ballot, from }) => {
    const known = driven.get(instance);
    return known?.step === 'validate' && known.ballot === ballot && known.quorum.includes(from);
  },
  waiting: (replica, message) => isNewWaiting(group, replica, message),
  nack: ({ driven }, { instance, ballot, joined }) =>
    joined > ballot && driven.get(instance)?.ballot === ballot,
  progress: (replica, message) =>
    message.checkpoints > replica.cut.checkpoints + 1 ||
    missingOf(group, replica, message).length > 0,
  ask: () => true,
  'snapshot-offer': (replica, message) => isNewOffer(replica, message),
  recall: (replica, { from }, { now }) =>
    replica.role === 'replica' &&
    now - (replica.answeredAt.get(from) ?? Number.NEGATIVE_INFINITY) >= pauseOf(group),
  recalled: (replica, { attempt, from }) =>
    replica.role === 'rejoining' && attempt === replica.attempt && !replica.recalled.has(from),
});
