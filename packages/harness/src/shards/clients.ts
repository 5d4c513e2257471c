/** What clients of shards do in the simulator, and what is written down about it. */
import type { ListTransaction } from '@quorumlab/checker';
import { fromUtf8, type Interval, type PrincipalId, toUtf8 } from '@quorumlab/core';
import {
  type Router,
  type Step,
  snapshotRead,
  type TransactionEnd,
  transaction,
  type Values,
} from '@quorumlab/shards';
import type { MakeParty } from './seats.ts';

/** A transaction or a read that has ended, beside what the checker of lists knows of it. */
export interface Noted {
  readonly transaction: ListTransaction;
  /** Its number: the order in which they were asked for. */
  readonly task: number;
  /** Commit timestamp, or the one that was read at. */
  readonly at: number | undefined;
  readonly isRead: boolean;
  /** A read that was to show all that had ended before, by the clock of its client. */
  readonly isStrong: boolean;
}

/** What is done at a client, and who writes it down. */
export interface Work {
  readonly client: number;
  /** The number of what is done, which no other has. */
  readonly task: number;
  readonly router: Router;
  readonly groups: readonly number[];
  /** Microseconds between two tries. */
  readonly pollEvery: number;
  began(task: number, before: ListTransaction): void;
  /** Nothing is noted of what nobody knows the outcome of. */
  ended(task: number, noted: Noted | undefined): void;
  watch(principal: PrincipalId, interval: Interval): void;
}

/** Numbers of attempts that one transaction may use up. */
const attempts = 1000;

/** The task that an attempt belongs to. */
export const taskOf = (number: number): number => Math.floor(number / attempts);

const listIn = (value: Uint8Array | null | undefined): number[] =>
  value ? JSON.parse(fromUtf8(value)) : [];

const readsOf = (keys: readonly string[], values: Values): ListTransaction['operations'] =>
  keys.map((key) => ({ kind: 'read', key, values: listIn(values.get(key)) }));

/** Appends `value` to some keys, and reads these and others. */
export const appending =
  (work: Work, appends: readonly string[], reads: readonly string[], value: number): MakeParty =>
  (host) => {
    const { client, task, router, groups } = work;
    const keys = [...new Set([...appends, ...reads])];
    const before: ListTransaction = {
      process: client,
      invokedAt: host.trueNow(),
      returnedAt: undefined,
      outcome: 'unknown',
      operations: appends.map((key) => ({ kind: 'append', key, value })),
    };
    work.began(task, before);
    // One half takes all locks at once, the other half only once it has read.
    const isEarly = task % 2 === 0;
    const body = (values: Values, writable: ReadonlySet<string>): Step => {
      const isRead = keys.every((key) => values.has(key));
      if (!isRead) return { reads: keys, writes: isEarly ? appends : [] };
      if (!appends.every((key) => writable.has(key))) return { reads: [], writes: appends };
      const longer = (key: string): Uint8Array =>
        toUtf8(JSON.stringify([...listIn(values.get(key)), value]));
      return { write: appends.map((key) => ({ key, value: longer(key) })) };
    };
    return transaction({
      client: host.self,
      first: task * attempts,
      attempts,
      ...{ router, groups, body },
      pollEvery: work.pollEvery,
      onEnd(end: TransactionEnd) {
        if (end.kind === 'unknown') return;
        const returnedAt = host.trueNow();
        const noted = { task, isRead: false, isStrong: false };
        if (end.kind === 'aborted') {
          const aborted = { ...before, returnedAt, outcome: 'aborted' } as const;
          return work.ended(task, { ...noted, transaction: aborted, at: undefined });
        }
        const operations = [...readsOf(keys, end.values), ...before.operations];
        const committed = { ...before, returnedAt, outcome: 'committed', operations } as const;
        work.ended(task, { ...noted, transaction: committed, at: end.at });
      },
    });
  };

/** Reads keys at a timestamp, or without one at the client's clock. */
export const reading =
  (work: Work, keys: readonly string[], timestamp: number | undefined): MakeParty =>
  (host) => {
    const { client, task, router, groups } = work;
    const before: ListTransaction = {
      process: client,
      invokedAt: host.trueNow(),
      returnedAt: undefined,
      outcome: 'unknown',
      operations: [],
    };
    work.began(task, before);
    const inner = snapshotRead({
      ...{ router, groups, keys },
      ...(timestamp === undefined ? {} : { at: timestamp }),
      pollEvery: work.pollEvery,
      onEnd(end) {
        const operations = end.kind === 'read' ? readsOf(keys, end.values) : [];
        const returnedAt = host.trueNow();
        const over = { ...before, returnedAt, outcome: 'committed', operations } as const;
        const isStrong = timestamp === undefined && end.kind === 'read';
        work.ended(task, { task, transaction: over, at: end.at, isRead: true, isStrong });
      },
    });
    return {
      step(input) {
        if (input.event.type === 'start' && timestamp === undefined)
          work.watch(host.self, input.clock);
        return inner.step(input);
      },
    };
  };
