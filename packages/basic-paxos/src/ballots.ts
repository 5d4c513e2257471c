/** The numbers of proposals. */
import type { Counter } from '@quorumlab/core';
import type { Message } from './messages.ts';
import type { BasicPaxos } from './state.ts';

/** The highest ballot that a message would have its receiver take over. */
function highestBallot(message: Message): number {
  const ballot = 'ballot' in message ? message.ballot : 0;
  if (message.kind === 'promise') return Math.max(ballot, message.accepted?.ballot ?? 0);
  return message.kind === 'nack' ? message.promised : ballot;
}

/** What one liar could use up. */
export const counter: Counter<BasicPaxos> = {
  name: 'ballot',
  said: highestBallot,
  known: ({ promised, ballot, heard }) => Math.max(promised, ballot, heard),
};
