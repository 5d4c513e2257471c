/** Whether quorums meet, and in how many members: by arithmetic where it can be done. */
import { countedPairs, isThreshold } from './counting.ts';
import { type Phases, QuorumError, type QuorumSystem, type Weighted } from './quorum-system.ts';
import type { ReplicaId } from './vocabulary.ts';

/** Whether both list the same members, in any order. */
export const sameMembers = (first: readonly ReplicaId[], second: readonly ReplicaId[]): boolean =>
  first.length === second.length && first.every((each) => second.includes(each));

/** All weights together. */
export const totalOf = (weights: ReadonlyMap<ReplicaId, number>): number =>
  [...weights.values()].reduce((sum, each) => sum + each, 0);

/**
 * Throws {@link QuorumError} unless every phase 1 quorum meets every phase 2 quorum in at least
 * `faults + 1` members. If two of them share nobody, the error names them.
 */
export function requireOverlap({ phase1, phase2 }: Phases, faults = 0): void {
  const pair = apart(phase1, phase2);
  if (pair !== undefined)
    throw new QuorumError(
      `the phase 1 quorum ${named(pair[0])} and the phase 2 quorum ${named(pair[1])} ` +
        'share nobody; make them larger',
    );
  const common = faults === 0 ? 1 : phase1.overlap(phase2);
  if (common <= faults)
    throw new QuorumError(
      `phase 1 and phase 2 quorums share ${common} replicas, ` +
        `need at least ${faults + 1}; make them larger`,
    );
}

const named = (quorum: readonly ReplicaId[]): string => `{${quorum.join(', ')}}`;

/** Two quorums: one of each of two systems. */
export type Pair = readonly [first: readonly ReplicaId[], second: readonly ReplicaId[]];

/**
 * Two quorums, one of each system, that share nobody; nothing if every two meet. Equal members with
 * sizes or weights are judged by arithmetic, grids by the way they are built, and everything else
 * up to 20 members by trying all sets. Throws {@link QuorumError} where none of these will do.
 */
export function apart(first: QuorumSystem, second: QuorumSystem): Pair | undefined {
  if (first.meets === second) return undefined;
  if (isThreshold(first) && isThreshold(second) && sameMembers(first.members, second.members)) {
    const { members } = first;
    if (first.size + second.size > members.length) return undefined;
    return [members.slice(0, first.size), members.slice(members.length - second.size)];
  }
  if (isWeighted(first) && isWeighted(second) && sameWeights(first.weights, second.weights))
    return apartByWeight(first, second);
  const counted = countedPairs(first, second);
  if (counted === undefined) return apartByTrying(first, second);
  const disjoint = counted.find(({ common }) => common === 0);
  return disjoint && [disjoint.first(), disjoint.second()];
}

const isWeighted = (system: QuorumSystem): system is Weighted => 'weights' in system;

const sameWeights = (
  one: ReadonlyMap<ReplicaId, number>,
  two: ReadonlyMap<ReplicaId, number>,
): boolean => one.size === two.size && [...one].every(([each, weight]) => two.get(each) === weight);

/** A table of all sums of weights is made up to this total. */
const sumsMax = 1_000_000;

/**
 * Two quorums are apart exactly if the members fall into two parts that weigh enough each: if some
 * sum of weights lies between the one bound and the total without the other.
 */
function apartByWeight(first: Weighted, second: Weighted): Pair | undefined {
  const total = totalOf(first.weights);
  const most = total - second.atLeast;
  if (most < first.atLeast) return undefined;
  if (total > sumsMax)
    throw new QuorumError(
      `whether quorums of ${first.atLeast} and ${second.atLeast} of ${total} meet is not decided ` +
        `above a total of ${sumsMax}; divide the weights, or let the two exceed the total`,
    );
  const weights = [...first.weights];
  // By sum: the last member of the first set found that weighs so much.
  const last: (number | undefined)[] = [-1];
  weights.forEach(([, weight], i) => {
    for (let sum = most; sum >= weight; sum--)
      if (last[sum] === undefined && last[sum - weight] !== undefined) last[sum] = i;
  });
  for (let sum = first.atLeast; sum <= most; sum++) {
    if (last[sum] === undefined) continue;
    const part: ReplicaId[] = [];
    for (let rest = sum; rest > 0; ) {
      const [member, weight] = weights[last[rest] as number] as [ReplicaId, number];
      part.push(member);
      rest -= weight;
    }
    return divided(first, second, part);
  }
  return undefined;
}

/** Of `part` and of the others, as few as still make a quorum. */
function divided(first: QuorumSystem, second: QuorumSystem, part: readonly ReplicaId[]): Pair {
  const few = (system: QuorumSystem, from: readonly ReplicaId[]): ReplicaId[] => {
    let kept = [...from].sort((one, two) => one - two);
    for (const each of [...kept].reverse()) {
      const without = kept.filter((other) => other !== each);
      if (system.has(without)) kept = without;
    }
    return kept;
  };
  const others = second.members.filter((each) => !part.includes(each));
  return [few(first, part), few(second, others)];
}

function apartByTrying(first: QuorumSystem, second: QuorumSystem): Pair | undefined {
  const everyone = everyoneIn(first, second);
  for (let set = 0; set < 1 << everyone.length; set++) {
    const part = everyone.filter((_, i) => set & (1 << i));
    if (first.has(part) && second.has(everyone.filter((_, i) => !(set & (1 << i)))))
      return divided(first, second, part);
  }
  return undefined;
}

/**
 * The smallest number of members that two quorums have in common, one of each system: counted where
 * both are made of thresholds, by trying all pairs of minimal quorums elsewhere. Throws
 * {@link QuorumError} where the two have too many members to try.
 */
export function leastCommon(first: QuorumSystem, second: QuorumSystem): number {
  const counted = countedPairs(first, second);
  if (counted === undefined) return overlapByTrying(first, second);
  return counted.reduce((least, { common }) => Math.min(least, common), Number.POSITIVE_INFINITY);
}

/** Any two systems of together up to 20 members: tries all pairs of minimal quorums. */
function overlapByTrying(first: QuorumSystem, second: QuorumSystem): number {
  const everyone = everyoneIn(first, second);
  let least = everyone.length;
  const other = minimal(second, everyone);
  for (const one of minimal(first, everyone))
    for (const two of other) least = Math.min(least, bits(one & two));
  return least;
}

function everyoneIn(first: QuorumSystem, second: QuorumSystem): readonly ReplicaId[] {
  const everyone = [...new Set([...first.members, ...second.members])];
  if (everyone.length > 20)
    throw new QuorumError(`overlap of ${everyone.length} members cannot be tried out; 20 at most`);
  return everyone;
}

const bits = (set: number): number => (set === 0 ? 0 : (set & 1) + bits(set >>> 1));

/** The quorums, as bit sets over `everyone`, that stop being one without any of their members. */
function minimal(system: QuorumSystem, everyone: readonly ReplicaId[]): number[] {
  const has = (set: number): boolean => system.has(everyone.filter((_, i) => set & (1 << i)));
  const sets: number[] = [];
  for (let set = 0; set < 1 << everyone.length; set++) {
    if (!has(set)) continue;
    if (everyone.every((_, i) => !(set & (1 << i)) || !has(set & ~(1 << i)))) sets.push(set);
  }
  return sets;
}
