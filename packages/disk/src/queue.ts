import type { Buffers } from '@quorumlab/core';
import {
  type DiskFailedError,
  diskError,
  LogClosedError,
  LogLimitError,
  NoRoomError,
} from './errors.ts';

/** What a back end has to do; the queue calls one of these at a time. */
export interface Backend {
  /** Makes the batches durable, in order, with one flush. A throw ends the log. */
  writeGroup(batches: readonly Uint8Array[]): Promise<void>;
  /**
   * Replaces all batches. Wraps what the state itself threw in StateError; that and NoRoomError
   * leave the old batches as they were.
   */
  writeState(state: Iterable<Uint8Array>): Promise<void>;
  /** Live bytes. */
  bytes(): number;
  /** Ends a healthy log: may write and flush. */
  finish(): Promise<void>;
  /** Gives back files and lock, whatever happened before. */
  release(): Promise<void>;
}

/** Carries what the caller's `state` threw past the rule that every throw ends the log. */
export class StateError extends Error {
  override readonly name = 'StateError';

  constructor(cause: unknown) {
    super('The new state could not be read; the old one stands.', { cause });
  }
}

/** The part of RecordLog that does not depend on where the bytes go. */
export interface CommitQueue {
  append(batch: Uint8Array): Promise<void>;
  rewrite(state: Iterable<Uint8Array>): Promise<void>;
  readonly maxBatchBytes: number;
  readonly bytes: number;
  close(): Promise<void>;
}

interface Waiting {
  readonly batch: Uint8Array<ArrayBuffer> | undefined;
  readonly state: Iterable<Uint8Array> | undefined;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** A group is cut here, so that one flush stays short, its buffer small, and the thread free. */
const maxGroupBytes = 1024 * 1024;

/** Bytes of buffers that are kept: those of the groups that wait and of the one that is written. */
export const spareBytes: number = 4 * maxGroupBytes;

/** Runs `then` once every promise callback that is ready now has run. */
function afterReadyWork(then: () => void): void {
  // From inside the promise queue, nextTick comes when that queue is empty.
  queueMicrotask(() => process.nextTick(then));
}

interface Limits {
  readonly maxBatchBytes: number;
  readonly maxPendingBytes: number;
}

interface Queue {
  readonly backend: Backend;
  readonly spare: Buffers;
  readonly limits: Limits;
  waiting: Waiting[];
  /** Bytes of batches that wait or are being written. */
  pendingBytes: number;
  /** The loop, while there is work. */
  running: Promise<void> | undefined;
  /** Why the log takes nothing more. */
  failure: DiskFailedError | undefined;
  closing: Promise<void> | undefined;
}

function fail(queue: Queue, what: string, error: unknown, group: readonly Waiting[]): void {
  const failure = diskError(what, error);
  const rest = queue.waiting;
  queue.failure = failure;
  queue.waiting = [];
  for (const one of group) one.reject(failure);
  for (const one of rest) one.reject(failure);
}

/** The next rewrite, or the appends up to the next rewrite or the group's limit. */
function takeGroup({ waiting }: Queue): readonly Waiting[] {
  let count = 0;
  let size = 0;
  while (count < waiting.length && waiting[count]!.batch !== undefined) {
    size += waiting[count]!.batch!.length;
    if (count > 0 && size > maxGroupBytes) break;
    count += 1;
  }
  return waiting.splice(0, Math.max(count, 1));
}

async function settle(queue: Queue, group: readonly Waiting[]): Promise<void> {
  const state = group[0]!.state;
  if (state === undefined) {
    const batches = group.map((one) => one.batch!);
    await queue.backend.writeGroup(batches);
    for (const batch of batches) {
      queue.pendingBytes -= batch.length;
      queue.spare.give(batch);
    }
  } else {
    await queue.backend.writeState(state);
  }
  for (const one of group) one.resolve();
}

async function run(queue: Queue): Promise<void> {
  while (queue.failure === undefined) {
    // Those who were just answered get the chance to append again before the next flush.
    await new Promise<void>((resolve) => afterReadyWork(resolve));
    if (queue.waiting.length === 0) break;
    const group = takeGroup(queue);
    try {
      await settle(queue, group);
    } catch (error) {
      const ofState = group[0]!.state !== undefined;
      if (error instanceof StateError) group[0]!.reject(error.cause);
      else if (ofState && error instanceof NoRoomError) group[0]!.reject(error);
      else fail(queue, ofState ? 'rewrite' : 'append', error, group);
    }
  }
  queue.running = undefined;
}

function add(
  queue: Queue,
  batch?: Uint8Array<ArrayBuffer>,
  state?: Iterable<Uint8Array>,
): Promise<void> {
  if (queue.failure !== undefined) return Promise.reject(queue.failure);
  if (queue.closing !== undefined) return Promise.reject(new LogClosedError());
  if (batch !== undefined) queue.pendingBytes += batch.length;
  return new Promise((resolve, reject) => {
    queue.waiting.push({ batch, state, resolve, reject });
    queue.running ??= run(queue);
  });
}

async function end(queue: Queue): Promise<void> {
  while (queue.running !== undefined) await queue.running;
  try {
    if (queue.failure === undefined) await queue.backend.finish();
  } catch (error) {
    queue.failure = diskError('close', error);
    throw queue.failure;
  } finally {
    await queue.backend.release();
  }
}

/**
 * Group commit: whatever is appended while one flush runs shares the next one. Batches wait in
 * buffers of `spare`.
 */
export function commitQueue(backend: Backend, limits: Limits, spare: Buffers): CommitQueue {
  const queue: Queue = {
    backend,
    spare,
    limits,
    waiting: [],
    pendingBytes: 0,
    running: undefined,
    failure: undefined,
    closing: undefined,
  };
  return {
    append: (batch) => {
      if (batch.length > limits.maxBatchBytes) {
        const what = `A batch of ${batch.length} bytes is too large for the log`;
        return Promise.reject(new LogLimitError(what, limits.maxBatchBytes));
      }
      if (
        queue.pendingBytes + batch.length > limits.maxPendingBytes &&
        queue.failure === undefined
      ) {
        const what = 'Too many bytes wait for the disk';
        return Promise.reject(new LogLimitError(what, limits.maxPendingBytes));
      }
      const copy = spare.take(batch.length);
      copy.set(batch);
      return add(queue, copy);
    },
    rewrite: (state) => add(queue, undefined, state),
    maxBatchBytes: limits.maxBatchBytes,
    get bytes() {
      return backend.bytes();
    },
    close: () => {
      queue.closing ??= end(queue);
      return queue.closing;
    },
  };
}
