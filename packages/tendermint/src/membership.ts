/**
 * Changes of who votes. A block that holds one holds nothing else, so that it shows by itself, with
 * its precommits, which set follows. What is refused is decided too: whoever asked hears why, and
 * the next set is the same one again, so that nobody can have that request decided another way.
 */
import {
  type Batch,
  type Configured,
  type ReplicaId,
  type Request,
  type Roster,
  range,
  refusalOfSeat,
  SchemaError,
  type Seated,
  seatedIn,
  withSeat,
} from '@quorumlab/core';
import type { Group } from './group.ts';
import type { Commit } from './messages.ts';
import { refusalOfFaults, refusalOfWeights } from './power.ts';
import type { Context, Replica } from './state.ts';
import {
  decidedBefore,
  decodeChange,
  encodeSet,
  frozen,
  heightsUntilVote,
  maxSets,
  type Step,
  setAt,
  type Validator,
  type ValidatorSet,
} from './validators.ts';
import type { Knowing } from './votes.ts';

/** Whether a request asks for a change of the group that its client may ask for. */
export const isChange = (group: Group, { client, configuration }: Request): boolean =>
  configuration !== undefined && group.isOperator(client);

/** Whether `batch` is a change and nothing else. */
export const isChangeAlone = (group: Group, batch: Batch): boolean =>
  batch.length === 1 && isChange(group, batch[0] as Request);

/** Whether changes in `batch` stand as they may: each alone. */
export const isUnmixed = (group: Group, batch: Batch): boolean =>
  batch.length <= 1 || !batch.some((each) => isChange(group, each));

/** What a request for a change came to. */
interface Outcome {
  /** The set that follows; absent: it is none that is decided anew. */
  readonly next?: ValidatorSet;
  /** Why nothing is changed; absent: it is. */
  readonly refusal?: string;
}

/**
 * What a change comes to that is decided at `height`, where `sets` are those decided before. A
 * function of the log alone, so all replicas agree, and so does whoever is shown the chain of sets.
 */
export function outcomeAt(
  group: Group,
  sets: readonly ValidatorSet[],
  height: number,
  request: Request,
): Outcome {
  const refused = (why: string): Outcome => ({ refusal: `the group stays as it is: ${why}` });
  const { client, session = 0, sequence, configuration = new Uint8Array() } = request;
  if (!group.isOperator(client))
    return refused(`client ${client} is none of its operators; ask as one of them`);
  const last = sets.at(-1) as ValidatorSet;
  const isSame = ({ asked }: ValidatorSet): boolean =>
    asked?.client === client && asked.session === session && asked.sequence === sequence;
  if (sets.some(isSame)) return refused('this was decided before');
  if (sets.length >= maxSets)
    return refused(`it was changed ${maxSets - 1} times; make a cluster anew`);
  const since = height + heightsUntilVote;
  const asked = { client, session, sequence };
  const wanted = wantedBy(group, last, configuration);
  const refusal = 'refusal' in wanted ? wanted.refusal : refusalOf(group, last, wanted);
  if (refusal !== undefined)
    return { ...refused(refusal), next: frozen({ ...last, since, asked }) };
  return { next: frozen({ ...(wanted as Wanted), since, asked }) };
}

type Wanted = Pick<ValidatorSet, 'validators'> & Seated;

function wantedBy(
  group: Group,
  last: ValidatorSet,
  bytes: Uint8Array,
): Wanted | { readonly refusal: string } {
  try {
    const change = decodeChange(bytes);
    return 'server' in change
      ? after(group, last, change)
      : { validators: change, ...seatedIn(last) };
  } catch (error) {
    if (error instanceof SchemaError) return { refusal: 'it cannot be read' };
    throw error;
  }
}

function after(
  { n, members: all }: Group,
  last: ValidatorSet,
  { server, becomes, weight, about }: Required<Step>,
): Wanted | { readonly refusal: string } {
  const { seats = [], left = [], validators } = last;
  const refusal = refusalOfSeat({ known: n, room: all.length }, last, server, about);
  if (refusal !== undefined) return { refusal };
  const voter = validators.find(({ member }) => member === server);
  const is = voter !== undefined ? 'voter' : left.includes(server) ? 'none' : 'learner';
  const isNew = server >= n && !seats.some(({ member }) => member === server);
  const isSame = is === becomes && (becomes !== 'voter' || voter?.weight === weight);
  if (isSame && is === 'none') return { refusal: `replica ${server} is not in the group` };
  if (isSame && !isNew) return { refusal: 'the group is that already' };
  const others = validators.filter(({ member }) => member !== server);
  const next: readonly Validator[] =
    becomes === 'voter' ? [...others, { member: server, weight }] : others;
  const stay = left.filter((each) => each !== server);
  return {
    validators: [...next].sort((one, two) => one.member - two.member),
    ...seatedIn({
      seats: about.length > 0 ? withSeat(last, server, about) : seats,
      left: (becomes === 'none' ? [...stay, server] : stay).sort((one, two) => one - two),
    }),
  };
}

function refusalOf(group: Group, last: ValidatorSet, wanted: Wanted): string | undefined {
  const { validators, seats = [] } = wanted;
  if (validators.length === 0) return 'a group needs validators';
  const isKnown = (id: ReplicaId): boolean =>
    id < group.n || seats.some(({ member }) => member === id);
  const stranger = validators.find(({ member }) => !isKnown(member));
  if (stranger !== undefined)
    return `replica ${stranger.member} is not one of the ${group.n + seats.length} known`;
  if (validators.some(({ member }, i) => member <= (validators[i - 1]?.member ?? -1)))
    return 'its validators are not in ascending order';
  const refusal = refusalOfWeights(wanted) ?? refusalOfMove(last, wanted);
  if (refusal !== undefined) return refusal;
  if (group.isByHand && !sameVotes(last, wanted)) return 'the size of its quorums was set by hand';
  if (group.unsafe) return undefined;
  const faults = refusalOfFaults(
    validators.map(({ weight }) => weight),
    group.f,
  );
  if (faults !== undefined) return faults;
  const { matching } = group.powerOf(frozen({ ...wanted, since: 1, asked: null }));
  return matching > group.first.matching
    ? `clients believe what ${group.first.matching} members say, and of these ` +
        `${matching - 1} may lie together; let the light ones weigh more`
    : undefined;
}

const sameVotes = (one: Wanted, two: Wanted): boolean =>
  one.validators.length === two.validators.length &&
  one.validators.every(({ member, weight }, i) => {
    const other = two.validators[i];
    return other?.member === member && other.weight === weight;
  });

/**
 * No more than a third of the power leaves, and none more than a third comes, at once: so those who
 * know the log weigh more than a third of all in any quorum of the next set.
 */
function refusalOfMove(last: Wanted, next: Wanted): string | undefined {
  const [leaves, before] = lostFrom(last, next);
  const [comes, now] = lostFrom(next, last);
  if (3 * leaves > before)
    return (
      `${leaves} of ${before} of the power would leave at once, which is more than a third; ` +
      'make several changes of it, one after the other'
    );
  if (3 * comes > now)
    return (
      `${comes} of ${now} of the power would be new at once, which is more than a third; ` +
      'make several changes of it, one after the other'
    );
  return undefined;
}

/** What members weigh more in `from` than in `to`, and what all weigh in `from`. */
function lostFrom(from: Wanted, to: Wanted): readonly [lost: number, all: number] {
  const kept = new Map(to.validators.map(({ member, weight }) => [member, weight]));
  let lost = 0;
  let all = 0;
  for (const { member, weight } of from.validators) {
    lost += Math.max(0, weight - (kept.get(member) ?? 0));
    all += weight;
  }
  return [lost, all];
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
export function configuredBy(
  group: Group,
  { validators }: Knowing,
  height: number,
  batch: Batch,
): Configured | undefined {
  const request = batch.find(({ configuration }) => configuration !== undefined);
  if (request === undefined) return undefined;
  const before = decidedBefore(validators, height);
  const { next = before.at(-1) as ValidatorSet, refusal } =
    batch.length === 1 || !isChange(group, request)
      ? outcomeAt(group, before, height, request)
      : { refusal: 'the group stays as it is: a change has to be decided alone' };
  return { state: encodeSet(next), ...(refusal === undefined ? {} : { refusal }) };
}

interface Company {
  readonly roster: Roster;
  /** All voters and learners. */
  readonly all: readonly ReplicaId[];
}

const companies = new WeakMap<readonly ValidatorSet[], Map<ValidatorSet, Company>>();

function companyOf(group: Group, { validators: sets, height }: Replica): Company {
  const now = setAt(sets, height);
  const known = companies.get(sets) ?? new Map<ValidatorSet, Company>();
  companies.set(sets, known);
  let company = known.get(now);
  if (company === undefined) {
    const votes = new Set<ReplicaId>();
    for (const { since, validators } of sets)
      if (since >= now.since) for (const { member } of validators) votes.add(member);
    const { seats = [], left = [] } = sets.at(-1) as ValidatorSet;
    const listens = [...range(group.n), ...seats.map(({ member }) => member)].filter(
      (id) => !votes.has(id) && !left.includes(id),
    );
    const [voters, learners, all] = [[...votes], listens, [...votes, ...listens]].map((each) =>
      Object.freeze(each.sort((one, two) => one - two)),
    ) as [ReplicaId[], ReplicaId[], ReplicaId[]];
    const settled = now === sets.at(-1);
    company = { roster: Object.freeze({ voters, learners, seats, left, settled }), all };
    known.set(now, company);
  }
  return company;
}

/** Who is in the group, for hosts: whoever votes now or from a known height on is a voter. */
export const roster = (group: Group, replica: Replica): Roster => companyOf(group, replica).roster;

/** Everybody who votes or listens, as far as this replica knows. */
export const acquaintances = (group: Group, replica: Replica): readonly ReplicaId[] =>
  companyOf(group, replica).all;

/** Whether a set is decided that does not vote yet: heights go on until it does. */
export const isSetAhead = ({ validators: sets, height }: Replica): boolean =>
  (sets.at(-1) as ValidatorSet).since > height;
