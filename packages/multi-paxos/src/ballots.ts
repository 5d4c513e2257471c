import { type Ballot, type Counter, maxInteger, nextBallot, type ReplicaId } from '@quorumlab/core';
import type { Message } from './messages.ts';
import type { MultiPaxos } from './state.ts';

/**
 * The smallest ballot of `self` above `above`, or nothing where the numbers of the wire end: no
 * election after that, rather than two in one ballot.
 */
export function ballotAbove(above: Ballot, self: ReplicaId, n: number): Ballot | undefined {
  const next = nextBallot(above, self, n);
  return next <= maxInteger ? next : undefined;
}

/** The highest ballot that a message would have its receiver take over, as a vote as well. */
function highestBallot(message: Message): Ballot {
  const ballot = 'ballot' in message ? message.ballot : 0;
  if (message.kind === 'learn')
    return message.votes.reduce((most, vote) => Math.max(most, vote.ballot), ballot);
  return 'promised' in message ? Math.max(ballot, message.promised) : ballot;
}

/** What one liar could use up. */
export const counter: Counter<MultiPaxos> = {
  name: 'ballot',
  said: highestBallot,
  known: ({ promised, heard, ballotFloor }) => Math.max(promised, heard, ballotFloor),
};
