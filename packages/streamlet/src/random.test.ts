/**
 * Random schedules: everything may happen, agreement holds; then the network heals and all is
 * done.
 */
import { windowBytes } from '@quorumlab/core';
import { chaos, testDigest, treasons, wrongIn } from '@quorumlab/protocol-testing';
import { describe, expect, it } from 'vitest';
import { Network } from '../test/network.ts';
import { streamlet } from './index.ts';
import type { Streamlet } from './state.ts';

const file = 'packages/streamlet/src/random.test.ts';
/**
 * Other seeds, and more: `STREAMLET_SEED=17 STREAMLET_SEEDS=1000 vitest run
 * packages/streamlet/src/random.test.ts`.
 */
const firstSeed = Number(process.env.STREAMLET_SEED ?? 1);
const seeds = Number(process.env.STREAMLET_SEEDS ?? 8);

const run = (kind: string, seed: number) =>
  chaos<Streamlet>(
    (random) =>
      new Network(
        streamlet({
          n: 4,
          checkpointEvery: 4,
          window: 4 + random.below(20),
          maxBatch: 1 + random.below(3),
          // Little room between two checkpoints, or room for all.
          windowBytes: seed % 2 === 0 ? 1000 : windowBytes,
          digest: testDigest,
        }),
      ),
    kind,
    seed,
  );

describe('random schedules', () => {
  it.each(Object.keys(treasons))('agree and end well with one liar: %s', (kind) => {
    for (let seed = firstSeed; seed < firstSeed + seeds; seed++) {
      const replay = `${kind}: STREAMLET_SEED=${seed} STREAMLET_SEEDS=1 vitest run ${file}`;
      let wrong: string | undefined;
      try {
        wrong = wrongIn(run(kind, seed));
      } catch (error) {
        throw new Error(`it threw; replay ${replay}`, { cause: error });
      }
      expect(wrong, replay).toBeUndefined();
    }
  });
});
