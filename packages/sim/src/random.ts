/** The one decision stream of a run: every choice is a number drawn from it, in a fixed order. */
import type { Random } from '@quorumlab/core';

/** A stream of choices that can be recorded and played again. */
export interface Decisions extends Random {
  /** Choices made so far. */
  readonly count: number;
  /** The choices made so far, if they are recorded; else none. */
  recorded(): number[];
}

/** See {@link decisions}. */
export interface DecisionOptions {
  /** Where the choices come from. A number and its decimal text are the same seed. */
  readonly seed: number | string;
  /**
   * Choices of an earlier run, perhaps edited, to make again instead of drawing. A choice that is
   * out of range is taken modulo the range, a missing one is 0: so any list of numbers is a run.
   */
  readonly replay?: readonly number[];
  /** Whether to remember the choices. Off unless told. */
  readonly record?: boolean;
}

/** Ranges up to here are drawn by one multiplication whose product is exact in 53 bits. */
const smallLimit = 2 ** 21;

/** Opens the decision stream of a run: drawn from a seed, or played from a list. */
export function decisions(options: DecisionOptions): Decisions {
  const draw = options.replay ? player(options.replay) : generator(options.seed);
  const record = options.record ?? false;
  let kept = new Float64Array(record ? 1024 : 0);
  let count = 0;
  return {
    get count() {
      return count;
    },
    below(limit) {
      if (!(limit > 1)) return 0;
      const value = draw(limit);
      if (record) {
        if (count === kept.length) {
          const grown = new Float64Array(kept.length * 2);
          grown.set(kept);
          kept = grown;
        }
        kept[count] = value;
      }
      count++;
      return value;
    },
    recorded: () => (record ? Array.from(kept.subarray(0, count)) : []),
  };
}

function player(list: readonly number[]): (limit: number) => number {
  let next = 0;
  return (limit) => {
    const value = list[next++];
    if (value === undefined || !(Number.isSafeInteger(value) && value > 0)) return 0;
    return value % limit;
  };
}

/**
 * Chris Doty-Humphrey's sfc32: three words and a counter, 32-bit integer arithmetic only, so the
 * same on every engine. Small ranges are uniform to within one part in 2,000, large ones exactly.
 */
function generator(seed: number | string): (limit: number) => number {
  const state = new Int32Array(4);
  spread(String(seed), state);
  const word = (): number => {
    const a = state[0] as number;
    const b = state[1] as number;
    const c = state[2] as number;
    const counter = state[3] as number;
    const sum = (a + b + counter) | 0;
    state[0] = b ^ (b >>> 9);
    state[1] = (c + (c << 3)) | 0;
    state[2] = (((c << 21) | (c >>> 11)) + sum) | 0;
    state[3] = (counter + 1) | 0;
    return sum >>> 0;
  };
  for (let i = 0; i < 12; i++) word();
  return (limit) => {
    // Below 2^31, so cutting off is rounding down, and the result is a small integer.
    if (limit <= smallLimit) return ((word() * limit) / 0x1_0000_0000) | 0;
    // 53 bits; the values above the last full multiple of the range are drawn again.
    const fair = 2 ** 53 - (2 ** 53 % limit);
    for (;;) {
      const value = (word() >>> 11) * 0x1_0000_0000 + word();
      if (value < fair) return value % limit;
    }
  };
}

/** Spreads a text over the generator's words; texts that differ anywhere give unlike words. */
function spread(seed: string, state: Int32Array): void {
  for (let lane = 0; lane < 3; lane++) {
    let hash = (0x9e3779b9 + Math.imul(lane, 0x85ebca6b)) | 0;
    for (let i = 0; i < seed.length; i++) {
      hash = Math.imul(hash ^ seed.charCodeAt(i), 0x01000193);
      hash = (hash << 13) | (hash >>> 19);
    }
    hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
    hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
    state[lane] = hash ^ (hash >>> 16);
  }
  state[3] = 1;
}
