/** Random schedules of this package: their groups, their seeds, and how one is replayed. */
import { windowBytes } from '@quorumlab/core';
import { type ByzantineNetwork, chaos, testDigest, wrongIn } from '@quorumlab/protocol-testing';
import { expect } from 'vitest';
import { type PbftOptions, pbft } from '../src/index.ts';
import type { Pbft } from '../src/state.ts';
import { Network } from './network.ts';

/** Which seeds, and the file that tries them. */
export interface Seeds {
  readonly file: string;
  readonly first: number;
  readonly count: number;
}

/** Runs the schedule of `seed` with a liar of this kind, in a group that has `more` options. */
export const run = (
  kind: string,
  seed: number,
  more: Partial<PbftOptions> = {},
): ByzantineNetwork<Pbft> =>
  chaos<Pbft>(
    (random) =>
      new Network(
        pbft({
          n: 4,
          checkpointEvery: 4,
          maxBatch: 1 + random.below(3),
          // Room for two requests between two checkpoints, or for all.
          windowBytes: seed % 2 === 0 ? 500 : windowBytes,
          digest: testDigest,
          ...more,
        }),
      ),
    kind,
    seed,
  );

/**
 * Expects of each seed that agreement holds and all is done. What fails says how to replay it;
 * `see` gets each network at its end, and how it is replayed.
 */
export function expectAgreement(
  { file, first, count }: Seeds,
  kind: string,
  make: (seed: number) => ByzantineNetwork<Pbft>,
  see: (network: ByzantineNetwork<Pbft>, seed: number, replay: string) => void,
): void {
  for (let seed = first; seed < first + count; seed++) {
    const replay = `${kind}: PBFT_SEED=${seed} PBFT_SEEDS=1 vitest run ${file}`;
    let network: ByzantineNetwork<Pbft>;
    try {
      network = make(seed);
    } catch (error) {
      throw new Error(`it threw; replay ${replay}`, { cause: error });
    }
    expect(wrongIn(network), replay).toBeUndefined();
    see(network, seed, replay);
  }
}
