/** Votes for protocols in which members lie: one a sender, and certificates made of them. */
import type { Certificate, ReplicaId, Signed } from './vocabulary.ts';

/** Votes about one thing: one a sender, counted as they come. */
export interface Tally<V> {
  /** The first vote of each member. */
  readonly votes: Map<ReplicaId, V>;
  /** By what they are for, in the order in which they came. */
  readonly matching: Map<string, V[]>;
}

/** No votes yet. */
export const tally = <V>(): Tally<V> => ({ votes: new Map(), matching: new Map() });

/**
 * Adds the vote of a member for `what`. If that member has voted before, nothing is added, and its
 * earlier vote is the answer: two that differ are proof against it.
 */
export function countVote<V extends { readonly from: ReplicaId }>(
  { votes, matching }: Tally<V>,
  vote: V,
  what: string,
): V | undefined {
  const earlier = votes.get(vote.from);
  if (earlier !== undefined) return earlier;
  votes.set(vote.from, vote);
  const same = matching.get(what);
  if (same === undefined) matching.set(what, [vote]);
  else same.push(vote);
  return undefined;
}

/** The votes for `what`. */
export const votesFor = <V>({ matching }: Tally<V>, what: string): readonly V[] =>
  matching.get(what) ?? [];

/** A certificate over `body`, which all of `votes` are for; signers in ascending order. */
export const certify = <M>(body: M, votes: readonly Signed<M>[]): Certificate<M> => ({
  body,
  seals: votes
    .map(({ from, signature }) => ({ from, signature }))
    .sort((one, other) => one.from - other.from),
});
