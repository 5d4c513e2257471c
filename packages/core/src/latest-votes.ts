/**
 * Votes about places in a sequence that has no end, as checkpoints are: of each member the latest
 * few, so that a member fills no more than its share, however far ahead it claims to be.
 */
import type { ReplicaId } from './vocabulary.ts';

/** The latest votes of each member, in ascending order of their places. */
export type LatestVotes<V> = Map<ReplicaId, V[]>;

/**
 * Keeps the vote of a member at `place`, and of that member's votes the `most` latest. If it has
 * voted at that place before, nothing is kept, and its earlier vote is the answer: two that differ
 * are proof against it.
 */
export function keepLatest<V extends { readonly from: ReplicaId }>(
  votes: LatestVotes<V>,
  vote: V,
  placeOf: (vote: V) => number,
  most: number,
): V | undefined {
  const place = placeOf(vote);
  const kept = votes.get(vote.from) ?? [];
  const earlier = kept.find((each) => placeOf(each) === place);
  if (earlier !== undefined) return earlier;
  kept.push(vote);
  kept.sort((one, other) => placeOf(one) - placeOf(other));
  if (kept.length > most) kept.shift();
  votes.set(vote.from, kept);
  return undefined;
}

/** The kept votes that `is` holds of, member by member in the order of their first votes. */
export function latestOf<V>(votes: LatestVotes<V>, is: (vote: V) => boolean): V[] {
  const found: V[] = [];
  for (const kept of votes.values()) for (const each of kept) if (is(each)) found.push(each);
  return found;
}

/** Keeps only what `is` holds of: the rest is decided. A member keeps its turn in the order. */
export function retainLatest<V>(votes: LatestVotes<V>, is: (vote: V) => boolean): void {
  for (const [from, kept] of votes) votes.set(from, kept.filter(is));
}
