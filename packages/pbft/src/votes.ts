/** Votes: one a member, counted as they come, and certificates made of them. */
import type { Certificate, Digest, ReplicaId, Signed } from '@quorumlab/core';
import { type Group, isMember } from './group.ts';
import type { Commit, Prepare } from './messages.ts';
import type { Context, Tally } from './state.ts';

/**
 * Adds a vote unless its sender has voted; two different votes of one sender are proof against it.
 */
export function count<V extends Signed<Prepare> | Signed<Commit>>(
  group: Group,
  tally: Tally<V>,
  vote: V,
  ctx: Context,
): boolean {
  const earlier = tally.votes.get(vote.from);
  if (earlier !== undefined) {
    if (earlier.digest !== vote.digest) ctx.accuse(earlier, vote);
    return false;
  }
  tally.votes.set(vote.from, vote);
  const key = group.rules.voteKey(vote.digest);
  const same = tally.matching.get(key);
  if (same === undefined) tally.matching.set(key, [vote]);
  else same.push(vote);
  return true;
}

/** The votes for `digest`. */
export const votesFor = <V>(group: Group, tally: Tally<V>, digest: Digest): readonly V[] =>
  tally.matching.get(group.rules.voteKey(digest)) ?? [];

/** A certificate over `body` from votes for it. */
export const certify = <M>(body: M, votes: readonly Signed<M>[]): Certificate<M> => ({
  body,
  seals: votes
    .map(({ from, signature }) => ({ from, signature }))
    .sort((one, other) => one.from - other.from),
});

/** Whether `certificate` names at least `least` distinct members, none of them `without`. */
export function signedBy(
  group: Group,
  certificate: Certificate<unknown>,
  least: number,
  without: ReplicaId | null = null,
): boolean {
  const signers = new Set<ReplicaId>();
  for (const { from } of certificate.seals)
    if (isMember(group, from) && from !== without) signers.add(from);
  return signers.size >= least && signers.size === certificate.seals.length;
}
