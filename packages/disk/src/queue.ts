import { type DiskFailedError, diskError, LogClosedError, LogLimitError } from './errors.ts';

/** What a back end has to do; the queue calls one of these at a time. */
export interface Backend {
  /** Makes the batches durable, in order, with one flush. A throw ends the log. */
  writeGroup(batches: readonly Uint8Array[]): Promise<void>;
  /** Replaces all batches. Wraps what the state itself threw in StateError. */
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
  readonly bytes: number;
  close(): Promise<void>;
}

interface Waiting {
  readonly batch: Uint8Array | undefined;
  readonly state: Iterable<Uint8Array> | undefined;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** A group is cut here, so that one flush stays short and its buffer small. */
const maxGroupBytes = 4 * 1024 * 1024;

/** Runs `then` once every promise callback that is ready now has run. */
function afterReadyWork(then: () => void): void {
  // From inside the promise queue, nextTick comes when that queue is empty.
  queueMicrotask(() => process.nextTick(then));
}

/** Group commit: whatever is appended while one flush runs shares the next one. */
export function commitQueue(
  backend: Backend,
  limits: { readonly maxBatchBytes: number; readonly maxPendingBytes: number },
): CommitQueue {
  let waiting: Waiting[] = [];
  let pendingBytes = 0;
  let running: Promise<void> | undefined;
  let failure: DiskFailedError | undefined;
  let closing: Promise<void> | undefined;

  const fail = (what: string, error: unknown, group: readonly Waiting[]): void => {
    failure = diskError(what, error);
    const rest = waiting;
    waiting = [];
    for (const one of group) one.reject(failure);
    for (const one of rest) one.reject(failure);
  };

  const takeGroup = (): Waiting[] => {
    let count = 0;
    let size = 0;
    while (count < waiting.length && waiting[count]!.batch !== undefined) {
      size += waiting[count]!.batch!.length;
      if (count > 0 && size > maxGroupBytes) break;
      count += 1;
    }
    return waiting.splice(0, Math.max(count, 1));
  };

  const settle = async (group: readonly Waiting[]): Promise<void> => {
    const state = group[0]!.state;
    if (state === undefined) {
      const batches = group.map((one) => one.batch!);
      await backend.writeGroup(batches);
      for (const batch of batches) pendingBytes -= batch.length;
    } else {
      await backend.writeState(state);
    }
    for (const one of group) one.resolve();
  };

  const run = async (): Promise<void> => {
    while (failure === undefined) {
      // Those who were just answered get the chance to append again before the next flush.
      await new Promise<void>((resolve) => afterReadyWork(resolve));
      if (waiting.length === 0) break;
      const group = takeGroup();
      try {
        await settle(group);
      } catch (error) {
        if (error instanceof StateError) group[0]!.reject(error.cause);
        else fail(group[0]!.state === undefined ? 'append' : 'rewrite', error, group);
      }
    }
    running = undefined;
  };

  const add = (batch?: Uint8Array, state?: Iterable<Uint8Array>): Promise<void> => {
    if (failure !== undefined) return Promise.reject(failure);
    if (closing !== undefined) return Promise.reject(new LogClosedError());
    return new Promise((resolve, reject) => {
      waiting.push({ batch, state, resolve, reject });
      running ??= run();
    });
  };

  const end = async (): Promise<void> => {
    while (running !== undefined) await running;
    try {
      if (failure === undefined) await backend.finish();
    } catch (error) {
      failure = diskError('close', error);
      throw failure;
    } finally {
      await backend.release();
    }
  };

  return {
    append: (batch) => {
      if (batch.length > limits.maxBatchBytes) {
        const what = `A batch of ${batch.length} bytes is too large for the log`;
        return Promise.reject(new LogLimitError(what, limits.maxBatchBytes));
      }
      if (pendingBytes + batch.length > limits.maxPendingBytes) {
        const what = 'Too many bytes wait for the disk';
        return Promise.reject(new LogLimitError(what, limits.maxPendingBytes));
      }
      if (failure === undefined && closing === undefined) pendingBytes += batch.length;
      return add(batch.slice());
    },
    rewrite: (state) => add(undefined, state),
    get bytes() {
      return backend.bytes();
    },
    close: () => {
      closing ??= end();
      return closing;
    },
  };
}
