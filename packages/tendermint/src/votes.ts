/** What votes weigh, and which certificates are whole. */
import type { Certificate, ReplicaId } from '@quorumlab/core';
import { type Group, isMember } from './group.ts';
import type { Commit, Polka } from './messages.ts';

/** What a member weighs. */
export const weightOf = ({ weights }: Group, member: ReplicaId): number => weights[member] ?? 0;

/** What all who are named weigh; none is named twice. */
export function weigh(group: Group, named: readonly { readonly from: ReplicaId }[]): number {
  let sum = 0;
  for (const { from } of named) sum += weightOf(group, from);
  return sum;
}

/** Whether `certificate` names members of at least `least`, each once. */
export function signedBy(group: Group, { seals }: Certificate<unknown>, least: number): boolean {
  let last = -1;
  for (const { from } of seals) {
    // Signers ascend, so whoever does not is there twice.
    if (from <= last || !isMember(group, from)) return false;
    last = from;
  }
  return weigh(group, seals) >= least;
}

/** Whether `polka` is one: prevotes of a quorum for a value, which may be valid in that round. */
export const isPolka = (group: Group, polka: Polka): boolean =>
  polka.body.value !== null &&
  (polka.body.validRound === null ||
    (group.accountable && polka.body.validRound < polka.body.round)) &&
  signedBy(group, polka, group.quorum);

/** Whether `commit` proves a decision. */
export const isCommit = (group: Group, commit: Commit): boolean =>
  commit.body.value !== null && signedBy(group, commit, group.quorum);
