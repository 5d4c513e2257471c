/** What a shard is asked and what it answers, with their one encoding. Times in microseconds. */
import {
  boolean,
  bounded,
  bytes,
  type Field,
  type Infer,
  integer,
  list,
  maxInteger,
  message,
  messages,
  nullable,
  record,
  text,
  word,
} from '@quorumlab/core';
import {
  maxBytesAtOnce,
  maxGroups,
  maxKeyBytes,
  maxKeys,
  maxRanges,
  maxValueBytes,
  maxWork,
} from './limits.ts';

/** A key; keys are in the order in which texts are compared here, by UTF-16 code units. */
export const keyField: Field<string> = text(maxKeyBytes);

const value = nullable(bytes(maxValueBytes));
const few = <T>(of: Field<T>, most: number): Field<readonly T[]> =>
  bounded(list(of, most), maxBytesAtOnce);

/** One attempt of a transaction. A client uses each number once. */
export const transactionId = record({ client: integer(), number: integer() });
/** See {@link transactionId}. */
export type TransactionId = Infer<typeof transactionId>;

/**
 * How old a transaction is, for wound-wait: kept through all its attempts, so that it gets older
 * than all others in the end. The less, the older.
 */
export const ageField = record({ at: integer(), client: integer(), number: integer() });
/** See {@link ageField}. */
export type Age = Infer<typeof ageField>;

/** A key and what it is set to; null: it is removed. */
export const writeField = record({ key: keyField, value });
/** See {@link writeField}. */
export type Write = Infer<typeof writeField>;

/** A key's value from a timestamp on. */
export const versionField = record({ key: keyField, at: integer(), value });
/** See {@link versionField}. */
export type Version = Infer<typeof versionField>;

/**
 * Keys from `from` to before `to` (null: to the end) and which group has them. Of two that speak of
 * one key the higher epoch is right.
 */
export const rangeField = record({
  from: keyField,
  to: nullable(keyField),
  group: integer(),
  epoch: integer(),
});
/** See {@link rangeField}. */
export type Range = Infer<typeof rangeField>;

const transaction = transactionId;
const at = integer();
const keys = list(keyField, maxKeys);
/** What a stranger may say of times and epochs: what is counted on from there has room, too. */
const moment = integer(maxInteger - 2 ** 40);
const interval = { earliest: moment, latest: moment };

/** What a shard can be asked. */
export const shardOperation = messages(
  // Of transactions: locks and reads; then two-phase commit.
  message('access', {
    transaction,
    age: ageField,
    coordinator: integer(),
    /** Whether locks were granted to it here before: if they are gone, so is it. */
    begun: boolean,
    reads: keys,
    writes: keys,
  }),
  message('prepare', { transaction, writes: few(writeField, maxKeys) }),
  message('commit', {
    transaction,
    writes: few(writeField, maxKeys),
    participants: list(integer(), maxGroups),
    /** The highest timestamp at which a participant has prepared. */
    at: moment,
  }),
  message('settle', { transaction }),
  message('resolve', { transaction, at: nullable(moment) }),
  message('forget', { transaction }),
  // Of keepers: clocks and leases.
  message('tick', { ...interval, lease: integer(), stamps: list(transaction, maxWork) }),
  message('yield', { ...interval, lease: integer() }),
  message('want', { at: moment }),
  // Of whoever moves ranges.
  message('split', { at: keyField }),
  message('merge', { at: keyField }),
  message('freeze', { first: keyField, group: integer() }),
  message('import', { first: keyField, epoch: moment, versions: few(versionField, 4096) }),
  message('adopt', {
    first: keyField,
    to: nullable(keyField),
    epoch: moment,
    at: moment,
    horizon: moment,
  }),
  message('drop', { first: keyField, epoch: moment }),
  // Queries.
  message('read', { keys, at: moment }),
  message('outcome', { transaction }),
  message('work', {}),
  message('ranges', {}),
  message('export', {
    first: keyField,
    epoch: moment,
    after: nullable(record({ key: keyField, at })),
  }),
);
/** See {@link shardOperation}. */
export type ShardOperation = Infer<typeof shardOperation>;

/** Why a shard refuses, and nothing has changed. */
export type ShardRefusal =
  | 'malformed'
  | 'not a query'
  | 'full'
  | 'no keeper'
  | 'not yours'
  | 'no lock'
  | 'no range'
  | 'moving'
  | 'too old';

const lease = record({ number: integer(), holder: integer(), start: integer(), end: integer() });

/** What a shard answers. */
export const shardResult = messages(
  message('granted', { values: few(writeField, maxKeys) }),
  message('waiting', {}),
  message('prepared', { at }),
  message('deciding', {}),
  message('committed', { at }),
  message('aborted', {}),
  message('done', {}),
  /** The keys are, or come to be, elsewhere: what this group knows of it. */
  message('elsewhere', { known: list(rangeField, maxRanges) }),
  message('ticked', { lease, at }),
  message('held', { lease }),
  message('values', { values: few(writeField, maxKeys) }),
  /** Not all below the timestamp is known yet; up to `safe` it is. */
  message('unsafe', { safe: integer() }),
  message('work', {
    lease: nullable(lease),
    /** Promised: no commit gets a timestamp at or below it. */
    at,
    wanted: integer(),
    /** Commits without a timestamp. */
    deciding: list(transaction, maxWork),
    /** The least timestamp of a commit that waits until it is over. */
    waiting: nullable(at),
    /** Whether any transaction has not come to its end. */
    isBusy: boolean,
    /** Prepared long ago, and nobody has said what came of it: whom to ask. */
    orphans: list(record({ transaction, coordinator: integer() }), maxWork),
    /** Committed, and not all participants are known to know. */
    untold: list(record({ transaction, at, participants: list(integer(), maxGroups) }), maxWork),
  }),
  message('ranges', { known: list(rangeField, 2 * maxRanges) }),
  message('frozen', { range: rangeField, at, horizon: integer() }),
  message('versions', { versions: few(versionField, 4096), isLast: boolean }),
  message('refused', {
    why: word(
      'malformed',
      'not a query',
      'full',
      'no keeper',
      'not yours',
      'no lock',
      'no range',
      'moving',
      'too old',
    ),
  }),
);
/** See {@link shardResult}. */
export type ShardResult = Infer<typeof shardResult>;
