/**
 * Changes of who votes. A block that holds one holds nothing else, so that it shows by itself, with
 * its precommits, which set follows.
 */
import {
  type Batch,
  type ChangeOutcome,
  type ChangeRules,
  type Company,
  type Configured,
  companyOf,
  configuredBy as configuredAfter,
  frozenSet,
  isChangeAlone,
  outcomeOf,
  type ReplicaId,
  type Request,
  type Roster,
  refusalOfMove,
  refusalOfWeights,
  sameVotes,
  type ValidatorSet,
  validatorsAt,
  type Wanted,
} from '@quorumlab/core';
import type { Group } from './group.ts';
import type { Commit } from './messages.ts';
import { refusalOfFaults } from './power.ts';
import type { Context, Replica } from './state.ts';
import { decidedBefore, heightsUntilVote } from './validators.ts';
import type { Knowing } from './votes.ts';

/** What changes of `group` go by. */
const changesOf = (group: Group): ChangeRules => ({
  heightsUntilVote,
  refusalOf: (last, next) => refusalOf(group, last, next),
});

/** What a change comes to that is decided at `height`, where `sets` are those decided before. */
export const outcomeAt = (
  group: Group,
  sets: readonly ValidatorSet[],
  height: number,
  request: Request,
): ChangeOutcome => outcomeOf(group, changesOf(group), sets, height, request);

function refusalOf(group: Group, last: Wanted, wanted: Wanted): string | undefined {
  const refusal = refusalOfWeights(wanted) ?? refusalOfMove(last, wanted);
  if (refusal !== undefined) return refusal;
  if (group.isByHand && !sameVotes(last, wanted)) return 'the size of its quorums was set by hand';
  if (group.unsafe) return undefined;
  const faults = refusalOfFaults(
    wanted.validators.map(({ weight }) => weight),
    group.f,
  );
  if (faults !== undefined) return faults;
  const { matching } = group.powerOf(frozenSet({ ...wanted, since: 1, asked: null }));
  return matching > group.first.matching
    ? `clients believe what ${group.first.matching} members say, and of these ` +
        `${matching - 1} may lie together; let the light ones weigh more`
    : undefined;
}

/** The set to which a decision leads is known from now on, here and by whoever asks. */
export function learnSet(replica: Replica, commit: Commit, batch: Batch, ctx: Context): void {
  const { group } = ctx;
  const { height } = commit.body;
  const { validators: sets } = replica;
  if (!isChangeAlone(group, batch) || !isNewSet(replica, height)) return;
  const { next } = outcomeAt(group, sets, height, batch[0] as Request);
  if (next === undefined) return;
  ctx.line('next-set');
  ctx.put('sets', next.since, next);
  ctx.put('changes', height, { commit, batch });
  replica.validators = [...sets, next];
}

/** Whether a change that is decided at `height` leads to a set that is not known here. */
export const isNewSet = ({ validators: sets }: Knowing, height: number): boolean =>
  height + heightsUntilVote > (sets.at(-1) as ValidatorSet).since;

/** What the requests about the group in `batch` came to; nothing: there are none. */
export const configuredBy = (
  group: Group,
  { validators }: Knowing,
  height: number,
  batch: Batch,
): Configured | undefined =>
  configuredAfter(group, changesOf(group), decidedBefore(validators, height), height, batch);

function companyAt(group: Group, { validators: sets, height }: Replica): Company {
  const now = validatorsAt(sets, height);
  return companyOf(group, sets, now, now === sets.at(-1));
}

/** Who is in the group, for hosts: whoever votes now or from a known height on is a voter. */
export const roster = (group: Group, replica: Replica): Roster => companyAt(group, replica).roster;

/** Everybody who votes or listens, as far as this replica knows. */
export const acquaintances = (group: Group, replica: Replica): readonly ReplicaId[] =>
  companyAt(group, replica).all;

/** Whether a set is decided that does not vote yet: heights go on until it does. */
export const isSetAhead = ({ validators: sets, height }: Replica): boolean =>
  (sets.at(-1) as ValidatorSet).since > height;
