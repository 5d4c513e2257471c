/**
 * Random schedules: everything may happen, agreement holds; then the network heals and all is
 * done.
 */
import { windowBytes } from '@quorumlab/core';
import { chaos, testDigest, treasons, wrongIn } from '@quorumlab/protocol-testing';
import { describe, expect, it } from 'vitest';
import { Network } from '../test/network.ts';
import { hotstuff, type RulesName, rulesNames } from './index.ts';
import type { HotStuff } from './state.ts';

const file = 'packages/hotstuff/src/random.test.ts';
/**
 * Other seeds, and more: `HOTSTUFF_SEED=17 HOTSTUFF_SEEDS=1000 vitest run
 * packages/hotstuff/src/random.test.ts`.
 */
const firstSeed = Number(process.env.HOTSTUFF_SEED ?? 1);
const seeds = Number(process.env.HOTSTUFF_SEEDS ?? 7);

const run = (rules: RulesName, kind: string, seed: number) =>
  chaos<HotStuff>(
    (random) =>
      new Network(
        hotstuff({
          n: 4,
          rules,
          checkpointEvery: 4,
          window: 8 + random.below(20),
          maxBatch: 1 + random.below(3),
          // Little room between two checkpoints, or room for all.
          windowBytes: seed % 2 === 0 ? 1000 : windowBytes,
          reign: 4 + random.below(12),
          digest: testDigest,
        }),
      ),
    kind,
    seed,
  );

describe.each(rulesNames)('%s', (rules) => {
  it.each(Object.keys(treasons))('agrees and ends well with one liar: %s', (kind) => {
    for (let seed = firstSeed; seed < firstSeed + seeds; seed++) {
      const replay = `${rules}, ${kind}: HOTSTUFF_SEED=${seed} HOTSTUFF_SEEDS=1 vitest run ${file}`;
      let wrong: string | undefined;
      try {
        wrong = wrongIn(run(rules, kind, seed));
      } catch (error) {
        throw new Error(`it threw; replay ${replay}`, { cause: error });
      }
      expect(wrong, replay).toBeUndefined();
    }
  });
});
