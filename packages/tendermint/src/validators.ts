/**
 * When a set of validators votes. A change that is decided at height h leads to the set that votes
 * from height h + 2 on, so whoever is at a height knows who votes at it and at the next one. Every
 * statement names the newest set that was decided before its height.
 */
import { type ValidatorSet, validatorsAt } from '@quorumlab/core';

/** How long a set takes from its decision until it votes, in heights. */
export const heightsUntilVote = 2;

/** The newest set that was decided before `height`: what is said there names it. */
export const nameAt = (sets: readonly ValidatorSet[], height: number): number =>
  validatorsAt(sets, height + heightsUntilVote - 1).since;

/** The sets that were decided before `height`. */
export function decidedBefore(
  sets: readonly ValidatorSet[],
  height: number,
): readonly ValidatorSet[] {
  const name = nameAt(sets, height);
  return sets.filter(({ since }) => since <= name);
}
