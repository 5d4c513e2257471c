/** Messages that tests send by hand. */
import { command, digestOfText } from '@quorumlab/protocol-testing';
import type { AppendEntries, AppendReply, RaftMessage } from '../src/index.ts';

/** A heartbeat of term 1, changed by `part`. */
export const append = (part: Partial<AppendEntries> = {}): AppendEntries => ({
  kind: 'append-entries',
  term: 1,
  prevIndex: 0,
  prevTerm: 0,
  entries: [],
  leaderCommit: 0,
  round: 0,
  ...part,
});

/** The answer of term 1 that the log is equal up to `index`, changed by `part`. */
export const acknowledgement = (index: number, part: Partial<AppendReply> = {}): AppendReply => ({
  kind: 'append-reply',
  term: 1,
  success: true,
  index,
  conflictTerm: 0,
  conflictIndex: 0,
  round: 0,
  ...part,
});

/** One message of each kind, all of `term`. */
export const oneOfEach = (term: number): readonly RaftMessage[] => [
  { kind: 'pre-vote', nextTerm: term, lastIndex: 3, lastTerm: term },
  { kind: 'pre-vote-reply', term, granted: true },
  { kind: 'pre-vote-reply', term, granted: false },
  { kind: 'request-vote', term, lastIndex: 3, lastTerm: term },
  { kind: 'vote', term, candidate: 1, granted: true },
  append({ term, prevIndex: 1, prevTerm: 1, entries: [{ term, command: command('x') }], round: 1 }),
  append({ term, leaderCommit: 1 }),
  acknowledgement(1, { term, round: 1 }),
  acknowledgement(1, { term, success: false, conflictTerm: 1, conflictIndex: 1 }),
  { kind: 'install-snapshot', term, lastIndex: 3, lastTerm: term, digest: digestOfText('state') },
  { kind: 'snapshot-reply', term, lastIndex: 1 },
  { kind: 'rejoin', nonce: 5, lastIndex: 0 },
  { kind: 'rejoin-reply', nonce: 1, term, lastIndex: 3, lastTerm: term, ownTerm: 9 },
];
