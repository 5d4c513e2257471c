import type { Random } from '@quorumlab/core';

/** A small seeded generator (xorshift), so that a schedule is replayed by its seed. */
export function random(seed: number): Random {
  let state = (Math.imul(seed + 1, 0x9e3779b1) | 1) >>> 0;
  return {
    below(limit) {
      state ^= state << 13;
      state ^= state >>> 17;
      state ^= state << 5;
      state >>>= 0;
      return state % limit;
    },
  };
}
