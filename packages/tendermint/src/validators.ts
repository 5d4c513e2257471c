/**
 * Who votes. A set of validators follows from the log: a change that is decided at height h leads
 * to the set that votes from height h + 2 on, so whoever is at a height knows who votes at it and
 * at the next one. Every statement names the newest set that was decided before its height; so
 * each set can be shown to whoever knows the one before it, by the decision that led to it.
 */
import {
  aboutField,
  checked,
  decode,
  encode,
  type Field,
  integer,
  list,
  type Membership,
  nullable,
  type ReplicaId,
  record,
  type Seated,
  seated,
  seatedIn,
} from '@quorumlab/core';

/** One who votes, and what its vote weighs. */
export interface Validator {
  readonly member: ReplicaId;
  /** At least 1; all of a set weigh {@link maxWeight} together at most. */
  readonly weight: number;
}

/** By what a request is known, so that none changes the group twice. */
export interface Asked {
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
  /** The request that was decided at `since` - 2; null: the group was made with this set. */
  readonly asked: Asked | null;
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
export interface Step {
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
export function encodeStep({ server, becomes, weight = 1, about }: Step): Uint8Array {
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
export function decodeChange(bytes: Uint8Array): readonly Validator[] | Required<Step> {
  // A list of nobody begins with a zero too, and ends there.
  if (bytes[0] !== 0 || bytes.length === 1) return decode(validatorsField, bytes);
  const { becomes, ...step } = decode(stepField, bytes.subarray(1));
  return { ...step, becomes: becoming[becomes] ?? 'none' };
}

/** Frozen values are shared and never copied, so what is worked out for one is found again. */
export const frozen = ({ since, validators, asked, ...more }: ValidatorSet): ValidatorSet =>
  Object.freeze({
    ...seatedIn(more),
    since,
    validators: Object.freeze(validators.map((each) => Object.freeze({ ...each }))),
    asked: asked === null ? null : Object.freeze({ ...asked }),
  });

/** The set of `sets`, which ascend, that votes at `height`. */
export function setAt(sets: readonly ValidatorSet[], height: number): ValidatorSet {
  let last = sets.length - 1;
  while (last > 0 && (sets[last] as ValidatorSet).since > height) last -= 1;
  return sets[last] as ValidatorSet;
}

/** How long a set takes from its decision until it votes, in heights. */
export const heightsUntilVote = 2;

/** The newest set that was decided before `height`: what is said there names it. */
export const nameAt = (sets: readonly ValidatorSet[], height: number): number =>
  setAt(sets, height + heightsUntilVote - 1).since;

/** The sets that were decided before `height`. */
export function decidedBefore(
  sets: readonly ValidatorSet[],
  height: number,
): readonly ValidatorSet[] {
  const name = nameAt(sets, height);
  return sets.filter(({ since }) => since <= name);
}

/** What snapshots hold of the group. */
export const encodeSet = (set: ValidatorSet): Uint8Array => encode(validatorSet, set);
