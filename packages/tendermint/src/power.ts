/** What the validators of a set weigh, and what follows: quorums, and who proposes. */
import {
  maxWeight,
  OptionsError,
  refusalOfQuorum,
  type ValidatorSet,
  wholeOption,
} from '@quorumlab/core';
import { lowest, rotationOf } from './rotation.ts';
import type { Rules } from './rules.ts';

/** What a set comes to. Worked out once for each. */
export interface Power {
  readonly set: ValidatorSet;
  /** By the numbers of members; nothing: it has no vote. */
  readonly weights: ReadonlyMap<number, number>;
  /** What a quorum weighs: two of them share an honest validator. */
  readonly quorum: number;
  /** More than liars weigh: one of so many is honest. */
  readonly weak: number;
  /** So many validators, whichever they are, are no liars alone. */
  readonly matching: number;
  /** Who proposes, turn by turn, from the first height of the set on. */
  readonly rotation: readonly number[];
}

/** What the group was told of its quorums. */
export interface Told {
  /** How many may lie. */
  readonly f: number;
  readonly quorum: number | undefined;
  readonly unsafe: boolean;
}

/** How many of the heaviest weigh less than a third of all. */
export function mostFaults(weights: readonly number[]): number {
  const total = totalOf(weights);
  return mostWithin(ascending(weights).reverse(), Math.floor((total - 1) / 3));
}

/** Why validators of these weights do not survive `f` that lie, in a sentence; if so. */
export function refusalOfFaults(weights: readonly number[], f: number): string | undefined {
  const n = weights.length;
  const total = totalOf(weights);
  const least = heaviestOf(weights, f);
  if (total >= 3 * least + 1) return undefined;
  return isEqual(weights)
    ? `Tendermint needs 3f+1 replicas: ${n} cannot survive ${f} that lie, because two quorums ` +
        'would not be sure to share an honest one. ' +
        `Use n = ${3 * f + 1} or more, or unsafe: true to see it break`
    : `the ${f} heaviest members weigh ${least} of ${total}, which is no less than a third: ` +
        'two quorums would not be sure to share an honest one. Make the others heavier, or ' +
        'use unsafe: true to see it break';
}

/** What `set` comes to. Throws {@link OptionsError} for a quorum by hand that it cannot have. */
export function powerOf(set: ValidatorSet, { f, quorum: byHand, unsafe }: Told, rules: Rules) {
  const told = set.validators.map(({ weight }) => weight);
  const weights = lowest(told);
  const total = totalOf(weights);
  const least = heaviestOf(weights, f);
  // Where weights differ, what liars may weigh is what counts, and not how many they are.
  const faulty = isEqual(weights) ? least : Math.max(least, Math.floor((total - 1) / 3));
  const quorum = byHand ?? rules.quorum(total, faulty);
  const refusal = refusalOfQuorum(quorum, total, faulty, unsafe);
  if (byHand !== undefined && refusal !== null) throw new OptionsError(refusal);
  const power: Power = {
    set,
    weights: new Map(set.validators.map(({ member }, i) => [member, weights[i] as number])),
    quorum,
    weak: faulty + 1,
    matching: mostWithin(ascending(weights), faulty) + 1,
    rotation: rotationOf(weights).map((i) => set.validators[i]?.member as number),
  };
  return power;
}

/** The weights of `count` members in a text: whole numbers of 1 or more, one a member. */
export function weightsIn(text: string | undefined, count: number): readonly number[] {
  if (text === undefined) return Array.from({ length: count }, () => 1);
  const weights = text.split(',').map(Number);
  if (weights.length !== count)
    throw new OptionsError(
      `weights names ${weights.length} members of ${count}; give ${count} numbers, separated ` +
        'by commas',
    );
  for (const weight of weights) wholeOption('a weight', weight, 1, maxWeight);
  const total = totalOf(weights);
  if (total > maxWeight)
    throw new OptionsError(`all members weigh ${total}; make that ${maxWeight} or less`);
  return weights;
}

const totalOf = (weights: readonly number[]): number =>
  weights.reduce((sum, weight) => sum + weight, 0);

const isEqual = (weights: readonly number[]): boolean =>
  weights.every((weight) => weight === weights[0]);

const ascending = (weights: readonly number[]): number[] =>
  [...weights].sort((one, other) => one - other);

/** What the `f` heaviest weigh. */
const heaviestOf = (weights: readonly number[], f: number): number =>
  totalOf(ascending(weights).reverse().slice(0, f));

/** How many of `weights`, from the first on, weigh no more than `most` together. */
function mostWithin(weights: readonly number[], most: number): number {
  let sum = 0;
  let count = 0;
  for (const weight of weights) {
    sum += weight;
    if (sum > most) break;
    count += 1;
  }
  return count;
}
