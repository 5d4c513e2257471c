/**
 * Who votes, and what changes of that come to. A block that holds a change holds nothing else; what
 * happens when one is committed is in `epochs.ts`.
 */
import {
  type Batch,
  type ChangeOutcome,
  type ChangeRules,
  type Company,
  type Configured,
  companyOf,
  configuredBy as configuredAfter,
  isChangeAlone,
  outcomeOf,
  type PrincipalId,
  type Request,
  type Roster,
  refusalOfMove,
  sameVotes,
  type ValidatorSet,
  validatorsAt,
  type Wanted,
} from '@quorumlab/core';
import type { Node } from './blocks.ts';
import type { Group, Voters } from './group.ts';
import { type Block, maxBehind } from './messages.ts';
import type { Replica } from './state.ts';
import { parentOf } from './tree.ts';

/** What is looked at of a replica: the sets that it knows. */
export type Knowing = Pick<Replica, 'validators'>;

/** What changes of `group` go by: a set votes from the block behind that of its change on. */
const changesOf = (group: Group): ChangeRules => ({
  heightsUntilVote: 1,
  refusalOf: (last, next) => refusalOf(group, last, next),
});

/** What a change comes to that is committed at `height`, where `sets` are those before. */
export const outcomeAt = (
  group: Group,
  sets: readonly ValidatorSet[],
  height: number,
  request: Request,
): ChangeOutcome => outcomeOf(group, changesOf(group), sets, height, request);

function refusalOf(group: Group, last: Wanted, wanted: Wanted): string | undefined {
  const heavy = wanted.validators.find(({ weight }) => weight !== 1);
  if (heavy !== undefined)
    return `replica ${heavy.member} weighs ${heavy.weight}; here each validator weighs 1`;
  if (group.isByHand && !sameVotes(last, wanted)) return 'the size of its quorums was set by hand';
  return refusalOfMove(last, wanted) ?? group.refusalOfSize(wanted.validators.length);
}

/** What the requests about the group in `batch` came to; nothing: there are none. */
export function configuredBy(
  group: Group,
  { validators }: Knowing,
  height: number,
  batch: Batch,
): Configured | undefined {
  if (batch.every(({ configuration }) => configuration === undefined)) return undefined;
  const before = validators.filter(({ since }) => since <= height);
  return configuredAfter(group, changesOf(group), before, height, batch);
}

/** The set to which `block`, committed in this epoch, leads; nothing: it does not end the epoch. */
export function nextAfter(
  group: Group,
  { validators, voters }: Knowing & Pick<Replica, 'voters'>,
  { set, height, batch }: Block,
): ValidatorSet | undefined {
  if (set !== voters.set || !isChangeAlone(group, batch)) return undefined;
  return outcomeAt(group, validators, height, batch[0] as Request).next;
}

/** Whether nothing but empty blocks may follow `parent`: its branch holds a change already. */
export function isClosed(group: Group, replica: Replica, parent: Node): boolean {
  return closedBy(group, replica, parent) !== undefined;
}

/** The block that ends this epoch, or will, on the branch of `parent`. */
function closedBy(group: Group, replica: Replica, parent: Node): Node | undefined {
  let node: Node | undefined = parent;
  while (node !== undefined && node.height > replica.committed.height) {
    if (node.block !== null && nextAfter(group, replica, node.block) !== undefined) return node;
    node = parentOf(replica, node);
  }
  return undefined;
}

/** Whether `block` may follow `parent`: changes are alone, and behind one blocks are empty. */
export function isInPlace(group: Group, replica: Replica, block: Block, parent: Node): boolean {
  const last = closedBy(group, replica, parent);
  return (
    last === undefined || (block.batch.length === 0 && block.height <= last.height + maxBehind)
  );
}

/** Who votes by the set that has this name; nothing: this replica does not know it. */
export function votersNamed(group: Group, replica: Replica, set: number): Voters | undefined {
  if (set === replica.voters.set) return replica.voters;
  const { validators: sets } = replica;
  const found = sets.findIndex(({ since }) => since === set);
  return found < 0
    ? undefined
    : group.votersOf(sets[found] as ValidatorSet, () => sets.slice(0, found));
}

/** Who votes at `height`, if that is the set with this name as far as this replica knows. */
export const judgesOf = (
  group: Group,
  replica: Replica,
  height: number,
  set: number,
): Voters | undefined =>
  nameAt(replica, height) === set ? votersNamed(group, replica, set) : undefined;

/** The set that votes at `height`, by its name. */
export const nameAt = ({ validators }: Knowing, height: number): number =>
  validatorsAt(validators, height).since;

/** Whether the votes of `member` count in this epoch. */
export const isVoter = ({ voters }: Pick<Replica, 'voters'>, member: PrincipalId): boolean =>
  voters.counted.includes(member);

function companyIn(group: Group, { validators: sets, committed, base }: Replica): Company {
  // Once a quorum of an epoch has committed a block of it, those of the one before are not needed.
  const settled = sets.length === 1 || committed.height > base.height;
  return companyOf(group, sets, sets.at(-1) as ValidatorSet, settled);
}

/** Who is in the group, for hosts. */
export const roster = (group: Group, replica: Replica): Roster => companyIn(group, replica).roster;

/** Everybody who votes or listens, as far as this replica knows. */
export const acquaintances = (group: Group, replica: Replica): Company['all'] =>
  companyIn(group, replica).all;
