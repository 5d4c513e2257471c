/** What a shard remembers, and its one encoding. */
import type { Lease } from '@quorumlab/clocks';
import {
  bytes,
  type Field,
  type Infer,
  integer,
  list,
  nullable,
  record,
  word,
} from '@quorumlab/core';
import {
  maxGroups,
  maxKeys,
  maxRanges,
  maxTransactions,
  maxValueBytes,
  maxVersions,
} from './limits.ts';
import {
  type Age,
  ageField,
  keyField,
  type Range,
  rangeField,
  type TransactionId,
  transactionId,
  type Write,
  writeField,
} from './operations.ts';

/** Several may have a key `shared`, one `exclusive`. */
export type Mode = 'shared' | 'exclusive';

/** How a transaction wants a key, and has it: what it has it keeps while it waits for more. */
export interface Lock {
  mode: Mode;
  held: Mode | null;
}

/**
 * `active`: gathers locks, can be wounded; `prepared`: has promised to commit if its coordinator
 * says so; at the coordinator, `deciding`: commits, without a timestamp yet; `waiting`: has one,
 * which is not over; `committed`: is told of, its locks are free.
 */
export type Stage = 'active' | 'prepared' | 'deciding' | 'waiting' | 'committed';

/** A transaction in one group. */
export interface Transaction {
  readonly id: TransactionId;
  readonly age: Age;
  readonly coordinator: number;
  stage: Stage;
  readonly locks: Map<string, Lock>;
  writes: readonly Write[];
  /** Of a coordinator: the other groups. */
  participants: readonly number[];
  /** Prepared: the least that its timestamp may be. Deciding: the same. Later: its timestamp. */
  at: number;
  /** What the group's clock promised when it was last heard of. */
  heard: number;
}

/** A range of this group. */
export interface OwnRange extends Range {
  /**
   * Where it moves to, and the timestamp up to which it is complete here: null as long as there is
   * still something to come of what had prepared.
   */
  readonly frozen: { readonly group: number; readonly at: number | null } | null;
}

/** A value from a timestamp on; null: none. */
export interface Valued {
  readonly at: number;
  readonly value: Uint8Array | null;
}

/** Everything. */
export interface ShardState {
  lease: Lease | null;
  /** Promised: what commits from now on has a higher timestamp. */
  floor: number;
  /** Versions that were over before it may be gone. */
  horizon: number;
  /** A timestamp that somebody waits to read at. */
  wanted: number;
  readonly transactions: Map<string, Transaction>;
  /** By key, ascending by timestamp. */
  readonly versions: Map<string, Valued[]>;
  /** How many versions there are, and how many bytes they have; made from the rest. */
  held: number;
  bytes: number;
  ranges: OwnRange[];
  /** Ranges that have gone elsewhere. */
  gone: Range[];
}

/** What a value costs, at most, where it is kept or written down. */
export const sizeOf = (key: string, value: Uint8Array | null): number =>
  3 * key.length + 32 + (value?.length ?? 0);

/** Names a transaction. */
export const nameOf = ({ client, number }: TransactionId): string => `${client}/${number}`;

/** A shard that has never been asked anything, with these ranges. */
export const shardState = (ranges: readonly Range[]): ShardState => ({
  lease: null,
  floor: 0,
  horizon: 0,
  wanted: 0,
  transactions: new Map(),
  versions: new Map(),
  held: 0,
  bytes: 0,
  ranges: ranges.map((range) => ({ ...range, frozen: null })),
  gone: [],
});

const mode = word('shared', 'exclusive');

const stored = record({
  lease: nullable(
    record({ number: integer(), holder: integer(), start: integer(), end: integer() }),
  ),
  floor: integer(),
  horizon: integer(),
  wanted: integer(),
  transactions: list(
    record({
      id: transactionId,
      age: ageField,
      coordinator: integer(),
      stage: word('active', 'prepared', 'deciding', 'waiting', 'committed'),
      locks: list(record({ key: keyField, mode, held: nullable(mode) }), 2 * maxKeys),
      writes: list(writeField, maxKeys),
      participants: list(integer(), maxGroups),
      at: integer(),
      heard: integer(),
    }),
    maxTransactions,
  ),
  versions: list(
    record({
      key: keyField,
      values: list(
        record({ at: integer(), value: nullable(bytes(maxValueBytes)) }),
        2 * maxVersions,
      ),
    }),
    maxVersions,
  ),
  ranges: list(
    record({
      ...{ from: keyField, to: nullable(keyField), group: integer(), epoch: integer() },
      frozen: nullable(record({ group: integer(), at: nullable(integer()) })),
    }),
    maxRanges,
  ),
  gone: list(rangeField, maxRanges),
});

/** The state as plain data. */
export const shardSnapshot: Field<Infer<typeof stored>> = stored;

/** See {@link shardSnapshot}. The same operations in the same order give the same data. */
export const store = (state: ShardState): Infer<typeof stored> => ({
  ...state,
  transactions: [...state.transactions.values()].map((each) => ({
    ...each,
    locks: [...each.locks].map(([key, lock]) => ({ key, ...lock })),
  })),
  versions: [...state.versions].map(([key, values]) => ({ key, values })),
});

/** The opposite of {@link store}. */
export function load(data: Infer<typeof stored>): ShardState {
  const { transactions, versions, ranges, gone, ...rest } = data;
  const state: ShardState = { ...shardState([]), ...rest, ranges: [...ranges], gone: [...gone] };
  for (const each of transactions) {
    const locks = new Map(each.locks.map(({ key, mode, held }) => [key, { mode, held }]));
    state.transactions.set(nameOf(each.id), { ...each, locks });
  }
  for (const { key, values } of versions) {
    state.versions.set(key, [...values]);
    state.held += values.length;
    for (const { value } of values) state.bytes += sizeOf(key, value);
  }
  return state;
}
