/**
 * Who votes where members may lie. A set of validators follows from the log, by a change that was
 * decided in it; from which height on it votes is its protocol's choice. Statements name the set
 * that they are of, so each set can be shown to whoever knows the one before it, by the decision
 * that led to it.
 */
import { decode, encode } from './encoding.ts';
import type { Membership } from './entry.ts';
import { aboutField, type Seated, seated, seatedIn } from './roster.ts';
import { checked, type Field, integer, list, nullable, record } from './schema.ts';
import type { ReplicaId } from './vocabulary.ts';

/** One who votes, and what its vote weighs. */
export interface Validator {
  readonly member: ReplicaId;
  /** At least 1; all of a set weigh {@link maxWeight} together at most. */
  readonly weight: number;
}

/** By what a request is known, so that none changes the group twice. */
export interface AskedChange {
  readonly client: number;
  readonly session: number;
  readonly sequence: number;
}

/** Who votes from a height on, until the next set does. */
export interface ValidatorSet extends Seated {
  /** The first height that it decides; by it statements name it. */
  readonly since: number;
  /** Ascending by member. */
  readonly validators: readonly Validator[];
  /** The request that was decided and led to it; null: the group was made with this set. */
  readonly asked: AskedChange | null;
}

/** Most that all validators of a set may weigh: proposers repeat after so many turns. */
export const maxWeight = 100_000;

/** Most members of a group. */
export const membersLimit = 1024;

/** Most sets that a group may have had: each member keeps what leads to each of them. */
export const maxSets = 1024;

const member = integer(membersLimit - 1);
// What is too heavy can be written, so that it is refused with its reason.
const validatorsField: Field<readonly Validator[]> = list(
  record({ member, weight: integer() }),
  membersLimit,
);

/** The encoding of a set. */
export const validatorSet: Field<ValidatorSet> = seated(
  checked(
    record({
      since: integer(2 ** 40),
      validators: validatorsField,
      asked: nullable(record({ client: integer(), session: integer(), sequence: integer() })),
    }),
    'set of validators',
    ({ since, validators }) =>
      since > 0 && validators.length > 0 ? undefined : 'a set has validators, and a first height',
  ),
);

/** A list of validators that no group can have. */
export class ValidatorError extends RangeError {
  override readonly name: string = 'ValidatorError';
}

/**
 * What a client submits so that these are the validators: see `Request.configuration`. Throws
 * {@link ValidatorError} for a weight that is no whole number from 1 on, a member that is there
 * twice, and where there is nobody. The group refuses what it cannot have.
 */
export function encodeValidators(validators: readonly Validator[]): Uint8Array {
  const ascending = [...validators].sort((one, other) => one.member - other.member);
  if (ascending.length === 0)
    throw new ValidatorError('a group needs validators; name at least one of the present ones');
  for (const [i, { member: id, weight }] of ascending.entries()) {
    requireMember(id);
    requireWeight(id, weight);
    if (id === ascending[i - 1]?.member)
      throw new ValidatorError(`replica ${id} is there twice; name each validator once`);
  }
  return encode(validatorsField, ascending);
}

/** One replica is to be something else, and all others stay what they are. */
export interface ValidatorStep {
  readonly server: ReplicaId;
  readonly becomes: Membership;
  /** What it weighs as a validator; 1 unless told. */
  readonly weight?: number;
  /** Of a replica that was not made with the group: what the hosts of the others have to know. */
  readonly about?: Uint8Array;
}

const becoming: readonly Membership[] = ['none', 'learner', 'voter'];

const stepField = record({
  server: member,
  becomes: integer(becoming.length - 1),
  weight: integer(),
  about: aboutField,
});

/**
 * What a client submits so that one replica votes, with this weight, only learns, or leaves. Throws
 * {@link ValidatorError} for a number that no replica has, and a weight that is none.
 */
export function encodeValidatorStep({
  server,
  becomes,
  weight = 1,
  about,
}: ValidatorStep): Uint8Array {
  requireMember(server);
  requireWeight(server, weight);
  const told = about ?? new Uint8Array();
  const bytes = encode(stepField, {
    server,
    becomes: becoming.indexOf(becomes),
    weight,
    about: told,
  });
  // No list of validators begins with a zero: it begins with how many there are.
  return Uint8Array.from([0, ...bytes]);
}

function requireMember(id: ReplicaId): void {
  if (!(Number.isInteger(id) && id >= 0 && id < membersLimit))
    throw new ValidatorError(`replicas are numbers from 0 to ${membersLimit - 1}; ${id} is none`);
}

function requireWeight(id: ReplicaId, weight: number): void {
  if (!(Number.isInteger(weight) && weight >= 1 && weight <= maxWeight))
    throw new ValidatorError(weighsWrong(id, weight));
}

/** Why nobody can weigh so much. */
export const weighsWrong = (id: ReplicaId, weight: number): string =>
  `replica ${id} weighs ${weight}; a weight is a whole number from 1 to ${maxWeight}`;

/** What a change asks for: all validators, or one step. Throws core's `SchemaError`. */
export function decodeValidatorChange(
  bytes: Uint8Array,
): readonly Validator[] | Required<ValidatorStep> {
  // A list of nobody begins with a zero too, and ends there.
  if (bytes[0] !== 0 || bytes.length === 1) return decode(validatorsField, bytes);
  const { becomes, ...step } = decode(stepField, bytes.subarray(1));
  return { ...step, becomes: becoming[becomes] ?? 'none' };
}

/** Frozen values are shared and never copied, so what is worked out for one is found again. */
export const frozenSet = ({ since, validators, asked, ...more }: ValidatorSet): ValidatorSet =>
  Object.freeze({
    ...seatedIn(more),
    since,
    validators: Object.freeze(validators.map((each) => Object.freeze({ ...each }))),
    asked: asked === null ? null : Object.freeze({ ...asked }),
  });

/** The set of `sets`, which ascend, that votes at `height`. */
export function validatorsAt(sets: readonly ValidatorSet[], height: number): ValidatorSet {
  let last = sets.length - 1;
  while (last > 0 && (sets[last] as ValidatorSet).since > height) last -= 1;
  return sets[last] as ValidatorSet;
}

/** What snapshots hold of the group. */
export const encodeValidatorSet = (set: ValidatorSet): Uint8Array => encode(validatorSet, set);
