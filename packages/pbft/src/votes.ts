/** Votes: one a member, counted as they come, and who has signed a certificate. */
import {
  type Certificate,
  countVote,
  type Digest,
  type ReplicaId,
  type Signed,
  type Tally,
  votesFor,
} from '@quorumlab/core';
import { type Group, isMember } from './group.ts';
import type { Commit, Prepare } from './messages.ts';
import type { Context } from './state.ts';

/**
 * Adds a vote unless its sender has voted; two different votes of one sender are proof against it.
 */
export function count<V extends Signed<Prepare> | Signed<Commit>>(
  tally: Tally<V>,
  vote: V,
  ctx: Context,
): boolean {
  const earlier = countVote(tally, vote, ctx.group.rules.voteKey(vote.digest));
  if (earlier !== undefined && earlier.digest !== vote.digest) ctx.accuse(earlier, vote);
  return earlier === undefined;
}

/** The votes for `digest`. */
export const votesOf = <V>(group: Group, tally: Tally<V>, digest: Digest): readonly V[] =>
  votesFor(tally, group.rules.voteKey(digest));

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
