import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { buffers } from '@quorumlab/core';
import { namedError } from './errors.ts';
import { nodeFiles } from './files.ts';
import { type FlushedFile, type Mark, openFlushed } from './flushed.ts';
import { type RecordKind, recordBytes } from './format.ts';
import { type Backend, commitQueue, spareBytes } from './queue.ts';
import { type Recovered, recover, segmentName } from './recover.ts';
import { type Current, createSegment, encodeGroup, type Settings } from './segment.ts';
import { type LogOptions, limitsOf, type RecordLog } from './types.ts';

/** Only groups up to this size are followed by zeros: a large one pays for its new size anyway. */
const smallGroupBytes = 8 * 1024;
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
