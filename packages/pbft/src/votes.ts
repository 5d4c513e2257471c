/** Votes: one a member, counted as they come, whose they are, and who has signed a certificate. */
import {
  type Certificate,
  certify,
  countVote,
  type Digest,
  type PrincipalId,
  type ReplicaId,
  type Signed,
  type Tally,
  votesFor,
} from '@quorumlab/core';
import type { Epoch } from './epochs.ts';
import type { Group } from './group.ts';
import type { Commit, Message, Prepare } from './messages.ts';
import { type Context, epochOf, type Volatile } from './state.ts';

/** What is looked at of a replica: the epochs that it knows. */
export type Knowing = Pick<Volatile, 'epochs'>;

/** The primary of `view` in the epoch in force: p = v mod |R|. */
export function primaryOf(replica: Knowing, view: number): ReplicaId {
  const { members } = epochOf(replica);
  return members[view % members.length] as ReplicaId;
}

/** How many are a quorum in the epoch in force. */
export const quorumOf = (group: Group, replica: Knowing): number =>
  group.votersOf(epochOf(replica)).quorum;

/** Whether `from` votes in the epoch in force, or in another that is known. */
export function isVoter(
  group: Group,
  { epochs }: Knowing,
  from: PrincipalId,
  epoch: Epoch = epochs.at(-1) as Epoch,
): boolean {
  if (group.votersOf(epoch).members.has(from)) return true;
  return (
    group.rules.countsFormer &&
    epochs.some((each) => each.number < epoch.number && group.votersOf(each).members.has(from))
  );
}

/** The epoch that votes about `sequence`, as far as this replica knows. */
function epochAt({ epochs }: Knowing, sequence: number): Epoch {
  let last = epochs.length - 1;
  while (last > 0 && (epochs[last] as Epoch).after >= sequence) last -= 1;
  return epochs[last] as Epoch;
}

/** Whether a quorum of the epoch that votes about `sequence`, and that it names, has signed. */
export function signedByQuorum(
  group: Group,
  replica: Knowing,
  certificate: Certificate<{ readonly epoch: number; readonly sequence: number }>,
): boolean {
  const { epoch, sequence } = certificate.body;
  const named = epochAt(replica, sequence);
  return (
    named.number === epoch &&
    signedBy(group, replica, certificate, group.votersOf(named).quorum, { epoch: named })
  );
}

/**
 * Adds a vote unless its sender has voted; two different votes of one sender are proof against it.
 */
export function count<V extends Signed<Prepare> | Signed<Commit>>(
  tally: Tally<V>,
  vote: V,
  ctx: Context,
): boolean {
  const earlier = countVote(tally, vote, ctx.group.rules.voteKey(vote.digest));
  if (earlier !== undefined && earlier.digest !== vote.digest) accuse(earlier, vote, ctx);
  return earlier === undefined;
}

/** Two statements that one member should never both have made; with MACs they prove nothing. */
export function accuse(first: Signed<Message>, second: Signed<Message>, ctx: Context): void {
  if (!ctx.group.mac) ctx.accuse(first, second);
}

/** What `votes` make of `body`: with MACs nobody else could check them, so they are not kept. */
export const certified = <M>(
  { mac }: Group,
  body: M,
  votes: readonly Signed<M>[],
): Certificate<M> => (mac ? { body, seals: [] } : certify(body, votes));

/** The votes for `digest`. */
export const votesOf = <V>(group: Group, tally: Tally<V>, digest: Digest): readonly V[] =>
  votesFor(tally, group.rules.voteKey(digest));

/** Of whom a certificate is to be, and of whom not. */
interface Signers {
  readonly epoch?: Epoch;
  readonly without?: ReplicaId;
}

/** Whether `certificate` names at least `least` distinct voters, none of them `without`. */
export function signedBy(
  group: Group,
  replica: Knowing,
  certificate: Certificate<unknown>,
  least: number,
  { epoch = epochOf(replica), without }: Signers = {},
): boolean {
  const signers = new Set<ReplicaId>();
  for (const { from } of certificate.seals)
    if (from !== without && isVoter(group, replica, from, epoch)) signers.add(from);
  return signers.size >= least && signers.size === certificate.seals.length;
}
