/** What Streamlet tells laboratories of itself. */
import { drawBetween, drawOne, drawTimeout, type Entry } from '@quorumlab/core';
import type { Options } from './group.ts';
import { exhibits, flaws, mutants } from './mutants.ts';
import { streamlet } from './protocol.ts';
import type { Streamlet } from './state.ts';

/** Streamlet by name, with its options and wrong variants. */
export const entry: Entry<Streamlet> = {
  title: 'Streamlet: one block and one vote an epoch; survives f liars among 3f+1.',
  right: (size: Options) => streamlet(size),
  mutants,
  flaws,
  exhibits,
  options: {
    epochTime: {
      kind: 'number',
      usual: '100ms',
      meaning: 'time of an epoch in which nothing is notarized',
    },
    checkpointEvery: {
      kind: 'number',
      usual: '128',
      meaning: 'K: heights between two checkpoints',
    },
    window: {
      kind: 'number',
      usual: '256',
      meaning: 'final blocks that may follow a checkpoint; 2K unless told',
    },
    windowBytes: {
      kind: 'number',
      usual: '67108864',
      meaning: 'bytes of requests that may follow a checkpoint',
    },
    maxBatch: { kind: 'number', usual: '256', meaning: 'requests in one block' },
  },
  small: { checkpointEvery: 2, window: 4 },
  drawn(random, network, { narrow }) {
    const checkpointEvery = drawOne(random, narrow ? [1, 2] : [1, 3, 10, 128]);
    return {
      epochTime: drawTimeout(random, network),
      checkpointEvery,
      window: checkpointEvery * drawBetween(random, 1, 3),
      maxBatch: drawOne(random, narrow ? [1, 2] : [1, 3, 256]),
    };
  },
  // A block is final after three epochs in a row that go well; with chance leaders that takes many.
  patience: 3,
  byHand: (quorum) => ({ quorum }),
};
