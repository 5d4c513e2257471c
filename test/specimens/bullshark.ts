/**
 * What a replica of Bullshark (Spiegelman et al., CCS '22, for partial synchrony) orders by the
 * graph of vertices that it has: four replicas, of which one may lie.
 */

/** What an author says in a round, and on what of the round before it builds. */
export interface Vertex {
  /** As `2.3`, of author 3 in round 2, or with a mark behind it if that author says two things. */
  readonly name: string;
  readonly round: number;
  readonly author: number;
  readonly parents: readonly string[];
}

/** The rules that are easy to get wrong. */
export interface Rules {
  /** How many vertices of the next round must build on an anchor: f+1. */
  readonly votes: number;
  /** Whether earlier anchors that the committed one builds on are ordered before it. */
  readonly walksBack: boolean;
}

/** The rules as they should be for f = 1. */
export const right: Rules = { votes: 2, walksBack: true };

/** Who may be ordered first in an even round. */
const leaderOf = (round: number): number => (round / 2 + 2) % 4;

/**
 * What a vertex needs before anybody builds on it: a quorum of acknowledgements, of which an honest
 * replica gives one for each author and round.
 */
export const isCertified = (acknowledgedBy: readonly number[]): boolean =>
  new Set(acknowledgedBy).size >= 3;

/** The names of vertices in the order in which they are run. */
export function orderOf(vertices: readonly Vertex[], rules: Rules): readonly string[] {
  const known = new Map(vertices.map((each) => [each.name, each]));
  const done = new Set<string>();
  let last = 0;
  for (const anchor of anchorsOf(vertices)) {
    const voters = vertices.filter(
      ({ round, parents }) => round === anchor.round + 1 && parents.includes(anchor.name),
    );
    if (new Set(voters.map(({ author }) => author)).size < rules.votes) continue;
    const path = [anchor];
    for (const earlier of anchorsOf(vertices).reverse()) {
      const isBetween = earlier.round > last && earlier.round < anchor.round;
      const from = path[0] as Vertex;
      if (rules.walksBack && isBetween && historyOf(from, known).includes(earlier))
        path.unshift(earlier);
    }
    last = anchor.round;
    for (const each of path) for (const { name } of historyOf(each, known)) done.add(name);
  }
  return [...done];
}

const anchorsOf = (vertices: readonly Vertex[]): Vertex[] =>
  vertices
    .filter(({ round, author }) => round % 2 === 0 && author === leaderOf(round))
    .sort((one, other) => one.round - other.round);

/** All that a vertex builds on, and itself, by round and author. */
function historyOf(vertex: Vertex, known: ReadonlyMap<string, Vertex>): readonly Vertex[] {
  const all = new Set([vertex]);
  for (const { parents } of all)
    for (const parent of parents) {
      const found = known.get(parent);
      if (found !== undefined) all.add(found);
    }
  return [...all].sort((one, other) => one.round - other.round || one.author - other.author);
}
