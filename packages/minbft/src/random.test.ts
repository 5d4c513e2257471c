/**
 * Random schedules: everything may happen, agreement holds; then the network heals and all is
 * done. Liars who say two things under one number are not among them: the trusted counters of
 * `@quorumlab/harness` are what stops those.
 */
import { chaos, testDigest, wrongIn } from '@quorumlab/protocol-testing';
import { describe, expect, it } from 'vitest';
import { Network } from '../test/network.ts';
import { minbft } from './index.ts';
import type { MinBft } from './state.ts';

const file = 'packages/minbft/src/random.test.ts';
/**
 * Other seeds, and more: `MINBFT_SEED=17 MINBFT_SEEDS=1000 vitest run
 * packages/minbft/src/random.test.ts`.
 */
const firstSeed = Number(process.env.MINBFT_SEED ?? 1);
const seeds = Number(process.env.MINBFT_SEEDS ?? 8);

const run = (kind: string, seed: number) =>
  chaos<MinBft>(
    (random) =>
      new Network(
        minbft({
          n: 3,
          checkpointEvery: 4,
          window: 4 + random.below(20),
          maxBatch: 1 + random.below(3),
          digest: testDigest,
        }),
      ),
    kind,
    seed,
  );

describe('random schedules', () => {
  it.each(['none', 'silent', 'silent to some', 'replaying'])('agree and end well: %s', (kind) => {
    for (let seed = firstSeed; seed < firstSeed + seeds; seed++) {
      const replay = `${kind}: MINBFT_SEED=${seed} MINBFT_SEEDS=1 vitest run ${file}`;
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
