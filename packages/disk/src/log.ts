import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { type Buffers, buffers } from '@quorumlab/core';
import { isFull, LogLimitError, NoRoomError, namedError } from './errors.ts';
import { type Files, nodeFiles, type OpenFile } from './files.ts';
import { type FlushedFile, type Mark, openFlushed } from './flushed.ts';
import {
  encodeRecord,
  encodeSegmentHeader,
  formatVersion,
  type RecordKind,
  recordBytes,
  segmentHeaderBytes,
} from './format.ts';
import { type Backend, commitQueue, StateError, spareBytes } from './queue.ts';
import { type Recovered, recover, segmentName, temporaryName } from './recover.ts';
import { type LogOptions, limitsOf, type RecordLog } from './types.ts';

/** Only groups up to this size are followed by zeros: a large one pays for its new size anyway. */
const smallGroupBytes = 8 * 1024;
/** State is written in pieces of about this size: the thread does nothing else meanwhile. */
const pieceBytes = 256 * 1024;
/** ... or of this many batches, if they are small. */
const pieceBatches = 4096;

interface Settings {
  readonly files: Files;
  readonly folder: string;
  readonly ownerHash: Uint8Array;
  readonly segmentBytes: number;
  readonly preallocateBytes: number;
  readonly maxBatchBytes: number;
  /** Whether what a call has written is proven in the second place before the call resolves. */
  readonly proveEach: boolean;
  readonly spare: Buffers;
}

/** The segment that grows; the only mutable part of a log beside its counters. */
interface Current {
  file: OpenFile;
  sequence: number;
  salt: number;
  /** Where the next record goes. */
  tail: number;
  /** Size of the file; zeros from `tail` on. */
  size: number;
}

interface LogState {
  current: Current;
  /** Names of the segments before the current one. */
  sealed: string[];
  sealedBytes: number;
  /** Number of the last record; all of them are durable between two groups. */
  lastRecord: number;
  link: number;
  /** True if the end of the log proves that all its records are durable. */
  marked: boolean;
  readonly flushed: FlushedFile;
}

/** Where the log ends, all of it being flushed. */
const markOf = ({ current, lastRecord, link }: LogState): Mark => ({
  sequence: current.sequence,
  record: lastRecord,
  link,
});

/** Hash of the owner as it stands in a segment header. */
export function hashOwner(owner: string): Uint8Array {
  return new Uint8Array(createHash('sha256').update(owner, 'utf8').digest());
}

/** The caller's batches; what reading them throws becomes a StateError. */
export function* guardState(
  state: Iterable<Uint8Array>,
  maxBatchBytes: number,
): Generator<Uint8Array, void, void> {
  try {
    for (const batch of state) {
      if (batch.length > maxBatchBytes) {
        const what = `A batch of ${batch.length} bytes is too large for the log`;
        throw new LogLimitError(what, maxBatchBytes);
      }
      yield batch;
    }
  } catch (error) {
    throw new StateError(error);
  }
}

interface Encoded {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly link: number;
}

function encodeGroup(
  spare: Buffers,
  batches: readonly Uint8Array[],
  kind: RecordKind,
  first: number,
  durable: number,
  link: number,
  salt: number,
  spareBytes: number,
): Encoded {
  let size = 0;
  for (const batch of batches) size += recordBytes(batch.length);
  const bytes = spare.take(size + spareBytes);
  bytes.fill(0, size);
  const view = new DataView(bytes.buffer);
  let at = 0;
  let last = link;
  for (const [i, batch] of batches.entries()) {
    const fields = { kind, number: first + i, durable, link: last, salt };
    last = encodeRecord(bytes, view, at, fields, batch);
    at += recordBytes(batch.length);
  }
  return { bytes, link: last };
}

/** Appends records and flushes once. */
async function writeRecords(
  settings: Settings,
  log: LogState,
  batches: readonly Uint8Array[],
  kind: RecordKind,
): Promise<void> {
  const { current } = log;
  let size = 0;
  for (const batch of batches) size += recordBytes(batch.length);
  const grows = current.tail + size > current.size;
  const more = grows && size <= smallGroupBytes ? settings.preallocateBytes : 0;
  const first = log.lastRecord + 1;
  const { lastRecord, link } = log;
  const { spare } = settings;
  const group = encodeGroup(spare, batches, kind, first, lastRecord, link, current.salt, more);
  await current.file.write(group.bytes, current.tail);
  await current.file.datasync();
  current.size = Math.max(current.size, current.tail + group.bytes.length);
  spare.give(group.bytes);
  current.tail += size;
  log.lastRecord += batches.length;
  log.link = group.link;
  log.marked = kind === 'mark';
  if (settings.proveEach) await log.flushed.prove(markOf(log));
  else await log.flushed.say(markOf(log));
}

interface NewSegment {
  readonly base: boolean;
  readonly sequence: number;
  readonly firstRecord: number;
  readonly link: number;
}

interface Filled {
  readonly current: Current;
  readonly lastRecord: number;
  readonly link: number;
}

/**
 * Fills a temporary file, flushes it, and only then gives it its name: so a segment with a name is
 * whole. `state` is what a base starts with.
 */
async function createSegment(
  settings: Settings,
  segment: NewSegment,
  state: Iterable<Uint8Array>,
): Promise<Filled> {
  const { files, folder } = settings;
  const temporary = join(folder, temporaryName(segment.sequence));
  const salt = files.salt();
  const noRoom = (error: unknown): unknown =>
    isFull(error) ? new NoRoomError(folder, error) : error;
  const file = await files.open(temporary, 'create').catch((error: unknown) => {
    throw noRoom(error);
  });
  let written: Awaited<ReturnType<typeof writeState>>;
  try {
    written = await writeState(file, segment, salt, state, settings);
    await file.datasync();
    await files.rename(temporary, join(folder, segmentName(segment.sequence)));
  } catch (error) {
    // Without its name it is no part of the log, and what it takes may be all the room there is.
    await file.close();
    await files.unlink(temporary);
    throw noRoom(error);
  }
  try {
    await files.syncFolder(folder);
  } catch (error) {
    await file.close();
    throw error;
  }
  const { tail, lastRecord, link } = written;
  const current = { file, sequence: segment.sequence, salt, tail, size: tail };
  return { current, lastRecord, link };
}

/** Writes header and state. The header comes last: it says how many records belong to the state. */
async function writeState(
  file: OpenFile,
  segment: NewSegment,
  salt: number,
  state: Iterable<Uint8Array>,
  settings: Settings,
): Promise<{ tail: number; lastRecord: number; link: number }> {
  let tail = segmentHeaderBytes;
  let lastRecord = segment.firstRecord - 1;
  let link = segment.link;
  const durable = lastRecord;
  const flush = async (piece: readonly Uint8Array[]): Promise<void> => {
    const { spare } = settings;
    const group = encodeGroup(spare, piece, 'batch', lastRecord + 1, durable, link, salt, 0);
    await file.write(group.bytes, tail);
    tail += group.bytes.length;
    spare.give(group.bytes);
    lastRecord += piece.length;
    link = group.link;
  };
  let piece: Uint8Array[] = [];
  let size = 0;
  for (const batch of guardState(state, settings.maxBatchBytes)) {
    piece.push(batch);
    size += batch.length;
    if (size < pieceBytes && piece.length < pieceBatches) continue;
    await flush(piece);
    piece = [];
    size = 0;
  }
  await flush(piece);
  const header = encodeSegmentHeader({
    version: formatVersion,
    base: segment.base,
    sequence: segment.sequence,
    firstRecord: segment.firstRecord,
    born: lastRecord,
    link: segment.link,
    salt,
    owner: settings.ownerHash,
  });
  await file.write(header, 0);
  return { tail, lastRecord, link };
}

/** Cuts a torn tail and makes everything that was read durable. */
async function resume(settings: Settings, found: Recovered): Promise<LogState> {
  const { files, folder } = settings;
  const last = found.segments.at(-1)!;
  const file = await files.open(join(folder, last.name), 'update');
  const current: Current = {
    file,
    sequence: last.header.sequence,
    salt: last.header.salt,
    tail: found.tail,
    size: found.torn ? found.tail : found.lastSize,
  };
  const flushed = await openFlushed(files, folder, settings.ownerHash, found.flushed).catch(
    async (error: unknown) => {
      await file.close();
      throw error;
    },
  );
  const log: LogState = {
    current,
    flushed,
    sealed: found.segments.slice(0, -1).map((segment) => segment.name),
    sealedBytes: found.sealedBytes,
    lastRecord: found.lastRecord,
    link: found.link,
    marked: found.marked,
  };
  try {
    // What takes room comes after what gives it back: these may be why the disk is full.
    for (const name of found.unnamed) await files.unlink(join(folder, name));
    if (found.torn) await file.truncate(found.tail);
    // What was just read may only have been in the page cache of a process that was killed. It
    // must be durable before the mark below may say so, and before the caller acts on it; and the
    // name of a base before the segments go that it replaced.
    await file.datasync();
    await files.syncFolder(folder);
    for (const name of found.replaced) await files.unlink(join(folder, name));
    if (found.replaced.length > 0) await files.syncFolder(folder);
    if (!log.marked) await writeRecords(settings, log, [new Uint8Array(0)], 'mark');
    await flushed.prove(markOf(log));
    return log;
  } catch (error) {
    await flushed.close();
    await file.close();
    throw error;
  }
}

/** Starts a log in an empty folder. */
async function start(settings: Settings, found: Recovered): Promise<LogState> {
  const { files, folder } = settings;
  for (const name of found.unnamed) await files.unlink(join(folder, name));
  // Its name may only have been in memory, and must not be lost once there is a segment.
  if (found.flushed !== undefined) await files.syncFolder(folder);
  const flushed = await openFlushed(files, folder, settings.ownerHash, found.flushed);
  try {
    const segment = { base: true, sequence: 1, firstRecord: 1, link: 0 };
    const filled = await createSegment(settings, segment, []);
    const log = { ...filled, sealed: [], sealedBytes: 0, marked: true, flushed };
    await flushed.prove(markOf(log)).catch(async (error: unknown) => {
      await filled.current.file.close();
      throw error;
    });
    return log;
  } catch (error) {
    await flushed.close();
    throw error;
  }
}

/** Continues in a new segment. */
async function rotate(settings: Settings, log: LogState): Promise<void> {
  const { current } = log;
  const segment = {
    base: false,
    sequence: current.sequence + 1,
    firstRecord: log.lastRecord + 1,
    link: log.link,
  };
  const filled = await createSegment(settings, segment, []);
  log.sealed.push(segmentName(current.sequence));
  log.sealedBytes += current.tail;
  log.current = filled.current;
  log.marked = true;
  await current.file.close();
  // From here on its loss is not silent; nothing in it has been acknowledged before.
  await log.flushed.prove(markOf(log));
}

/** Puts a base with the new state after the log; its name is what makes the old part void. */
async function replaceAll(
  settings: Settings,
  log: LogState,
  state: Iterable<Uint8Array>,
): Promise<void> {
  const { files, folder } = settings;
  const { current } = log;
  const segment = {
    base: true,
    sequence: current.sequence + 1,
    firstRecord: log.lastRecord + 1,
    link: 0,
  };
  const filled = await createSegment(settings, segment, state);
  const old = [...log.sealed, segmentName(current.sequence)];
  log.current = filled.current;
  log.lastRecord = filled.lastRecord;
  log.link = filled.link;
  log.marked = true;
  log.sealed = [];
  log.sealedBytes = 0;
  await current.file.close();
  await log.flushed.prove(markOf(log));
  for (const name of old) await files.unlink(join(folder, name));
  await files.syncFolder(folder);
}

function backendOf(settings: Settings, log: LogState, unlock: () => void): Backend {
  return {
    writeGroup: async (batches) => {
      if (log.current.tail >= settings.segmentBytes) await rotate(settings, log);
      await writeRecords(settings, log, batches, 'batch');
    },
    writeState: (state) => replaceAll(settings, log, state),
    bytes: () => log.sealedBytes + log.current.tail,
    finish: async () => {
      if (!log.marked) await writeRecords(settings, log, [new Uint8Array(0)], 'mark');
      await log.flushed.prove(markOf(log));
    },
    release: async () => {
      try {
        await log.flushed.close();
        await log.current.file.close();
      } finally {
        unlock();
      }
    },
  };
}

/**
 * Opens the log in `folder`, or starts one, on plain files. Before it resolves every durable batch
 * has gone to `options.replay`, a torn tail has been cut, and what was read is durable again.
 * Throws DamagedLogError, FolderLockedError, WrongOwnerError, UnknownFormatError, UnsafePathError,
 * MissingLogError, DiskFullError or DiskFailedError; after each of the first six nothing in the
 * log was changed.
 */
export async function openLog(folder: string, options: LogOptions): Promise<RecordLog> {
  const files = options.files ?? nodeFiles;
  const limits = limitsOf(options);
  const ownerHash = hashOwner(options.owner);
  const settings: Settings = {
    files,
    folder,
    ownerHash,
    segmentBytes: limits.segmentBytes,
    preallocateBytes: limits.preallocateBytes,
    maxBatchBytes: limits.maxBatchBytes,
    proveEach: options.acknowledge === 'proven',
    spare: buffers(spareBytes),
  };
  try {
    await files.prepareFolder(folder);
    const unlock = await files.lock(folder);
    try {
      const { owner, replay, mustExist = false } = options;
      const found = await recover(files, folder, { owner, ownerHash, replay, mustExist });
      const log =
        found.segments.length === 0 ? await start(settings, found) : await resume(settings, found);
      return commitQueue(backendOf(settings, log, unlock), limits, settings.spare);
    } catch (error) {
      unlock();
      throw error;
    }
  } catch (error) {
    throw namedError(`opening ${folder}`, error);
  }
}
