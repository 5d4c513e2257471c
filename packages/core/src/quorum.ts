import type { ReplicaId } from './protocol.ts';

/**
 * A family of sets of replicas, big enough to decide something. Upward closed: adding a replica
 * to a quorum leaves a quorum.
 */
export interface QuorumSystem {
  readonly members: readonly ReplicaId[];
  /** Do these replicas contain a quorum? Non-members and repetitions count for nothing. */
  has(replicas: Iterable<ReplicaId>): boolean;
  /** Smallest number of members any two quorums, one of each system, have in common. */
  overlap(other: QuorumSystem): number;
  /** How many members may be gone, whichever they are, and the others still hold a quorum. */
  readonly tolerates: number;
  /** A system of which every quorum meets every one of this, by the way both are built. */
  readonly meets?: QuorumSystem;
}

/** A quorum system of all sets of at least `size` members. */
export interface Threshold extends QuorumSystem {
  readonly size: number;
}

/** A quorum system of all sets of members that together weigh at least `atLeast`. */
export interface Weighted extends QuorumSystem {
  readonly weights: ReadonlyMap<ReplicaId, number>;
  readonly atLeast: number;
}

/** Two quorums of two systems do not share enough replicas. */
export class QuorumError extends RangeError {
  override readonly name: string = 'QuorumError';
}

/** The replicas 0 to n-1. */
export const range = (n: number): ReplicaId[] => Array.from({ length: n }, (_, i) => i);

/** Any `size` of `members`. Throws {@link QuorumError} if there are not that many. */
export function threshold(members: readonly ReplicaId[], size: number): Threshold {
  if (!(Number.isInteger(size) && size >= 1 && size <= members.length))
    throw new QuorumError(
      `a quorum of ${size} cannot be formed by ${members.length} members; ` +
        `use 1 to ${members.length}`,
    );
  const known = new Set(members);
  return {
    members,
    size,
    tolerates: members.length - size,
    has(replicas) {
      if (size <= few) return hasFew(known, size, replicas);
      const counted = new Set<ReplicaId>();
      for (const replica of replicas) {
        if (known.has(replica)) counted.add(replica);
        if (counted.size >= size) return true;
      }
      return false;
    },
    overlap(other) {
      if ('size' in other && sameMembers(members, other.members))
        return Math.max(0, size + (other as Threshold).size - members.length);
      return overlapByTrying(this, other);
    },
  };
}

/** Up to this many are looked for one by one: that is faster than a set, and allocates less. */
const few = 8;

function hasFew(
  known: ReadonlySet<ReplicaId>,
  size: number,
  replicas: Iterable<ReplicaId>,
): boolean {
  const counted: ReplicaId[] = [];
  for (const replica of replicas) {
    if (known.has(replica) && !counted.includes(replica)) counted.push(replica);
    if (counted.length >= size) return true;
  }
  return false;
}

const sameMembers = (first: readonly ReplicaId[], second: readonly ReplicaId[]): boolean =>
  first.length === second.length && first.every((each) => second.includes(each));

/** More than half: any two share at least one replica. */
export const majority = (n: number): Threshold => threshold(range(n), Math.floor(n / 2) + 1);

/**
 * ⌈(n+f+1)/2⌉: any two share at least f+1 replicas, so at least one that is honest. Written for
 * any n and f; 2f+1 is only the special case n = 3f+1, and unsafe for all others.
 */
export const byzantine = (n: number, f: number): Threshold =>
  threshold(range(n), Math.floor((n + f) / 2) + 1);

/** f+1: at least one of them is honest. */
export const weak = (n: number, f: number): Threshold => threshold(range(n), f + 1);

/** Members with weights; any set that weighs at least `atLeast`. Integers only. */
export function weighted(weights: ReadonlyMap<ReplicaId, number>, atLeast: number): Weighted {
  for (const [member, weight] of weights)
    if (!(Number.isSafeInteger(weight) && weight >= 0))
      throw new QuorumError(`replica ${member} weighs ${weight}; use an integer of 0 or more`);
  const total = totalOf(weights);
  if (!(Number.isSafeInteger(atLeast) && atLeast >= 1 && atLeast <= total))
    throw new QuorumError(`a quorum of weight ${atLeast} cannot be formed from ${total} in all`);
  return {
    members: [...weights.keys()],
    weights,
    atLeast,
    tolerates: withoutHeaviest(weights, atLeast),
    has(replicas) {
      let sum = 0;
      for (const replica of new Set(replicas)) sum += weights.get(replica) ?? 0;
      return sum >= atLeast;
    },
    overlap(other) {
      return overlapByTrying(this, other);
    },
  };
}

const totalOf = (weights: ReadonlyMap<ReplicaId, number>): number =>
  [...weights.values()].reduce((sum, each) => sum + each, 0);

/** How many of the heaviest may be gone while the rest weighs at least `atLeast`. */
function withoutHeaviest(weights: ReadonlyMap<ReplicaId, number>, atLeast: number): number {
  let rest = totalOf(weights);
  let gone = 0;
  for (const weight of [...weights.values()].sort((one, two) => two - one)) {
    rest -= weight;
    if (rest < atLeast) break;
    gone += 1;
  }
  return gone;
}

/** Flexible Paxos: phase 1 and phase 2 quorums must meet; two phase 2 quorums need not. */
export interface Phases {
  readonly phase1: QuorumSystem;
  readonly phase2: QuorumSystem;
}

/**
 * A grid: phase 1 needs one whole row, phase 2 one replica of every row, for example a column; each
 * row meets each of those. Throws {@link QuorumError} for an empty row or a replica that is in two.
 */
export function grid(rows: readonly (readonly ReplicaId[])[]): Phases {
  const members = rows.flat();
  if (rows.length === 0 || rows.some((row) => row.length === 0))
    throw new QuorumError('a grid needs at least one row, and no row may be empty');
  if (new Set(members).size < members.length)
    throw new QuorumError('a replica is in a grid twice; give each one place');
  const system = (
    tolerates: number,
    has: (present: ReadonlySet<ReplicaId>) => boolean,
  ): QuorumSystem & { meets?: QuorumSystem } => ({
    members,
    tolerates,
    has: (replicas) => has(new Set(replicas)),
    overlap(other) {
      return other === this.meets ? 1 : overlapByTrying(this, other);
    },
  });
  // One gone in each row leaves no whole row; a whole row gone leaves nobody of that row.
  const phase1 = system(rows.length - 1, (present) =>
    rows.some((row) => row.every((each) => present.has(each))),
  );
  const phase2 = system(Math.min(...rows.map((row) => row.length)) - 1, (present) =>
    rows.every((row) => row.some((each) => present.has(each))),
  );
  phase1.meets = phase2;
  phase2.meets = phase1;
  return { phase1, phase2 };
}

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
  return apartByTrying(first, second);
}

const isThreshold = (system: QuorumSystem): system is Threshold => 'size' in system;
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
