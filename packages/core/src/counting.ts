/**
 * Quorums made of thresholds, by how many members of each kind they have. Members that are in the
 * same groups are of one kind: two joint memberships of any size have a handful of kinds.
 */

import type { Joint, QuorumSystem, Threshold } from './quorum-system.ts';
import type { ReplicaId } from './vocabulary.ts';

/** Whether a system is all sets of a size. */
export const isThreshold = (system: QuorumSystem): system is Threshold => 'size' in system;
const isJoint = (system: QuorumSystem): system is Joint => 'parts' in system;

/** Most combinations of counts that are looked at. */
const combinationsMax = 100_000;

/** Members that are in the same groups. */
interface Kind {
  readonly members: readonly ReplicaId[];
  /** Which thresholds they count for. */
  readonly counts: readonly boolean[];
}

/** Two smallest quorums of two systems that share as few members as their counts allow. */
export interface CountedPair {
  readonly common: number;
  first(): readonly ReplicaId[];
  second(): readonly ReplicaId[];
}

/**
 * All pairs of smallest quorums, up to members of one kind in place of each other. Nothing if a
 * system is made of anything but thresholds, or if there are too many combinations.
 */
export function countedPairs(
  first: QuorumSystem,
  second: QuorumSystem,
): readonly CountedPair[] | undefined {
  const one = thresholdsOf(first);
  const two = thresholdsOf(second);
  if (one === undefined || two === undefined) return undefined;
  const kinds = kindsOf([...one, ...two]);
  // How many of the last kind are needed follows from the counts of the others.
  const free = kinds.slice(0, -1);
  const combinations = free.reduce((product, { members }) => product * (members.length + 1), 1);
  if (combinations > combinationsMax) return undefined;
  const ones = smallest(kinds, one, 0);
  const twos = smallest(kinds, two, one.length);
  if (ones.length * twos.length > combinationsMax) return undefined;
  return ones.flatMap((counts) => twos.map((others) => paired(kinds, counts, others)));
}

/** The thresholds that a system asks for at once, if it asks for nothing else. */
function thresholdsOf(system: QuorumSystem): readonly Threshold[] | undefined {
  if (isThreshold(system)) return [system];
  if (!isJoint(system)) return undefined;
  const [first, second] = system.parts.map(thresholdsOf);
  return first && second && [...first, ...second];
}

function kindsOf(thresholds: readonly Threshold[]): readonly Kind[] {
  const everyone = new Set(thresholds.flatMap(({ members }) => members));
  const groups = thresholds.map(({ members }) => new Set(members));
  const kinds = new Map<string, { members: ReplicaId[]; counts: boolean[] }>();
  for (const member of everyone) {
    const counts = groups.map((group) => group.has(member));
    const kind = kinds.get(counts.join()) ?? { members: [], counts };
    kinds.set(counts.join(), kind);
    kind.members.push(member);
  }
  return [...kinds.values()].sort((a, b) => a.members.length - b.members.length);
}

/** The counts by kind of quorums that stop being one without any of their members. */
function smallest(
  kinds: readonly Kind[],
  thresholds: readonly Threshold[],
  from: number,
): readonly (readonly number[])[] {
  const spare = (counts: readonly number[]): readonly number[] =>
    thresholds.map(({ size }, i) =>
      kinds.reduce((sum, { counts: of }, k) => sum + (of[from + i] ? (counts[k] ?? 0) : 0), -size),
    );
  const found: number[][] = [];
  const walk = (counts: number[]): void => {
    const kind = kinds[counts.length] as Kind;
    const left = spare(counts);
    if (counts.length < kinds.length - 1) {
      for (let count = 0; count <= kind.members.length; count++) walk([...counts, count]);
      return;
    }
    const last = Math.max(0, ...left.map((each, i) => (kind.counts[from + i] ? -each : 0)));
    if (last > kind.members.length) return;
    const all = [...counts, last];
    const over = spare(all);
    if (over.some((each) => each < 0)) return;
    const needed = (k: number): boolean =>
      over.some((each, i) => each === 0 && kinds[k]?.counts[from + i] === true);
    if (all.every((count, k) => count === 0 || needed(k))) found.push(all);
  };
  walk([]);
  return found;
}

function paired(
  kinds: readonly Kind[],
  counts: readonly number[],
  others: readonly number[],
): CountedPair {
  const common = kinds.reduce(
    (sum, { members }, k) =>
      sum + Math.max(0, (counts[k] as number) + (others[k] as number) - members.length),
    0,
  );
  return {
    common,
    first: () => kinds.flatMap(({ members }, k) => members.slice(0, counts[k])),
    second: () =>
      kinds.flatMap(({ members }, k) => members.slice(members.length - (others[k] as number))),
  };
}
