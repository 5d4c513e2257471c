import { pendingBytes, recordBytes } from '@quorumlab/core';
import { LogLimitsError } from './errors.ts';
import type { Files } from './files.ts';

/** An append-only sequence of byte batches that survives losing power. */
export interface RecordLog {
  /**
   * Resolves when the batch would survive losing power. Order is kept; a batch is there whole or
   * not at all. Calls that are waiting at the same time share one flush (group commit). The bytes
   * are copied at the call. Rejects with DiskFullError or DiskFailedError, after which the log
   * refuses everything for ever; with LogLimitError (the log goes on); or with LogClosedError.
   */
  append(batch: Uint8Array): Promise<void>;
  /**
   * Replaces every batch appended before this call by `state` (compaction). A crash at any point
   * leaves the old batches or the new ones, never a mix. `state` is read lazily and must not
   * change until the promise settles; later appends wait for it. Errors as `append`; if `state`
   * throws, the old batches stand, the log goes on, and the promise rejects with what was thrown;
   * so too with NoRoomError, if the disk has no room for the new batches beside the old ones.
   */
  rewrite(state: Iterable<Uint8Array>): Promise<void>;
  /** Largest batch that `append` and `rewrite` take. */
  readonly maxBatchBytes: number;
  /** Bytes that the next open has to read: when this is far above the state, call `rewrite`. */
  readonly bytes: number;
  /** Waits for what was appended, marks the end as durable, gives the lock back. Idempotent. */
  close(): Promise<void>;
}

/** What every back end needs to know to open a log. */
export interface LogOptions {
  /**
   * Who may use this log, for instance cluster, node and protocol in one string. Only its hash is
   * stored; opening with another owner throws WrongOwnerError.
   */
  readonly owner: string;
  /**
   * Gets every batch that was durable when the folder was last open, oldest first, one at a time,
   * during `openLog`: so memory stays bounded by one batch. If opening then fails, throw away what
   * was built. The bytes belong to the callee.
   */
  readonly replay: (batch: Uint8Array) => void;
  /** Throw MissingLogError instead of starting an empty log. Default false. */
  readonly mustExist?: boolean;
  /** Largest batch accepted, in bytes. Default 64 MiB. */
  readonly maxBatchBytes?: number;
  /** Most bytes that may wait for the disk, at least `maxBatchBytes`. Default 256 MiB. */
  readonly maxPendingBytes?: number;
  /** File back end: a segment larger than this is followed by a new one. Default 16 MiB. */
  readonly segmentBytes?: number;
  /** File back end: zeros written ahead, so that a small flush keeps the size. Default 256 KiB. */
  readonly preallocateBytes?: number;
  /**
   * When `append` resolves: once the batch is `flushed`, which it is unless told; or once a second
   * file also proves so on the disk, which takes a second flush. The difference is what a loss of
   * power together with damage to what had been flushed just before may hide: `flushed`, batches
   * of the last 50 ms; `proven`, none.
   */
  readonly acknowledge?: 'flushed' | 'proven';
  /** File back end: the file operations; the default is Node's. */
  readonly files?: Files;
}

/** Opens (or starts) the log in `folder`; one function per back end. */
export type OpenLog = (folder: string, options: LogOptions) => Promise<RecordLog>;

/** The limits in {@link LogOptions}, all of them given. */
export interface LogLimits {
  readonly maxBatchBytes: number;
  readonly maxPendingBytes: number;
  readonly segmentBytes: number;
  readonly preallocateBytes: number;
}

/** Defaults of the limits in LogOptions, in bytes. */
export const defaultLimits: LogLimits = {
  maxBatchBytes: recordBytes,
  maxPendingBytes: pendingBytes,
  segmentBytes: 16 * 1024 * 1024,
  preallocateBytes: 256 * 1024,
};

/** Least and largest `maxBatchBytes`: SQLite takes no value of 1,000,000,000 bytes. */
const batchRange = { least: 64, most: 512 * 1024 * 1024 };

/** The limits of `options` with every default. Throws LogLimitsError if they cannot all hold. */
export function limitsOf(options: Partial<LogLimits>): LogLimits {
  const { maxBatchBytes = recordBytes, maxPendingBytes = Math.max(pendingBytes, maxBatchBytes) } =
    options;
  const { least, most } = batchRange;
  if (!(Number.isSafeInteger(maxBatchBytes) && maxBatchBytes >= least && maxBatchBytes <= most))
    throw new LogLimitsError(`maxBatchBytes is ${maxBatchBytes}; use ${least} to ${most}`);
  if (!(maxPendingBytes >= maxBatchBytes))
    throw new LogLimitsError(
      `maxPendingBytes is ${maxPendingBytes} and maxBatchBytes ${maxBatchBytes}: a batch of full ` +
        `size could never wait; set maxPendingBytes to ${maxBatchBytes} or more`,
    );
  return { ...defaultLimits, ...options, maxBatchBytes, maxPendingBytes };
}
