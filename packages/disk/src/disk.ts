import { SchemaError, type Shape, type Write, type Writer, writer, written } from '@quorumlab/core';
import type { Cell, Placed } from './cells.ts';
import type { DiskLog, DiskOptions, Live } from './disk-options.ts';
import { diskError, LogClosedError, NoRoomError, namedError } from './errors.ts';
import { joiner, type Part, partsOf, piecesOf } from './pieces.ts';
import { largeTables, type RowsBeside, rowsBeside, withCells } from './rows-beside.ts';
import { applyWrite, DiskRecordError, type Fields, ownTables, storedCodec } from './stored.ts';

/** The stable state of one replica on a disk. */
export interface Disk<S extends Shape> {
  /**
   * What the disk gave back; absent: a replica that has never committed anything. Yours to change,
   * but for tables whose rows are kept beside the log: their rows are read when they are asked for,
   * and only before the first commit.
   */
  readonly stable?: S['Stable'];
  /**
   * Resolves when `writes`, all of them, would survive losing power, and all earlier commits with
   * them. They are encoded at the call, or while they are written if they are many; rows and
   * registers must not be changed in place afterwards.
   * The first rejection is final: every later call rejects with the same error, and the host stops.
   */
  commit(writes: readonly Write<S>[]): Promise<void>;
  /**
   * A row of a table whose rows are kept beside the log, as of the last commit; nothing if there is
   * none, if it is damaged, or if it is not durable yet.
   */
  read(table: keyof S['Stable'], index: number): unknown;
  /**
   * Waits for what was committed and closes the log. Rejects if anything had failed. Idempotent.
   */
  close(): Promise<void>;
}

/** A compaction that found no room is tried again when the log has grown by this factor. */
const retryFactor = 1.25;
/**
 * A buffer up to this size is kept for the next commit, and a commit up to it is one record. A new
 * view may write a whole window of batches in one step.
 */
const keptBytes = 4 * 1024 * 1024;
/** Batches of a compaction are about this large, in bytes. */
const compactionBatchBytes = 65_536;

/**
 * Opens the stable state in a log. Throws `DiskRecordError` if a batch cannot be read,
 * `DiskFieldsError` if it is that of another protocol or version, and what `open` throws.
 */
export async function openDisk<S extends Shape>(options: DiskOptions<S>): Promise<Disk<S>> {
  const beside = options.cells === undefined ? [] : largeTables(options);
  const codec = storedCodec<S>(withCells(options.stored, beside), options.initial);
  const state = ownTables(options.initial);
  const join = joiner();
  let records = 0;
  let commits = 0;
  let disk: OpenDisk<S> | undefined;
  const read = (record: Uint8Array): void => {
    records += 1;
    const commit = named(records, () => join(record));
    if (commit === undefined) return;
    codec.read(commit, { record: records, first: commits++ === 0 }, (write) =>
      applyWrite(state, write),
    );
  };
  const log = await options.open(read, () => disk?.live());
  try {
    const rows = await rowsBeside(beside, state, options);
    disk = diskOver(log, codec, state, rows, commits > 0, options);
    return disk;
  } catch (error) {
    await log.close();
    throw namedError('opening the cells', error);
  }
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

/** A disk, and what whoever compacts its log asks of it. */
interface OpenDisk<S extends Shape> extends Disk<S> {
  readonly live: Live;
}

function diskOver<S extends Shape>(
  log: DiskLog,
  codec: ReturnType<typeof storedCodec<S>>,
  mirror: Fields,
  rows: RowsBeside,
  used: boolean,
  options: DiskOptions<S>,
): OpenDisk<S> {
  const { rewrite } = log;
  const least = options.compactAboveBytes ?? 4 * 1024 * 1024;
  const factor = options.compactAboveFactor ?? 4;
  let out = writer(4096);
  let started = used;
  let compacted = 0;
  /** What the log held when there was no room to compact it; 0: there was. */
  let refusedAt = 0;
  let compacting: Promise<void> | undefined;
  let failure: { readonly error: unknown } | undefined;
  let closing: Promise<void> | undefined;
  /** Settles when the batch before has been given to the log, if that waits for its cells. */
  let before: Promise<unknown> | undefined;

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

  /** Bytes of the log; none, if it is not compacted here. */
  const size = (): number => log.bytes ?? 0;

  function compact(rewritten: Promise<void>): void {
    compacting = rewritten.then(
      () => {
        compacted = size();
        refusedAt = 0;
        compacting = undefined;
      },
      (error: unknown) => {
        // Told by the next commit, or by close: nobody waits for this promise alone.
        if (!(error instanceof NoRoomError)) failure ??= { error };
        else {
          refusedAt = size();
          options.onNoRoom?.(error);
        }
        compacting = undefined;
      },
    );
  }

  /** Encodes the writes, one in each step. */
  function* encodedWrites(to: Writer, writes: readonly Write<S>[]): Generator<void> {
    if (!started) codec.writeFields(to);
    for (const write of writes) yield codec.write(to, write);
  }

  /** A commit as records: the first, or all that it takes, and what has to be encoded yet. */
  function encodedCommit(writes: readonly Write<S>[]): { first: Part; rest: Iterable<Part> } {
    if (out.bytes.length > keptBytes) out = writer(4096);
    out.length = 0;
    const parts = partsOf(out, encodedWrites(out, writes), Math.min(keptBytes, log.maxBatchBytes));
    // There is always one.
    const first = parts.next().value as Part;
    // The rest of a large one is encoded in there while others are committed.
    if (!first.isLast) out = writer(4096);
    return { first, rest: parts };
  }

  /** Appends a commit, after its cells and after the commits before it. */
  function append(writes: readonly Write<S>[], cells: readonly Placed[]): Promise<void> {
    const { first, rest } = encodedCommit(writes);
    if (cells.length === 0 && before === undefined && first.isLast) return log.append(first.bytes);
    const copy = first.bytes.slice();
    const turn = Promise.all([rows.write(cells), before])
      .catch((error: unknown) => fail(diskError('append', error)))
      .then(async () => {
        // In an object, so that the turn of the next commit comes before this one is durable.
        if (first.isLast) return { durable: log.append(copy) };
        // Nothing may come between the records of a large one; one waits at a time.
        await log.append(copy);
        for (const { bytes } of rest) await log.append(bytes);
        return { durable: undefined };
      })
      .finally(() => {
        if (before === turn) before = undefined;
      });
    before = turn;
    return turn.then(({ durable }) => durable);
  }

  function maybeCompact(): void {
    // After one that found no room, another is worth its cost once the log has grown somewhat.
    const tooLarge = Math.max(least, factor * compacted, retryFactor * refusedAt);
    // What waits for its cells is in the mirror already, and must not be durable before them.
    const isQuiet = compacting === undefined && failure === undefined && before === undefined;
    if (isQuiet && rewrite !== undefined && size() > tooLarge)
      compact(rewrite(encoded(ownTables(mirror))));
  }

  async function commit(writes: readonly Write<S>[]): Promise<void> {
    if (failure !== undefined) throw failure.error;
    if (closing !== undefined) throw new LogClosedError();
    if (writes.length === 0) return;
    let appended: Promise<void>;
    const left: Cell[] = [];
    try {
      const placed = rows.place(writes);
      appended = append(placed.writes, placed.cells);
      started = true;
      for (const write of placed.writes) {
        left.push(...rows.leaving(mirror, write));
        applyWrite(mirror, write);
      }
    } catch (error) {
      return fail(error);
    }
    maybeCompact();
    await appended.catch(fail);
    rows.free(left);
    maybeCompact();
  }

  async function close(): Promise<void> {
    await before?.catch(() => undefined);
    await compacting;
    try {
      await rows.close();
    } finally {
      // Last of all: it lets others into the folder.
      await log.close();
    }
    if (failure !== undefined) throw failure.error;
  }

  return {
    ...(used ? { stable: rows.open(ownTables(mirror)) as S['Stable'] } : {}),
    commit,
    read: (table, index) => rows.read(mirror, String(table), index),
    close: () => (closing ??= close()),
    live: () => (before === undefined ? encoded(ownTables(mirror)) : undefined),
  };
}
