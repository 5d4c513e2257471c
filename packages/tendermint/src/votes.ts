/** Whose votes count, what they weigh, and which certificates are whole. */
import { type Certificate, type ReplicaId, type ValidatorSet, validatorsAt } from '@quorumlab/core';
import type { Group } from './group.ts';
import type { Commit, Polka } from './messages.ts';
import type { Power } from './power.ts';
import type { Replica } from './state.ts';
import { nameAt } from './validators.ts';

/** What is looked at of a replica: the sets that it knows. */
export type Knowing = Pick<Replica, 'validators'>;

/** What those weigh who vote at `height`. */
export function powerAt(group: Group, { validators }: Knowing, height: number): Power {
  const set = validatorsAt(validators, height);
  const power = group.powerOf(set);
  const weights = group.rules.weights(power.weights, () => earlier(group, validators, set));
  return weights === power.weights ? power : { ...power, weights };
}

const earlier = (group: Group, all: readonly ValidatorSet[], { since }: ValidatorSet) =>
  all.filter((each) => each.since < since).map((each) => group.powerOf(each).weights);

/** What a member weighs. */
export const weightOf = ({ weights }: Power, member: ReplicaId): number => weights.get(member) ?? 0;

/** Whether a member votes at `height`. */
export const votesAt = (group: Group, replica: Knowing, height: number, member: ReplicaId) =>
  weightOf(powerAt(group, replica, height), member) > 0;

/** What all who are named weigh; none is named twice. */
export function weigh(power: Power, named: readonly { readonly from: ReplicaId }[]): number {
  let sum = 0;
  for (const { from } of named) sum += weightOf(power, from);
  return sum;
}

/**
 * By whom a statement about `height` that names `set` is judged; nothing: that is not the newest
 * set that was decided before, as far as this replica knows. What a quorum has signed that names
 * the newest set which this replica knows is true for heights ahead of it too: an honest member is
 * among them, and names no set once it knows of a newer one.
 */
export const judgesOf = (
  group: Group,
  replica: Knowing,
  height: number,
  set: number,
): Power | undefined =>
  nameAt(replica.validators, height) === set ? powerAt(group, replica, height) : undefined;

/** Whether `certificate` names members of at least `least`, each once, and nobody else. */
export function signedBy(power: Power, { seals }: Certificate<unknown>, least: number): boolean {
  let last = -1;
  let sum = 0;
  for (const { from } of seals) {
    const weight = weightOf(power, from);
    // Signers ascend, so whoever does not is there twice.
    if (from <= last || weight === 0) return false;
    last = from;
    sum += weight;
  }
  return sum >= least;
}

/** Whether `polka` is one: prevotes of a quorum for a value, which may be valid in that round. */
export function isPolka(group: Group, replica: Knowing, polka: Polka): boolean {
  const { height, round, set, value, validRound } = polka.body;
  if (value === null) return false;
  if (validRound !== null && !(group.accountable && validRound < round)) return false;
  const power = judgesOf(group, replica, height, set);
  return power !== undefined && signedBy(power, polka, power.quorum);
}

/** Whether `commit` proves a decision. */
export function isCommit(group: Group, replica: Knowing, commit: Commit): boolean {
  const { height, set, value } = commit.body;
  const power = judgesOf(group, replica, height, set);
  return value !== null && power !== undefined && signedBy(power, commit, power.quorum);
}
