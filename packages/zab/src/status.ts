/** What a replica tells of itself, and what it believes of epochs that others speak of. */
import type { Counter, Status } from '@quorumlab/core';
import { isWaiting } from './credentials.ts';
import type { Message } from './messages.ts';
import type { Replica, Zab } from './state.ts';

/** Its role in a word: of a leader, whether its epoch is established. */
function roleOf(replica: Replica): string {
  const { role, phase } = replica;
  if (isWaiting(replica)) return 'rejoining';
  if (role === 'looking') return 'looking';
  if (replica.observes) return phase === 'broadcast' ? 'observer' : 'joining';
  if (role === 'leading') return phase === 'broadcast' ? 'leader' : 'prospective leader';
  return phase === 'broadcast' ? 'follower' : 'joining';
}

/** Only an established leader is named to clients: any other would ignore what they ask for. */
export function status(replica: Replica): Status {
  const { leader, phase, acceptedEpoch: term } = replica;
  const role = roleOf(replica);
  return leader === null || phase !== 'broadcast' ? { term, role } : { leader, term, role };
}

/** The highest epoch that a message would have its receiver take over. */
function highestEpoch(message: Message): number {
  const epoch = 'epoch' in message ? message.epoch : 0;
  const accepted = 'acceptedEpoch' in message ? message.acceptedEpoch : 0;
  const last = 'transactions' in message ? (message.transactions.at(-1)?.epoch ?? 0) : 0;
  return Math.max(epoch, accepted, last);
}

/** What one liar could use up. */
export const counter: Counter<Zab> = {
  name: 'epoch',
  said: highestEpoch,
  known: ({ acceptedEpoch }) => acceptedEpoch,
};
