/** Segments of a log: what stands in a file, and how one comes to be whole. */
import { join } from 'node:path';
import type { Buffers } from '@quorumlab/core';
import { isFull, LogLimitError, NoRoomError } from './errors.ts';
import type { Files, OpenFile } from './files.ts';
import {
  encodeRecord,
  encodeSegmentHeader,
  formatVersion,
  type RecordKind,
  recordBytes,
  segmentHeaderBytes,
} from './format.ts';
import { StateError } from './queue.ts';
import { segmentName, temporaryName } from './recover.ts';

/** State is written in pieces of about this size: the thread does nothing else meanwhile. */
const pieceBytes = 256 * 1024;
/** ... or of this many batches, if they are small. */
const pieceBatches = 4096;

/** What a log was opened with. */
export interface Settings {
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
export interface Current {
  file: OpenFile;
  sequence: number;
  salt: number;
  /** Where the next record goes. */
  tail: number;
  /** Size of the file; zeros from `tail` on. */
  size: number;
}

interface Encoded {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly link: number;
}

/** Records one after another, linked, with `spareBytes` zeros behind them. */
export function encodeGroup(
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
export async function createSegment(
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
