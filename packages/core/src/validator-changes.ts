/**
 * Changes of validators, by requests that the log decides. A block that holds one holds nothing
 * else, so that it shows by itself, with its certificate, which set follows. What is refused is
 * decided too: whoever asked hears why, and the next set is the same one again, so that nobody can
 * have that request decided another way.
 */
import { SchemaError } from './bytes.ts';
import type { Batch } from './mempool.ts';
import { OptionsError } from './options-error.ts';
import { range } from './quorum.ts';
import type { Request } from './request.ts';
import { refusalOfSeat, type Seated, seatedIn, withSeat } from './roster.ts';
import {
  decodeValidatorChange,
  frozenSet,
  maxSets,
  maxWeight,
  type Validator,
  type ValidatorSet,
  type ValidatorStep,
  weighsWrong,
} from './validators.ts';
import type { PrincipalId, ReplicaId } from './vocabulary.ts';

/** Who is in a set, and who came and left. */
export type Wanted = Pick<ValidatorSet, 'validators'> & Seated;

/** What a protocol whose validators change tells of its group. */
export interface ChangingGroup {
  /** How many members were made with the group. */
  readonly n: number;
  /** All numbers that members have, or may have once they come. */
  readonly members: readonly ReplicaId[];
  /** Whether a client may change the group. */
  isOperator(client: PrincipalId): boolean;
}

/** What a protocol goes by when its validators change. */
export interface ChangeRules {
  /** How long a set takes from its decision until it votes, in heights. */
  readonly heightsUntilVote: number;
  /** Why the protocol cannot have `next` after `last`, in a sentence; nothing if it can. */
  refusalOf(last: Wanted, next: Wanted): string | undefined;
}

/** Whether a request asks for a change of the group that its client may ask for. */
export const isChange = (
  group: Pick<ChangingGroup, 'isOperator'>,
  { client, configuration }: Request,
): boolean => configuration !== undefined && group.isOperator(client);

/** Whether `batch` is a change and nothing else. */
export const isChangeAlone = (group: Pick<ChangingGroup, 'isOperator'>, batch: Batch): boolean =>
  batch.length === 1 && isChange(group, batch[0] as Request);

/** Whether changes in `batch` stand as they may: each alone. */
export const isUnmixed = (group: Pick<ChangingGroup, 'isOperator'>, batch: Batch): boolean =>
  batch.length <= 1 || !batch.some((each) => isChange(group, each));

/** What a request for a change came to. */
export interface ChangeOutcome {
  /** The set that follows; absent: it is none that is decided anew. */
  readonly next?: ValidatorSet;
  /** Why nothing is changed; absent: it is. */
  readonly refusal?: string;
}

/**
 * What a change comes to that is decided at `height`, where `sets` are those decided before. A
 * function of the log alone, so all replicas agree, and so does whoever is shown the chain of sets.
 */
export function outcomeOf(
  group: ChangingGroup,
  rules: ChangeRules,
  sets: readonly ValidatorSet[],
  height: number,
  request: Request,
): ChangeOutcome {
  const refused = (why: string): ChangeOutcome => ({
    refusal: `the group stays as it is: ${why}`,
  });
  const { client, session = 0, sequence, configuration = new Uint8Array() } = request;
  if (!group.isOperator(client))
    return refused(`client ${client} is none of its operators; ask as one of them`);
  const last = sets.at(-1) as ValidatorSet;
  const isSame = ({ asked }: ValidatorSet): boolean =>
    asked?.client === client && asked.session === session && asked.sequence === sequence;
  if (sets.some(isSame)) return refused('this was decided before');
  if (sets.length >= maxSets)
    return refused(`it was changed ${maxSets - 1} times; make a cluster anew`);
  const since = height + rules.heightsUntilVote;
  const asked = { client, session, sequence };
  const wanted = wantedBy(group, last, configuration);
  const refusal =
    'refusal' in wanted
      ? wanted.refusal
      : (refusalOfList(group, wanted) ?? rules.refusalOf(last, wanted));
  if (refusal !== undefined)
    return { ...refused(refusal), next: frozenSet({ ...last, since, asked }) };
  return { next: frozenSet({ ...(wanted as Wanted), since, asked }) };
}

function wantedBy(
  group: ChangingGroup,
  last: ValidatorSet,
  bytes: Uint8Array,
): Wanted | { readonly refusal: string } {
  try {
    const change = decodeValidatorChange(bytes);
    return 'server' in change
      ? after(group, last, change)
      : { validators: change, ...seatedIn(last) };
  } catch (error) {
    if (error instanceof SchemaError) return { refusal: 'it cannot be read' };
    throw error;
  }
}

function after(
  { n, members: all }: ChangingGroup,
  last: ValidatorSet,
  { server, becomes, weight, about }: Required<ValidatorStep>,
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

/** Why these are no validators of anybody, if so. */
function refusalOfList({ n }: ChangingGroup, { validators, seats = [] }: Wanted) {
  if (validators.length === 0) return 'a group needs validators';
  const isKnown = (id: ReplicaId): boolean => id < n || seats.some(({ member }) => member === id);
  const stranger = validators.find(({ member }) => !isKnown(member));
  if (stranger !== undefined)
    return `replica ${stranger.member} is not one of the ${n + seats.length} known`;
  return validators.some(({ member }, i) => member <= (validators[i - 1]?.member ?? -1))
    ? 'its validators are not in ascending order'
    : undefined;
}

/** Why these weights are none, if so. */
export function refusalOfWeights({ validators }: Wanted): string | undefined {
  let total = 0;
  for (const { member, weight } of validators) {
    if (!(Number.isInteger(weight) && weight >= 1 && weight <= maxWeight))
      return weighsWrong(member, weight);
    total += weight;
  }
  return total > maxWeight
    ? `all validators weigh ${total}; make that ${maxWeight} or less`
    : undefined;
}

/** Whether the same members vote with the same weights. */
export const sameVotes = (one: Wanted, two: Wanted): boolean =>
  one.validators.length === two.validators.length &&
  one.validators.every(({ member, weight }, i) => {
    const other = two.validators[i];
    return other?.member === member && other.weight === weight;
  });

/**
 * Why the way from one set to the other is too long, if so. No more than a third of the power
 * leaves, and none more than a third comes, at once: so those who know the log weigh more than a
 * third of all in any quorum of the next set.
 */
export function refusalOfMove(last: Wanted, next: Wanted): string | undefined {
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

/** The numbers in a text, separated by commas; -1 for what is none. */
export const numbersIn = (text: string | undefined): readonly number[] | undefined =>
  text?.split(',').map((each) => (/^\s*\d+\s*$/.test(each) ? Number(each) : -1));

/**
 * Who votes at first among `n` replicas, ascending, as a list or a text such as 0,1,2,3; all unless
 * told. Throws {@link OptionsError} for a number that is none of theirs.
 */
export function initialVoters(
  n: number,
  initialMembers: readonly ReplicaId[] | string | undefined,
): readonly ReplicaId[] {
  const told = typeof initialMembers === 'string' ? numbersIn(initialMembers) : initialMembers;
  const members = [...new Set(told ?? range(n))].sort((one, two) => one - two);
  if (members.length === 0 || members.some((each) => !(each >= 0 && each < n)))
    throw new OptionsError(
      `initialMembers is ${`${initialMembers}` || 'empty'}; name at least one of the replicas ` +
        `0 to ${n - 1}, e.g. 0,1,2,3`,
    );
  return members;
}
