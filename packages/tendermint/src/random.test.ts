/**
 * Random schedules: everything may happen, agreement holds; then the network heals and all is
 * done.
 */
import { windowBytes } from '@quorumlab/core';
import { chaos, testDigest, treasons, wrongIn } from '@quorumlab/protocol-testing';
import { describe, expect, it } from 'vitest';
import { Network } from '../test/network.ts';
import { tendermint } from './index.ts';
import type { Tendermint } from './state.ts';

const file = 'packages/tendermint/src/random.test.ts';
/**
 * Other seeds, and more: `TENDERMINT_SEED=17 TENDERMINT_SEEDS=1000 vitest run
 * packages/tendermint/src/random.test.ts`.
 */
const firstSeed = Number(process.env.TENDERMINT_SEED ?? 1);
const seeds = Number(process.env.TENDERMINT_SEEDS ?? 12);

const run = (accountable: boolean, kind: string, seed: number) =>
  chaos<Tendermint>(
    (random) =>
      new Network(
        tendermint({
          n: 4,
          accountable,
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

describe.each([
  ['accountable', true],
  ['as published', false],
])('%s', (name, accountable) => {
  it.each(Object.keys(treasons))('agrees and ends well with one liar: %s', (kind) => {
    for (let seed = firstSeed; seed < firstSeed + seeds; seed++) {
      const words = `TENDERMINT_SEED=${seed} TENDERMINT_SEEDS=1 vitest run ${file}`;
      const replay = `${name}, ${kind}: ${words}`;
      let wrong: string | undefined;
      try {
        wrong = wrongIn(run(accountable, kind, seed));
      } catch (error) {
        throw new Error(`it threw; replay ${replay}`, { cause: error });
      }
      expect(wrong, replay).toBeUndefined();
    }
  });
});
