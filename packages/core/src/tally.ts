/** Votes for protocols in which members lie: one a sender, and certificates made of them. */
import type { Certificate, ReplicaId, Seal, Signed } from './vocabulary.ts';

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
export function certify<M>(body: M, votes: readonly Signed<M>[]): Certificate<M> {
  const seals: Seal[] = [];
  for (let i = 0; i < votes.length; i++) {
    const { from, signature } = votes[i] as Signed<M>;
    seals.push({ from, signature });
    if (votes.length <= few) sinkLast(seals);
  }
  if (votes.length > few) seals.sort((one, other) => one.from - other.from);
  return { body, seals };
}

/** Up to so many seals are put in order as they come: sorting them takes several times that. */
const few = 16;

/** Puts the last seal behind the last one that is not of a later signer. */
function sinkLast(seals: Seal[]): void {
  const last = seals[seals.length - 1] as Seal;
  let at = seals.length - 1;
  for (; at > 0 && (seals[at - 1] as Seal).from > last.from; at--)
    seals[at] = seals[at - 1] as Seal;
  seals[at] = last;
}
