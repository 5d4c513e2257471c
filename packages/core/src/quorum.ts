import { leastCommon, sameMembers, totalOf } from './intersection.ts';
import {
  type Joint,
  type Phases,
  QuorumError,
  type QuorumSystem,
  type Threshold,
  type Weighted,
} from './quorum-system.ts';
import type { ReplicaId } from './vocabulary.ts';

/** The replicas 0 to n-1. */
export const range = (n: number): ReplicaId[] => Array.from({ length: n }, (_, i) => i);

/** Whoever is listed twice would be counted twice, and a quorum would be none. */
function checkMembers(members: Iterable<ReplicaId>): void {
  const seen = new Set<ReplicaId>();
  for (const member of members) {
    if (!(Number.isSafeInteger(member) && member >= 0))
      throw new QuorumError(`${member} is no replica; members are whole numbers from 0`);
    if (seen.has(member))
      throw new QuorumError(`replica ${member} is a member twice; list each one once`);
    seen.add(member);
  }
}

/**
 * Any `size` of `members`. Throws {@link QuorumError} if there are not that many, and for a member
 * that is listed twice or is no whole number from 0.
 */
export function threshold(members: readonly ReplicaId[], size: number): Threshold {
  checkMembers(members);
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
      return leastCommon(this, other);
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
  if (Array.isArray(replicas)) return hasFewOf(known, size, replicas);
  const counted: ReplicaId[] = [];
  for (const replica of replicas) {
    if (known.has(replica) && !counted.includes(replica)) counted.push(replica);
    if (counted.length >= size) return true;
  }
  return false;
}

/** The same of a list, in which a replica counts where it first stands. */
function hasFewOf(
  known: ReadonlySet<ReplicaId>,
  size: number,
  replicas: readonly ReplicaId[],
): boolean {
  let counted = 0;
  for (let i = 0; i < replicas.length && counted < size; i++) {
    const replica = replicas[i] as ReplicaId;
    if (known.has(replica) && replicas.indexOf(replica) === i) counted++;
  }
  return counted >= size;
}

/** More than half: any two share at least one replica. */
export const majority = (n: number): Threshold => threshold(range(n), Math.floor(n / 2) + 1);

/**
 * ⌈(n+f+1)/2⌉: any two share at least f+1 replicas, so at least one that is honest. Written for
 * any n and f; 2f+1 is only the special case n = 3f+1, and unsafe for all others.
 */
export const byzantine = (n: number, f: number): Threshold =>
  threshold(range(n), Math.floor((n + f) / 2) + 1);

/**
 * Why quorums of `quorum` among n, set by hand, do not survive f that lie, in a sentence; null if
 * they do: two of them share an honest replica, and f silent ones leave one. With `unsafe`, only
 * what is no quorum at all is refused, so that one can see the others break.
 */
export function refusalOfQuorum(
  quorum: number,
  n: number,
  f: number,
  unsafe: boolean,
): string | null {
  if (!(Number.isSafeInteger(quorum) && quorum >= 1 && quorum <= n))
    return `a quorum is ${quorum} of ${n}; use an integer from 1 to ${n}`;
  if (unsafe || (2 * quorum - n > f && quorum <= n - f)) return null;
  const why =
    quorum <= n - f
      ? `two of them may share no more than ${Math.max(0, 2 * quorum - n)}, and ${f} may lie`
      : `${n - f} cannot form one while ${f} are silent`;
  return (
    `quorums of ${quorum} of ${n} do not survive ${f} that lie: ${why}. ` +
    'Leave the size to the protocol, or use unsafe: true to see it break'
  );
}

/** f+1: at least one of them is honest. */
export const weak = (n: number, f: number): Threshold => threshold(range(n), f + 1);

/** Members with weights; any set that weighs at least `atLeast`. Integers only. */
export function weighted(weights: ReadonlyMap<ReplicaId, number>, atLeast: number): Weighted {
  checkMembers(weights.keys());
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
      return leastCommon(this, other);
    },
  };
}

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

/**
 * A grid: phase 1 needs one whole row, phase 2 one replica of every row, for example a column; each
 * row meets each of those. Throws {@link QuorumError} for an empty row or a replica that is in two.
 */
export function grid(rows: readonly (readonly ReplicaId[])[]): Phases {
  const members = rows.flat();
  if (rows.length === 0 || rows.some((row) => row.length === 0))
    throw new QuorumError('a grid needs at least one row, and no row may be empty');
  checkMembers(members);
  const system = (
    tolerates: number,
    has: (present: ReadonlySet<ReplicaId>) => boolean,
  ): QuorumSystem & { meets?: QuorumSystem } => ({
    members,
    tolerates,
    has: (replicas) => has(new Set(replicas)),
    overlap(other) {
      return other === this.meets ? 1 : leastCommon(this, other);
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
 * A quorum of `first` and one of `second` at once, as between two memberships (Ongaro's thesis,
 * 4.3). A member of both counts in both.
 */
export function joint(first: QuorumSystem, second: QuorumSystem): Joint {
  return {
    parts: [first, second],
    members: [...new Set([...first.members, ...second.members])],
    // Whoever is gone may all be of the part that bears less.
    tolerates: Math.min(first.tolerates, second.tolerates),
    has(replicas) {
      const present = [...replicas];
      return first.has(present) && second.has(present);
    },
    overlap(other) {
      return leastCommon(this, other);
    },
  };
}
