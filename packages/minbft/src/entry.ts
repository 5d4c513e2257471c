/** What MinBFT tells laboratories of itself. */
import { drawBetween, drawOne, drawTimeout, type Entry } from '@quorumlab/core';
import type { Options } from './group.ts';
import { exhibits, flaws, mutants } from './mutants.ts';
import { minbft } from './protocol.ts';
import type { MinBft } from './state.ts';

/** MinBFT by name, with its options and wrong variants. */
export const entry: Entry<MinBft> = {
  title: 'MinBFT: trusted counters, two phases; survives f liars among 2f+1.',
  right: (size: Options) => minbft(size),
  mutants,
  flaws,
  exhibits,
  options: {
    requestTimeout: {
      kind: 'number',
      usual: '1s',
      meaning: 'time a request may wait before the primary is changed',
    },
    checkpointEvery: {
      kind: 'number',
      usual: '64',
      meaning: 'K: batches between two checkpoints',
    },
    window: {
      kind: 'number',
      usual: '128',
      meaning: 'batches that may follow a checkpoint; 2K unless told',
    },
    maxBatch: { kind: 'number', usual: '256', meaning: 'requests in one batch' },
    maxOutstanding: {
      kind: 'number',
      usual: '2',
      meaning: 'batches that are ordered and not yet executed',
    },
  },
  small: { checkpointEvery: 2, window: 4 },
  drawn(random, network, { narrow }) {
    const checkpointEvery = drawOne(random, narrow ? [1, 2] : [1, 3, 10, 64]);
    return {
      requestTimeout: drawTimeout(random, network),
      checkpointEvery,
      window: checkpointEvery * drawBetween(random, 1, 3),
      maxBatch: drawOne(random, narrow ? [1, 2] : [1, 3, 256]),
      maxOutstanding: drawBetween(random, 1, 3),
    };
  },
};
