/** What Zab tells laboratories of itself. */
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
import { exhibits, flaws, mutants } from './mutants.ts';
import { zab } from './protocol.ts';
import type { Zab } from './state.ts';

/** Zab by name, with its options and wrong variants. */
export const entry: Entry<Zab> = {
  title: 'Zab: ZooKeeper’s broadcast, in primary order; survives crashes, trusts its members.',
  right: (size) => zab(size),
  mutants,
  flaws,
  exhibits,
  options: {
    observers: {
      kind: 'number',
      usual: '0',
      meaning: 'replicas, the last ones, that learn and serve reads and have no vote',
    },
    followerReads: {
      kind: 'boolean',
      usual: 'false',
      meaning: 'linearizable reads at followers and observers too, after a sync with the leader',
    },
    ...electionOptions,
    grace: {
      kind: 'number',
      usual: '30ms',
      meaning: 'time a quorum waits for a better leader; as heartbeat unless told',
    },
    ...snapshotOption,
    keepTransactions: {
      kind: 'number',
      usual: '1000',
      meaning: 'transactions kept behind a snapshot',
    },
    maxPerMessage: {
      kind: 'number',
      usual: '1024',
      meaning: 'transactions in one message, up to 1024',
    },
    maxInFlight: {
      kind: 'number',
      usual: '4',
      meaning: 'unacknowledged messages with transactions per follower',
    },
    maxUncommitted: {
      kind: 'number',
      usual: '65536',
      meaning: 'uncommitted transactions before a leader says no',
    },
  },
  small: { snapshotEvery: 2, keepTransactions: 0 },
  drawn: (random, network, { n, f, narrow }) => ({
    electionTimeout: drawTimeout(random, network),
    snapshotEvery: drawOne(random, narrow ? [1, 2, 3] : [0, 3, 10, 10_000]),
    keepTransactions: drawOne(random, narrow ? [0, 1] : [0, 2, 1000]),
    maxPerMessage: drawOne(random, narrow ? [1, 2] : [1, 2, 1024]),
    maxInFlight: drawBetween(random, 1, narrow ? 2 : 4),
    ...(narrow ? { maxUncommitted: drawOne(random, [1, 4, 16]) } : {}),
    // Whoever is no voter is one more than f crashes ask for.
    ...(n > 2 * f + 1 && random.below(2) === 0 ? { observers: n - 2 * f - 1 } : {}),
    followerReads: random.below(2) === 0,
  }),
  byHand: (quorum, n) => ({ quorum: threshold(range(n), quorum) }),
};
