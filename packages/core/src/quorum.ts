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
}

/** A quorum system of all sets of at least `size` members. */
export interface Threshold extends QuorumSystem {
  readonly size: number;
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
export function weighted(weights: ReadonlyMap<ReplicaId, number>, atLeast: number): QuorumSystem {
  const total = [...weights.values()].reduce((sum, each) => sum + each, 0);
  if (!(atLeast >= 1 && atLeast <= total))
    throw new QuorumError(`a quorum of weight ${atLeast} cannot be formed from ${total} in all`);
  return {
    members: [...weights.keys()],
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

/** Flexible Paxos: phase 1 and phase 2 quorums must meet; two phase 2 quorums need not. */
export interface Phases {
  readonly phase1: QuorumSystem;
  readonly phase2: QuorumSystem;
}

/**
 * A grid: phase 1 needs one whole row, phase 2 one replica of every row; each row meets each
 * column.
 */
export function grid(rows: readonly (readonly ReplicaId[])[]): Phases {
  const members = rows.flat();
  if (rows.length === 0 || rows.some((row) => row.length === 0))
    throw new QuorumError('a grid needs at least one row, and no row may be empty');
  const system = (has: (present: ReadonlySet<ReplicaId>) => boolean): QuorumSystem => ({
    members,
    has: (replicas) => has(new Set(replicas)),
    overlap(other) {
      return overlapByTrying(this, other);
    },
  });
  return {
    phase1: system((present) => rows.some((row) => row.every((each) => present.has(each)))),
    phase2: system((present) => rows.every((row) => row.some((each) => present.has(each)))),
  };
}

/**
 * Throws {@link QuorumError} unless every phase 1 quorum meets every phase 2 quorum in at least
 * `faults + 1` members.
 */
export function requireOverlap({ phase1, phase2 }: Phases, faults = 0): void {
  const common = phase1.overlap(phase2);
  if (common <= faults)
    throw new QuorumError(
      `phase 1 and phase 2 quorums share ${common} replicas, ` +
        `need at least ${faults + 1}; make them larger`,
    );
}

/** Any two systems of together up to 20 members: tries all pairs of minimal quorums. */
function overlapByTrying(first: QuorumSystem, second: QuorumSystem): number {
  const everyone = [...new Set([...first.members, ...second.members])];
  if (everyone.length > 20)
    throw new QuorumError(`overlap of ${everyone.length} members cannot be tried out; 20 at most`);
  let least = everyone.length;
  const other = minimal(second, everyone);
  for (const one of minimal(first, everyone))
    for (const two of other) least = Math.min(least, bits(one & two));
  return least;
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
