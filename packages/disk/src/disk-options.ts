import type { Shape, StoredFields } from '@quorumlab/core';
import type { Cells } from './cells.ts';
import type { NoRoomError } from './errors.ts';
import type { LogOptions, RecordLog } from './types.ts';

/**
 * What a disk holds now, in batches that lead to it from nothing; they are read later, and what is
 * committed meanwhile is not in them. Nothing while half of a commit is in the log.
 */
export type Live = () => Iterable<Uint8Array> | undefined;

/** A log as a disk sees it. One without `rewrite` is compacted by whoever opened it. */
export type DiskLog = Pick<RecordLog, 'append' | 'maxBatchBytes' | 'close'> &
  Partial<Pick<RecordLog, 'rewrite' | 'bytes'>>;

/** What `openDisk` needs. */
export interface DiskOptions<S extends Shape> {
  /**
   * Opens the byte log: `(replay) => openLog(folder, { owner, replay })`, or the part of a group:
   * `(replay, live) => shared.open(group, { owner, replay, live })`.
   */
  readonly open: (replay: LogOptions['replay'], live: Live) => Promise<DiskLog>;
  /**
   * Opens the cells beside it: `() => openCells(folder, nodeFiles)`. Without them the rows of all
   * tables are kept in the log, and in memory.
   */
  readonly cells?: () => Promise<Cells>;
  /** The codec of the stable state: `protocol.stored`, or that of the service around it. */
  readonly stored: StoredFields<S>;
  /** The state of a replica that has never run: `protocol.stable()`. */
  readonly initial: S['Stable'];
  /** The log is compacted when it exceeds this, in bytes; 4 MiB unless told... */
  readonly compactAboveBytes?: number;
  /** ...and this many times its size after the last compaction; 4 unless told. */
  readonly compactAboveFactor?: number;
  /** Told when the log could not be compacted for lack of room; it goes on uncompacted. */
  readonly onNoRoom?: (error: NoRoomError) => void;
}
