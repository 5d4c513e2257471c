/**
 * Who votes: R of the paper, which is always the same there. An epoch is the group from one
 * checkpoint on, up to and including another. A change that is executed at n names the checkpoint
 * with which its epoch ends; nobody can have voted about a number behind that one without a stable
 * checkpoint that shows the change. So each number has one epoch, and so has each certificate.
 */
import {
  type AskedChange,
  checked,
  decode,
  encode,
  type Field,
  integer,
  list,
  maxSets,
  membersLimit,
  nullable,
  type ReplicaId,
  record,
  type Seated,
  seated,
  seatedIn,
} from '@quorumlab/core';

/** Who votes about the numbers behind `after`, up to where the next epoch begins. */
export interface Epoch {
  /** 0: the one that the group was made with. */
  readonly number: number;
  /** The checkpoint with which it begins. */
  readonly after: number;
  /** Ascending. */
  readonly members: readonly ReplicaId[];
}

/** What the log says of the group up to a number. */
export interface Configuration extends Seated {
  readonly epoch: Epoch;
  /** Decided, and begins with its checkpoint; null: no other was decided. */
  readonly next: Epoch | null;
  /** The requests for changes that were executed, those that were refused among them. */
  readonly asked: readonly AskedChange[];
}

const number = integer(2 ** 40);

const epoch: Field<Epoch> = record({
  number,
  after: number,
  members: list(integer(membersLimit - 1), membersLimit),
});

/** The encoding of a configuration; that with which a group was made is never encoded. */
export const configurationField: Field<Configuration> = seated(
  checked(
    record({
      asked: list(record({ client: integer(), session: integer(), sequence: integer() }), maxSets),
      epoch,
      next: nullable(epoch),
    }),
    'configuration',
    ({ asked, epoch: { members } }) =>
      asked.length > 0 && members.length > 0
        ? undefined
        : 'a configuration has members, and requests that led to it',
  ),
);

const frozenEpoch = ({ number, after, members }: Epoch): Epoch =>
  Object.freeze({ number, after, members: Object.freeze([...members]) });

/** Frozen values are shared and never copied, so what is worked out for one is found again. */
export const frozen = ({ epoch, next, asked, ...more }: Configuration): Configuration =>
  Object.freeze({
    ...seatedIn(more),
    epoch: frozenEpoch(epoch),
    next: next === null ? null : frozenEpoch(next),
    asked: Object.freeze(asked.map((each) => Object.freeze({ ...each }))),
  });

/** What a group of `members` is made with. */
export const firstConfiguration = (members: readonly ReplicaId[]): Configuration =>
  frozen({ epoch: { number: 0, after: 0, members }, next: null, asked: [] });

/** The epoch of the number that follows `sequence`, where `configuration` is the one after it. */
export const epochAfter = ({ epoch, next }: Configuration, sequence: number): Epoch =>
  next !== null && sequence >= next.after ? next : epoch;

/** A configuration as it is said and stored: null as long as nobody has asked for a change. */
export const named = (configuration: Configuration): Configuration | null =>
  configuration.asked.length === 0 ? null : configuration;

/** What snapshots hold of the group. */
export const encodeConfiguration = (configuration: Configuration): Uint8Array =>
  encode(configurationField, configuration);

/** What a snapshot holds of the group; null: it was never changed. */
export const configurationIn = (bytes: Uint8Array | undefined): Configuration | null =>
  bytes === undefined ? null : frozen(decode(configurationField, bytes));
