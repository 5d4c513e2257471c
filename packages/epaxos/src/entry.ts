/** What EPaxos* tells laboratories of itself. */
import {
  type DrawOptions,
  drawOne,
  drawTimeout,
  type Entry,
  type EntryOption,
} from '@quorumlab/core';
import { exhibits, flaws, mutants } from './mutants.ts';
import { epaxos } from './protocol.ts';
import type { Epaxos } from './state.ts';

const options: Readonly<Record<string, EntryOption>> = {
  e: {
    kind: 'number',
    meaning: 'crashes that leave the fast path open, at most f; as many as n allows unless told',
  },
  recoveryTimeout: {
    kind: 'number',
    usual: '300ms',
    meaning: 'time without news until an instance is asked for, and then recovered',
  },
  fastPathWait: {
    kind: 'number',
    usual: '10ms',
    meaning: 'time to wait for the fast path; a thirtieth of recoveryTimeout unless told',
  },
  snapshotEvery: {
    kind: 'number',
    usual: '1000',
    meaning: 'instances between two checkpoints, with a snapshot each',
  },
  pipeline: {
    kind: 'number',
    usual: '8',
    meaning: 'own instances not executed yet that a replica has open, up to 64',
  },
  maxCommandsPerInstance: {
    kind: 'number',
    usual: '1024',
    meaning: 'commands in one instance, up to 1024',
  },
  maxWaiting: { kind: 'number', usual: '65536', meaning: 'commands that wait at a replica' },
};

/** Draws the options for random worlds. */
const drawn: DrawOptions = (random, network, { f, narrow }) => ({
  recoveryTimeout: drawTimeout(random, network),
  ...(f > 0 && random.below(4) === 0 ? { e: f - 1 } : {}),
  snapshotEvery: drawOne(random, narrow ? [1, 2, 3] : [3, 10, 1000]),
  pipeline: drawOne(random, narrow ? [1, 2] : [1, 4, 8]),
  maxCommandsPerInstance: drawOne(random, narrow ? [1, 2] : [1, 2, 1024]),
  ...(narrow ? { maxWaiting: drawOne(random, [1, 4, 16]) } : {}),
});

/** EPaxos* by name, with its options and wrong variants. */
export const entry: Entry<Epaxos> = {
  title: 'EPaxos*: no leader, order only for what interferes; survives crashes.',
  right: (size) => epaxos(size),
  mutants,
  flaws,
  exhibits,
  options,
  small: { snapshotEvery: 2 },
  drawn,
  commits: (message) => (message.kind === 'commit' ? message.value.commands : []),
};
