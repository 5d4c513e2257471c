/** What Multi-Paxos tells laboratories of itself. */
import {
  type DrawOptions,
  drawBetween,
  drawOne,
  drawTimeout,
  type Entry,
  type EntryOption,
  electionOptions,
  type ReplicaId,
  snapshotOption,
  threshold,
} from '@quorumlab/core';
import { encodeChange, encodeStep } from './configuration.ts';
import { exhibits, flaws, mutants } from './mutants.ts';
import { multiPaxos } from './protocol.ts';
import type { MultiPaxos } from './state.ts';

/** The options that every group has which runs this protocol, whatever its quorums. */
export const options: Readonly<Record<string, EntryOption>> = {
  alpha: {
    kind: 'number',
    usual: '16',
    meaning: 'slots open at a time, and until a change of the group counts',
  },
  pipeline: {
    kind: 'number',
    usual: '4',
    meaning: 'slots that a leader opens for commands at a time',
  },
  ...electionOptions,
  ...snapshotOption,
  keepSlots: { kind: 'number', usual: '1000', meaning: 'slots kept behind a snapshot' },
  maxCommandsPerSlot: {
    kind: 'number',
    usual: '1024',
    meaning: 'commands in one slot, up to 1024',
  },
  reads: {
    kind: ['quorum', 'lease'],
    usual: 'quorum',
    meaning: 'how a leader knows at a read that it still leads: it asks, or trusts clocks',
  },
  clockDrift: {
    kind: 'number',
    usual: '1000',
    meaning: 'with leases: parts in a million by which the rate of a clock may be wrong',
  },
  maxWaiting: { kind: 'number', usual: '65536', meaning: 'commands that wait at a leader' },
};

/** Draws {@link options} for random worlds. */
export const drawn: DrawOptions = (random, network, { narrow }) => {
  const alpha = drawOne(random, narrow ? [1, 2, 3] : [1, 2, 4, 16]);
  return {
    electionTimeout: drawTimeout(random, network),
    alpha,
    pipeline: drawBetween(random, 1, alpha),
    snapshotEvery: drawOne(random, narrow ? [1, 2, 3] : [0, 3, 10, 10_000]),
    keepSlots: drawOne(random, narrow ? [0, 1] : [0, 2, 1000]),
    maxCommandsPerSlot: drawOne(random, narrow ? [1, 2] : [1, 2, 1024]),
    ...(narrow ? { maxWaiting: drawOne(random, [1, 4, 16]) } : {}),
    // The clocks of random worlds run wrong by up to 10,000 ppm.
    ...(random.below(2) === 0
      ? { reads: 'lease', clockDrift: drawOne(random, [10_000, 30_000, 100_000]) }
      : {}),
  };
};

/** Multi-Paxos by name, with its options and wrong variants. */
export const entry: Entry<MultiPaxos> = {
  title: 'Multi-Paxos: a leader, and one phase 1 for the whole log; survives crashes.',
  right: (size) => multiPaxos(size),
  mutants,
  flaws,
  exhibits,
  options,
  small: { snapshotEvery: 2, keepSlots: 0 },
  drawn,
  change: (members) => encodeChange(members),
  member: (server, becomes) => encodeStep({ server, becomes }),
  seat: (server, about) => encodeStep({ server, becomes: 'learner', about }),
  byHand: (quorum) => ({
    quorums: (members: readonly ReplicaId[]) => ({
      phase1: threshold(members, quorum),
      phase2: threshold(members, quorum),
    }),
  }),
};
