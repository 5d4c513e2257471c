import {
  SchemaError,
  type Shape,
  type StoredFields,
  type Write,
  writer,
  written,
} from '@quorumlab/core';
import { LogClosedError, NoRoomError } from './errors.ts';
import { joiner, piecesOf } from './pieces.ts';
import { applyWrite, DiskRecordError, type Fields, ownTables, storedCodec } from './stored.ts';
import type { LogOptions, RecordLog } from './types.ts';

/** The stable state of one replica on a disk. */
export interface Disk<S extends Shape> {
  /**
   * What the disk gave back; absent: a replica that has never committed anything. Yours to change.
   */
  readonly stable?: S['Stable'];
  /**
   * Resolves when `writes`, all of them, would survive losing power, and all earlier commits with
   * them. They are encoded at the call; rows and registers must not be changed in place afterwards.
   * The first rejection is final: every later call rejects with the same error, and the host stops.
   */
  commit(writes: readonly Write<S>[]): Promise<void>;
  /**
   * Waits for what was committed and closes the log. Rejects if anything had failed. Idempotent.
   */
  close(): Promise<void>;
}

/** What {@link openDisk} needs. */
export interface DiskOptions<S extends Shape> {
  /** Opens the byte log: `(replay) => openLog(folder, { owner, replay })`. */
  readonly open: (replay: LogOptions['replay']) => Promise<RecordLog>;
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

/** A compaction that found no room is tried again when the log has grown by this factor. */
const retryFactor = 1.25;
/** A buffer up to this size is kept for the next commit. */
const keptBytes = 4 * 1024 * 1024;
/** Batches of a compaction are about this large, in bytes. */
const compactionBatchBytes = 65_536;

/**
 * Opens the stable state in a log. Throws `DiskRecordError` if a batch cannot be read,
 * `DiskFieldsError` if it is that of another protocol or version, and what `open` throws.
 */
export async function openDisk<S extends Shape>(options: DiskOptions<S>): Promise<Disk<S>> {
  const codec = storedCodec<S>(options.stored, options.initial);
  const state = ownTables(options.initial);
  const join = joiner();
  let records = 0;
  let commits = 0;
  const log = await options.open((record) => {
    records += 1;
    const commit = named(records, () => join(record));
    if (commit === undefined) return;
    codec.read(commit, { record: records, first: commits++ === 0 }, (write) =>
      applyWrite(state, write),
    );
  });
  return diskOver(log, codec, state, commits > 0, options);
}

/** What only a damaged record can make `read` throw, as the error that says so. */
function named<T>(record: number, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof SchemaError)) throw error;
    throw new DiskRecordError(record, error.message, error);
  }
}

function diskOver<S extends Shape>(
  log: RecordLog,
  codec: ReturnType<typeof storedCodec<S>>,
  mirror: Fields,
  used: boolean,
  options: DiskOptions<S>,
): Disk<S> {
  const least = options.compactAboveBytes ?? 4 * 1024 * 1024;
  const factor = options.compactAboveFactor ?? 4;
  let out = writer(4096);
  /** The commit whose records are being appended, if it takes several: nothing may come between. */
  let appending: Promise<void> | undefined;
  let started = used;
  let compacted = 0;
  /** What the log held when there was no room to compact it; 0: there was. */
  let refusedAt = 0;
  let compacting: Promise<void> | undefined;
  let failure: { readonly error: unknown } | undefined;
  let closing: Promise<void> | undefined;

  const fail = (error: unknown): never => {
    failure ??= { error };
    throw failure.error;
  };

  /** The live state in batches, read while the log is rewritten; `mirror` goes on changing. */
  function* encoded(state: Fields): Generator<Uint8Array> {
    const to = writer(compactionBatchBytes + 4096);
    codec.writeFields(to);
    for (const write of codec.all(state)) {
      codec.write(to, write);
      if (to.length >= compactionBatchBytes) yield* piecesOf(written(to), log.maxBatchBytes);
    }
    if (to.length > 0) yield* piecesOf(written(to), log.maxBatchBytes);
  }

  function compact(): void {
    compacting = log.rewrite(encoded(ownTables(mirror))).then(
      () => {
        compacted = log.bytes;
        refusedAt = 0;
        compacting = undefined;
      },
      (error: unknown) => {
        // Told by the next commit, or by close: nobody waits for this promise alone.
        if (!(error instanceof NoRoomError)) failure ??= { error };
        else {
          refusedAt = log.bytes;
          options.onNoRoom?.(error);
        }
        compacting = undefined;
      },
    );
  }

  /** Puts the records of one commit into the log; one waits at a time. */
  async function appendAll(commit: Uint8Array): Promise<void> {
    for (const piece of piecesOf(commit, log.maxBatchBytes)) await log.append(piece);
  }

  function encodedWrites(writes: readonly Write<S>[]): Uint8Array {
    if (out.bytes.length > keptBytes) out = writer(4096);
    out.length = 0;
    if (!started) codec.writeFields(out);
    for (const write of writes) codec.write(out, write);
    return out.bytes.subarray(0, out.length);
  }

  async function commit(writes: readonly Write<S>[]): Promise<void> {
    while (appending !== undefined) await appending;
    if (failure !== undefined) throw failure.error;
    if (closing !== undefined) throw new LogClosedError();
    if (writes.length === 0) return;
    let appended: Promise<void>;
    try {
      const bytes = encodedWrites(writes);
      if (bytes.length <= log.maxBatchBytes) appended = log.append(bytes);
      else {
        appended = appendAll(bytes);
        appending = appended.catch(() => undefined);
        await appended;
        appending = undefined;
      }
      started = true;
      for (const write of writes) applyWrite(mirror, write);
    } catch (error) {
      appending = undefined;
      return fail(error);
    }
    // After one that found no room, another is worth its cost once the log has grown somewhat.
    const tooLarge = Math.max(least, factor * compacted, retryFactor * refusedAt);
    if (compacting === undefined && failure === undefined && log.bytes > tooLarge) compact();
    await appended.catch(fail);
  }

  async function close(): Promise<void> {
    while (appending !== undefined) await appending;
    await compacting;
    await log.close();
    if (failure !== undefined) throw failure.error;
  }

  return {
    ...(used ? { stable: ownTables(mirror) as S['Stable'] } : {}),
    commit,
    close: () => (closing ??= close()),
  };
}
