import { expect, test } from 'vitest';
import { fuzzStack } from './stack/run.ts';

const isLong = process.env.QUORUMLAB_LONG_TESTS === '1';
const seed = Number(process.env.FUZZ_SEED ?? (Date.now() % 1_000_000) + 1);

/** 20,000 in all; where nothing is signed a frame costs the least and gets the deepest. */
const shares = isLong
  ? {
      raft: 300_000,
      'multi-paxos': 200_000,
      'basic-paxos': 100_000,
      'flexible-paxos': 100_000,
      pbft: 150_000,
      hotstuff: 150_000,
      tendermint: 150_000,
      streamlet: 150_000,
      minbft: 150_000,
    }
  : { raft: 17_500, pbft: 2_500 };

test.concurrent.each(Object.entries(shares))(
  '%s: %i inputs from the socket up end no process, and honest requests are answered',
  {
    timeout: isLong ? 3_600_000 : 240_000,
  },
  async (protocol, inputs) => {
    const found = await fuzzStack({ protocol, inputs, seed });
    expect(found.inputs).toBeGreaterThanOrEqual(inputs);
    expect(found.framesIn).toBeGreaterThan(inputs / 2);
    // What peers made it hold is bounded, and the bounds are a small part of this.
    expect(found.grown).toBeLessThan(64 * 2 ** 20);
    // A lie may stop a replica where members are trusted, and then it says whose it was.
    for (const why of found.stopped) expect(why).toContain('of principal');
    if (['pbft', 'hotstuff', 'tendermint', 'streamlet', 'minbft'].includes(protocol))
      expect(found.stopped).toEqual([]);
  },
);
