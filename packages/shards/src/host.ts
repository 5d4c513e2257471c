/** Runs parties over the logs of real groups: what the simulator does for them elsewhere. */
import { type Interval, SchemaError } from '@quorumlab/core';
import type { ReplicatedLog } from '@quorumlab/log';
import type { ShardOperation, ShardResult } from './operations.ts';
import type { Ask, Party, PartyEvent, PartyInput, PartyOutput } from './party.ts';
import { type SnapshotEnd, type SnapshotReadOptions, snapshotRead } from './reader.ts';
import { type TransactionEnd, type TransactionOptions, transaction } from './transaction.ts';

/** The log of a group, at one of its members or at a client. */
export type ShardLog = Pick<
  ReplicatedLog<ShardOperation, ShardResult, ShardOperation>,
  'propose' | 'read'
>;

/** What a party is given by the machine that it runs on. */
export interface PartyPlatform {
  /** The log of each group, by its number. */
  readonly logs: ReadonlyMap<number, ShardLog>;
  /** A wall clock with its error, in microseconds: {@link systemClock}, or a better one. */
  readonly clock: () => Interval;
  /**
   * Where there are replicas here: has `told` called, outside of any step of theirs, with the
   * number of a group in which something has run; what is returned ends that.
   */
  readonly changes?: (told: (group: number) => void) => () => void;
  /**
   * Milliseconds after which nobody waits for an answer any longer: then it is not known, and the
   * party finds out. 5,000 unless told.
   */
  readonly withinMilliseconds?: number;
}

/** The part of a platform that hosts are made of; Node and browsers have it. */
interface Globals {
  readonly performance: { now(): number };
  readonly Date: { now(): number };
  setTimeout(run: () => void, milliseconds: number): unknown;
  clearTimeout(timer: unknown): void;
}

const globals = globalThis as unknown as Globals;

/** The beginning of 2026, in milliseconds: timestamps are below 2^48, and 1970 is too long ago. */
export const originMillis = 1_767_225_600_000;

/**
 * The wall clock of this machine in microseconds since {@link originMillis}, off by `error` of them
 * at most. Who says so answers for it: all timestamps are as right as this (`chronyc tracking` says
 * what chrony believes). All clocks of a database count from one origin; from this one until 2034.
 */
export const systemClock =
  (error: number): (() => Interval) =>
  () => {
    const now = (globals.Date.now() - originMillis) * 1000;
    // What it shows is up to a millisecond old.
    return { earliest: now - error, latest: now + 1000 + error };
  };

/**
 * Starts a party; what is returned ends it: it asks nothing more, and hears of nothing. What it
 * throws ends it too, and is told to `onError`.
 */
export function runParty(
  party: Party,
  platform: PartyPlatform,
  onError: (error: unknown) => void,
): () => void {
  const { logs, clock, withinMilliseconds = 5000 } = platform;
  let isOver = false;
  let timer: unknown;

  function step(event: PartyEvent): void {
    if (isOver) return;
    globals.clearTimeout(timer);
    const now = Math.floor(globals.performance.now() * 1000);
    const output = stepped({ now, clock: clock(), event });
    if (output === undefined) return;
    const { asks, wakeAfter } = output;
    if (wakeAfter !== undefined)
      timer = globals.setTimeout(() => step({ type: 'wake' }), Math.ceil(wakeAfter / 1000));
    for (const ask of asks) void put(ask).then((result) => step({ ...result, id: ask.id }));
  }

  function stepped(input: PartyInput): PartyOutput | undefined {
    try {
      return party.step(input);
    } catch (error) {
      fail(error);
      return undefined;
    }
  }

  function fail(error: unknown): void {
    isOver = true;
    onError(error);
  }

  /** Whatever goes wrong, it is not known whether the operation ran. */
  async function put({ group, operation, way }: Ask): Promise<{
    readonly type: 'answer';
    readonly result: ShardResult | undefined;
  }> {
    const log = logs.get(group);
    const waiting = { withinMilliseconds };
    try {
      if (log === undefined) return { type: 'answer', result: undefined };
      const result =
        way === 'ordered'
          ? await log.propose(operation, waiting)
          : await log.read(operation, way === 'local' ? 'local' : 'linearizable', waiting);
      return { type: 'answer', result };
    } catch (error) {
      // What cannot be written down never ran, and never will: a clock from another origin, mostly.
      if (error instanceof SchemaError) fail(error);
      return { type: 'answer', result: undefined };
    }
  }

  step({ type: 'start' });
  const deafen = platform.changes?.((group) => step({ type: 'changed', group }));
  return () => {
    isOver = true;
    deafen?.();
    globals.clearTimeout(timer);
  };
}

/**
 * Runs a transaction; resolves with how it ended, rejects with what its body throws. See
 * {@link transaction}.
 */
export const transact = (
  options: Omit<TransactionOptions, 'onEnd' | 'groups'>,
  platform: PartyPlatform,
): Promise<TransactionEnd> =>
  new Promise((resolve, reject) => {
    const groups = [...platform.logs.keys()];
    runParty(transaction({ ...options, groups, onEnd: resolve }), platform, reject);
  });

/** Reads keys at one timestamp; resolves with what they were. See {@link snapshotRead}. */
export const readAt = (
  options: Omit<SnapshotReadOptions, 'onEnd' | 'groups'>,
  platform: PartyPlatform,
): Promise<SnapshotEnd> =>
  new Promise((resolve, reject) => {
    const groups = [...platform.logs.keys()];
    runParty(snapshotRead({ ...options, groups, onEnd: resolve }), platform, reject);
  });
