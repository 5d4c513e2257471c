/**
 * Changes of who votes: requests, each alone in its batch, that are executed like any other. The
 * checkpoint with which an epoch ends, signed by its own members, names the members of the next:
 * so whoever knows one epoch believes who follows, and no certificate is of two.
 */
import {
  type AskedChange,
  type Batch,
  type ChangeRules,
  type Configured,
  frozenSet,
  isChange,
  outcomeOf,
  type ReplicaId,
  type Request,
  type Roster,
  range,
  refusalOfMove,
  sameVotes,
  seatedIn,
  type ValidatorSet,
  type Wanted,
} from '@quorumlab/core';
import {
  type Configuration,
  type Epoch,
  encodeConfiguration,
  epochAfter,
  frozen,
  named,
} from './epochs.ts';
import { type Group, refusalOfSize } from './group.ts';
import { leave } from './leave-view.ts';
import type { Handover } from './messages.ts';
import { beginsOf, type Context, epochOf, type Replica } from './state.ts';
import { newestConfiguration } from './watermarks.ts';

/** What a request for a change came to. */
interface Outcome {
  readonly next: Configuration;
  /** Why nobody else votes because of it; absent: its epoch comes. */
  readonly refusal?: string;
}

/**
 * What a change comes to that is executed at `sequence`, where `last` is the configuration before
 * it: a function of the log alone. One that is refused is known too, and cannot be done later.
 */
export function outcomeAt(
  group: Group,
  last: Configuration,
  sequence: number,
  request: Request,
): Outcome {
  const { next: found, refusal } = outcomeOf(
    group,
    rulesOf(group, last, sequence),
    setsOf(last),
    sequence,
    request,
  );
  if (found === undefined || found.asked === null) return { next: last, ...refusedBy(refusal) };
  const asked = [...last.asked, found.asked];
  if (refusal !== undefined) return { next: frozen({ ...last, asked }), ...refusedBy(refusal) };
  const epoch = epochAfter(last, sequence - 1);
  const members = found.validators.map(({ member }) => member);
  const { checkpointEvery, window, rules } = group;
  const isSame = sameVotes(found, votesOf(epoch));
  const after = rules.endsWith(sequence, checkpointEvery, window);
  const next = isSame ? null : { number: epoch.number + 1, after, members };
  return { next: frozen({ ...seatedIn(found), epoch, next, asked }) };
}

const refusedBy = (refusal: string | undefined) => (refusal === undefined ? {} : { refusal });

const votesOf = ({ members }: Epoch): Pick<Wanted, 'validators'> => ({
  validators: members.map((member) => ({ member, weight: 1 })),
});

/** All that was asked for, and the newest members at the end. */
function setsOf({ epoch, next, asked, ...more }: Configuration): readonly ValidatorSet[] {
  const newest = { ...seatedIn(more), ...votesOf(next ?? epoch), since: 1 };
  const of = (by: AskedChange | null): ValidatorSet => frozenSet({ ...newest, asked: by });
  return asked.length === 0 ? [of(null)] : asked.map(of);
}

const rulesOf = (group: Group, { next }: Configuration, sequence: number): ChangeRules => ({
  heightsUntilVote: 0,
  refusalOf(last, wanted) {
    if (next !== null && sequence <= next.after)
      return `the change before it counts behind number ${next.after}; ask again then`;
    const heavy = wanted.validators.find(({ weight }) => weight !== 1);
    if (heavy !== undefined)
      return `replica ${heavy.member} weighs ${heavy.weight}, and in PBFT each has one vote`;
    return refusalOfMove(last, wanted) ?? refusalOfGroup(group, last, wanted);
  },
});

function refusalOfGroup(group: Group, last: Wanted, wanted: Wanted): string | undefined {
  if (sameVotes(last, wanted)) return undefined;
  if (group.isByHand) return 'the size of its quorums was set by hand';
  if (group.mac)
    return (
      'its replicas sign nothing, so nobody could show to those who were away how it changed; ' +
      "make it with authentication: 'signatures'"
    );
  if (group.readOnly)
    return 'its clients were told how many answers make a read, so make it without readOnly';
  if (group.tentative)
    return 'its clients were told how many replies are a quorum, so make it without tentative';
  return group.unsafe ? undefined : refusalOfSize(wanted.validators.length, group.f);
}

/**
 * `batch` is executed at `sequence`: what its changes of the group come to, for whoever asked.
 * Nothing: there are none.
 */
export function configure(
  replica: Replica,
  sequence: number,
  batch: Batch,
  ctx: Context,
): Configured | undefined {
  const { group } = ctx;
  const request = batch.find(({ configuration }) => configuration !== undefined);
  let refusal: string | undefined;
  if (request !== undefined) {
    const outcome =
      batch.length === 1 || !isChange(group, request)
        ? outcomeAt(group, replica.configuration, sequence, request)
        : { refusal: 'the group stays as it is: a change has to be ordered alone' };
    refusal = outcome.refusal;
    if ('next' in outcome) replica.configuration = outcome.next;
    if (refusal === undefined) ctx.line('change');
  }
  const { configuration } = replica;
  if (request === undefined) return undefined;
  const state =
    named(configuration) === null ? new Uint8Array() : encodeConfiguration(configuration);
  return { state, ...refusedBy(refusal) };
}

/**
 * The epoch has ended with a stable checkpoint, and the next one begins as a group does that has
 * never changed its view: with its log empty, so nobody has to be told what was prepared.
 */
export function enterEpoch(replica: Replica, handover: Handover, ctx: Context): void {
  const epoch = beginsOf(handover);
  ctx.line('next-epoch');
  ctx.put('handovers', epoch.number, handover);
  leave(replica, ctx);
  replica.epochs = [...replica.epochs, epoch];
  ctx.save({ view: 0, active: true, viewChange: null, newView: null });
  ctx.drop('prePrepares', { from: 0 });
  ctx.drop('prepared', { from: 0 });
  replica.viewChanges.clear();
  replica.proofs.clear();
  replica.attempts = 0;
  replica.paces.length = 0;
  replica.next = epoch.after + 1;
  for (const waiting of replica.waiting.values()) waiting.ordered = -1;
  const { members } = ctx.group.votersOf(epoch);
  for (const id of replica.heard) if (!members.has(id)) replica.heard.delete(id);
}

interface Company {
  readonly roster: Roster;
  /** All voters and learners. */
  readonly all: readonly ReplicaId[];
}

const companies = new WeakMap<Configuration, Map<number, Company>>();

function companyOf(group: Group, replica: Replica): Company {
  const newest = newestConfiguration(replica) ?? group.first;
  const now = epochOf(replica);
  const known = companies.get(newest) ?? new Map<number, Company>();
  companies.set(newest, known);
  let company = known.get(now.number);
  if (company === undefined) {
    const { epoch, next, seats = [], left = [] } = newest;
    const votes = new Set(now.members);
    for (const each of [epoch, next])
      if (each !== null && each.number > now.number) for (const id of each.members) votes.add(id);
    const listens = [...range(group.n), ...seats.map(({ member }) => member)].filter(
      (id) => !votes.has(id) && !left.includes(id),
    );
    const [voters, learners, all] = [[...votes], listens, [...votes, ...listens]].map((each) =>
      Object.freeze(each.sort((one, two) => one - two)),
    ) as [ReplicaId[], ReplicaId[], ReplicaId[]];
    const settled = now.number >= (next ?? epoch).number;
    company = { roster: Object.freeze({ voters, learners, seats, left, settled }), all };
    known.set(now.number, company);
  }
  return company;
}

/** Who is in the group, for hosts: whoever votes now or in an epoch that is decided is a voter. */
export const roster = (group: Group, replica: Replica): Roster => companyOf(group, replica).roster;

/** Everybody who votes or listens, as far as this replica knows. */
export const acquaintances = (group: Group, replica: Replica): readonly ReplicaId[] =>
  companyOf(group, replica).all;
