/** What Raft tells laboratories of itself. */
import {
  drawBetween,
  drawOne,
  drawTimeout,
  type Entry,
  electionOptions,
  range,
  snapshotOption,
  threshold,
} from '@quorumlab/core';
import { encodeChange, encodeSeat, encodeTransfer } from './configuration.ts';
import { exhibits, flaws, mutants } from './mutants.ts';
import { raft } from './protocol.ts';
import type { Raft } from './state.ts';

/** Raft by name, with its options and wrong variants. */
export const entry: Entry<Raft> = {
  title: 'Raft: a leader and majorities; survives crashes, trusts every word of its members.',
  right: (size) => raft(size),
  mutants,
  flaws,
  exhibits,
  options: {
    initialMembers: {
      kind: 'text',
      meaning: 'who votes at first, e.g. 0,1,2; the others wait to be let in (default: all)',
    },
    ...electionOptions,
    preVote: { kind: 'boolean', usual: 'true', meaning: 'ask before raising the term' },
    checkQuorum: {
      kind: 'boolean',
      usual: 'true',
      meaning: 'leaders and voters judge by whom they hear',
    },
    reads: {
      kind: ['quorum', 'lease'],
      usual: 'quorum',
      meaning: 'how a leader knows at a read that it still leads: it asks, or trusts clocks',
    },
    followerReads: {
      kind: 'boolean',
      usual: 'false',
      meaning: 'whether followers answer reads too, after asking their leader',
    },
    clockDrift: {
      kind: 'number',
      usual: '1000',
      meaning: 'with leases: parts in a million by which the rate of a clock may be wrong',
    },
    ...snapshotOption,
    keepEntries: { kind: 'number', usual: '1000', meaning: 'entries kept behind a snapshot' },
    maxEntriesPerAppend: {
      kind: 'number',
      usual: '1024',
      meaning: 'entries in one AppendEntries, up to 1024',
    },
    maxInFlight: {
      kind: 'number',
      usual: '4',
      meaning: 'unacknowledged AppendEntries with entries per follower',
    },
    maxUncommitted: {
      kind: 'number',
      usual: '65536',
      meaning: 'uncommitted entries before a leader says no',
    },
  },
  small: { snapshotEvery: 2, keepEntries: 0 },
  drawn: (random, network, { narrow }) => {
    const checkQuorum = random.below(4) > 0;
    return {
      electionTimeout: drawTimeout(random, network),
      // Where groups change: without it, who has left unseats whoever would let it in again.
      preVote: random.below(4) > 0 || narrow === true,
      checkQuorum,
      snapshotEvery: drawOne(random, narrow ? [1, 2, 3] : [0, 3, 10, 10_000]),
      keepEntries: drawOne(random, narrow ? [0, 1] : [0, 2, 1000]),
      maxEntriesPerAppend: drawOne(random, narrow ? [1, 2] : [1, 2, 1024]),
      maxInFlight: drawBetween(random, 1, narrow ? 2 : 4),
      ...(narrow
        ? { maxUncommitted: drawOne(random, [1, 4, 16]), followerReads: random.below(2) === 0 }
        : {}),
      // The clocks of random worlds run wrong by up to 10,000 ppm.
      ...(checkQuorum && random.below(2) === 0
        ? { reads: 'lease', clockDrift: drawOne(random, [10_000, 30_000, 100_000]) }
        : {}),
    };
  },
  change: (members) => encodeChange({ voters: members, only: true }),
  member: (server, becomes, joint = false) => {
    const role = { voter: 'voters', learner: 'learners', none: 'leaving' }[becomes];
    return encodeChange({ [role]: [server], how: joint ? 'joint' : 'auto' });
  },
  seat: encodeSeat,
  transfer: encodeTransfer,
  byHand: (quorum, n) => ({ quorum: threshold(range(n), quorum) }),
};
