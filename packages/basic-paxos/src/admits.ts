/**
 * What a replica could make something of now: the first lines of the handlers, asked before the
 * message is stepped. Whatever is refused here its handler would have ignored.
 */
import {
  ballotOwner,
  type Guards,
  type Instant,
  isDue,
  type ReplicaId,
  type Signed,
} from '@quorumlab/core';
import type { Group } from './group.ts';
import type { Accept, Nack, Prepare } from './messages.ts';
import type { BasicPaxos, Replica } from './state.ts';

/** The guards of a group. */
export const guards = (group: Group): Guards<BasicPaxos> => ({
  prepare: (acceptor, message, { now }) =>
    isHeard(group, acceptor, message, now) && !isOver(acceptor, message),
  promise: ({ phase, ballot, promises }, message) =>
    phase === 'preparing' && message.ballot === ballot && !promises.has(message.from),
  accept: (acceptor, message, { now }) => isHeard(group, acceptor, message, now),
  accepted: ({ decided, votes }, { ballot, from }) =>
    decided === null && ballot >= (votes.get(from)?.ballot ?? 0),
  nack: isRefused,
  ask: (learner, { from }, { now }) =>
    (learner.decided ?? learner.accepted) !== null && mayTell(group, learner, from, now),
  decided: ({ decided }) => decided === null,
});

/** Whether it is told what was chosen: a value may be much, and who lacks it asks seldom. */
export const mayTell = (
  { retry }: Group,
  { toldAt }: Replica,
  from: ReplicaId,
  now: Instant,
): boolean => isDue(toldAt.get(from), retry / 2, now);

/** Whether an acceptor has an answer for the owner of a ballot. */
function isHeard(
  group: Group,
  acceptor: Replica,
  { from, ballot }: Signed<Prepare | Accept>,
  now: Instant,
): boolean {
  if (ballotOwner(ballot, group.n) !== from) return false;
  if (acceptor.decided !== null) return mayTell(group, acceptor, from, now);
  return !acceptor.rejoined;
}

/** Whether phase 1 of the ballot is over here, and nothing is known to be chosen. */
const isOver = ({ decided, accepted }: Replica, { ballot }: Prepare): boolean =>
  decided === null && accepted?.ballot === ballot;

/** Whether it refuses the ballot that its receiver has under way. */
export const isRefused = (proposer: Replica, { ballot, promised }: Nack): boolean =>
  ballot === proposer.ballot &&
  promised > ballot &&
  (proposer.phase === 'preparing' || proposer.phase === 'accepting');
