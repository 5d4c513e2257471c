import type { Instant, Slot } from '@quorumlab/core';

/** What a run showed, worst first. Never a boolean: a word says which way something is wrong. */
export const verdictWords = [
  'forked',
  'invalid',
  'stale-read',
  'stalled',
  'inconclusive',
  'ok',
] as const;

/**
 * `forked`: two honest nodes committed different values at one position. `invalid`: something
 * nobody asked for was committed, ran twice, was lost after it was acknowledged, or state machines
 * differ. `stale-read`: a read missed a completed write. `stalled`: no answer within the stated
 * bound after the network healed. `inconclusive`: the budget was spent. `ok`: no violation.
 */
export type VerdictWord = (typeof verdictWords)[number];

/** A property that did not hold, in words. */
export interface Violation {
  readonly word: VerdictWord;
  /** The property's name: 'agreement', 'validity', 'integrity', 'durability', … */
  readonly rule: string;
  /** One sentence with the values involved. */
  readonly sentence: string;
  /** True time in microseconds. */
  readonly at: Instant;
  readonly slot?: Slot;
  /** The honest seats that differ, the earlier one first. */
  readonly seats: readonly number[];
}

/** The worst of several words; `ok` of none. */
export const worst = (words: readonly VerdictWord[]): VerdictWord =>
  verdictWords.find((word) => words.includes(word)) ?? 'ok';

/**
 * The 95 % upper bound, in percent, on the rate of violations when `hits` were seen in `runs`:
 * the rule of three for none, the normal approximation above.
 */
export function upper95(hits: number, runs: number): number {
  if (runs === 0) return 100;
  if (hits === 0) return Math.min(100, 300 / runs);
  const rate = hits / runs;
  return Math.min(100, 100 * (rate + 1.645 * Math.sqrt((rate * (1 - rate)) / runs)));
}
