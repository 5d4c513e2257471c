/** Messages that tests send by hand. */
import { command, digestOfText } from '@quorumlab/protocol-testing';
import type { MultiPaxosMessage } from '../src/index.ts';
import type { Accept, Heartbeat, ReportPart, Value, Vote } from '../src/messages.ts';

/** The value of one command. */
export const valueWith = (text: string): Value => [command(text)];

/** The one part of a report that tells of nothing, changed by `part`. */
export const report = (part: Partial<ReportPart> = {}): ReportPart => ({
  fromSlot: 0,
  firstUnchosen: 0,
  part: 0,
  parts: 1,
  votes: [],
  ...part,
});

/** A promise of `ballot`. */
export const promise = (ballot: number, part: Partial<ReportPart> = {}): MultiPaxosMessage => ({
  kind: 'promise',
  ballot,
  ...report(part),
});

/** A proposal of `value` at `slot`. */
export const accept = (ballot: number, slot: number, value: Value, firstUnchosen = 0): Accept => ({
  kind: 'accept',
  ballot,
  slot,
  value,
  firstUnchosen,
});

/** The word of the leader of `ballot` that all below `firstUnchosen` is chosen. */
export const heartbeat = (ballot: number, firstUnchosen = 0, round = 1): Heartbeat => ({
  kind: 'heartbeat',
  ballot,
  round,
  firstUnchosen,
});

/** What was chosen from `fromSlot` on. */
export const learn = (fromSlot: number, votes: readonly Vote[]): MultiPaxosMessage => ({
  kind: 'learn',
  fromSlot,
  votes,
  firstUnchosen: fromSlot + votes.length,
});

/** One message of each kind, all of `ballot`. */
export const oneOfEach = (ballot: number): readonly MultiPaxosMessage[] => {
  const vote = { ballot, value: valueWith('x') };
  return [
    { kind: 'prepare', ballot, fromSlot: 0 },
    promise(ballot, { votes: [{ slot: 0, ...vote }] }),
    accept(ballot, 0, vote.value),
    { kind: 'accepted', ballot, slot: 0 },
    { kind: 'nack', ballot, promised: ballot + 10 },
    heartbeat(ballot, 1),
    { kind: 'heartbeat-ack', ballot, round: 1 },
    { kind: 'catch-up', fromSlot: 0 },
    learn(0, [vote]),
    { kind: 'snapshot-offer', slot: 3, digest: digestOfText('state') },
    { kind: 'forward', command: command('z') },
    { kind: 'recall', attempt: 1 },
    { kind: 'recalled', attempt: 1, promised: ballot, ...report({ firstUnchosen: 1 }) },
  ];
};
