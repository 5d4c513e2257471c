import type { Random } from '../src/index.ts';

/** A small seeded stream: who fails names the seed. */
export function randomOf(seed: number): Random {
  let state = (seed * 2_654_435_761) >>> 0;
  return {
    below(limit) {
      state = (Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 1_013_904_223) >>> 0;
      return Math.floor((((state ^ (state >>> 13)) >>> 0) / 2 ** 32) * limit);
    },
  };
}
