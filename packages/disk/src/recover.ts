import { join } from 'node:path';
import {
  DamagedLogError,
  MissingLogError,
  UnknownFormatError,
  UnsafePathError,
  WrongOwnerError,
} from './errors.ts';
import type { Files, OpenFile } from './files.ts';
import { flushedName, flushedTemporaryName, type Mark, readFlushed, unproven } from './flushed.ts';
import {
  bodyIntact,
  decodeRecordHeader,
  decodeSegmentHeader,
  formatVersion,
  payloadOf,
  type RecordHeader,
  recordBytes,
  recordHeaderBytes,
  type SegmentHeader,
  segmentHeaderBytes,
} from './format.ts';
import { lastNonZero, type Reader, readerOf } from './reader.ts';

/** The unit a disk writes whole or not at all; larger real units only make fewer tears. */
const sectorBytes = 512;
/** Records start at multiples of this. */
const alignment = 8;
const segmentPattern = /^(\d{16})\.log$/;
const temporaryPattern = /^\d{16}\.tmp$/;

/** File name of a segment. */
export function segmentName(sequence: number): string {
  return `${String(sequence).padStart(16, '0')}.log`;
}

/** Name of a segment file that is not part of the log yet. */
export function temporaryName(sequence: number): string {
  return `${String(sequence).padStart(16, '0')}.tmp`;
}

/** A segment that belongs to the log. */
export interface Segment {
  readonly name: string;
  readonly header: SegmentHeader;
}

/** What the files say, before anything is changed. */
export interface Recovered {
  /** Segments of the log, oldest first; empty if there is no log yet. */
  readonly segments: readonly Segment[];
  /** Position after the last good record of the last segment. */
  readonly tail: number;
  /** Size of the last segment's file. */
  readonly lastSize: number;
  /** True if bytes after `tail` have to be cut away: a write that was never acknowledged. */
  readonly torn: boolean;
  /** Number of the last good record; 0 if none. */
  readonly lastRecord: number;
  /** CRC field of the last record: the next record's link. */
  readonly link: number;
  /** True if the end of the log proves by itself that every record was flushed. */
  readonly marked: boolean;
  /** Bytes of all segments up to their last good record, without the last segment. */
  readonly sealedBytes: number;
  /** Segments that a newer base has replaced. */
  readonly replaced: readonly string[];
  /** Files of segments that were never finished. */
  readonly unnamed: readonly string[];
  /** What the second place says; absent if there is none, as before a log was ever started. */
  readonly flushed: Awaited<ReturnType<typeof readFlushed>>;
}

/** What recovery needs to know. */
export interface RecoverOptions {
  readonly owner: string;
  readonly ownerHash: Uint8Array;
  readonly replay: (batch: Uint8Array) => void;
  readonly mustExist: boolean;
}

interface Progress {
  readonly next: number;
  readonly link: number;
}

interface ScanResult extends Progress {
  readonly tail: number;
  readonly size: number;
  readonly torn: boolean;
  readonly marked: boolean;
}

async function openSafely(files: Files, path: string): Promise<OpenFile> {
  const kind = await files.kind(path);
  if (kind !== 'file') throw new UnsafePathError(path, 'a log file must be a regular file');
  return files.open(path, 'read');
}

async function withFile<T>(
  files: Files,
  path: string,
  use: (file: OpenFile) => Promise<T>,
): Promise<T> {
  const file = await openSafely(files, path);
  try {
    return await use(file);
  } finally {
    await file.close();
  }
}

function checkOwner(header: SegmentHeader, path: string, options: RecoverOptions): void {
  if (header.owner.some((byte, i) => byte !== options.ownerHash[i])) {
    throw new WrongOwnerError(path, options.owner);
  }
}

async function readSegment(
  files: Files,
  folder: string,
  name: string,
  options: RecoverOptions,
): Promise<Segment> {
  const path = join(folder, name);
  return withFile(files, path, async (file) => {
    const bytes = new Uint8Array(segmentHeaderBytes);
    const length = await file.read(bytes, 0);
    const header = decodeSegmentHeader(bytes.subarray(0, length));
    // A segment gets its name only after its header was flushed: it cannot be torn.
    if (header === undefined) throw new DamagedLogError(path, 0, 0, 'its header is not valid');
    if (header.version !== formatVersion) throw new UnknownFormatError(path, header.version);
    checkOwner(header, path, options);
    if (segmentName(header.sequence) !== name) {
      throw new DamagedLogError(path, 0, header.firstRecord, 'it is another segment, renamed');
    }
    return { name, header };
  });
}

/** Newest segments down to the first base: these are the log. What is older was replaced. */
async function findSegments(
  files: Files,
  folder: string,
  names: readonly string[],
  options: RecoverOptions,
): Promise<readonly Segment[]> {
  const segments: Segment[] = [];
  for (let i = names.length - 1; i >= 0; i--) {
    const segment = await readSegment(files, folder, names[i]!, options);
    const newer = segments.at(-1);
    if (newer !== undefined && segment.header.sequence !== newer.header.sequence - 1) {
      const path = join(folder, newer.name);
      throw new DamagedLogError(path, 0, newer.header.firstRecord, 'the segment before is missing');
    }
    segments.push(segment);
    if (segment.header.base) return segments.reverse();
  }
  const oldest = segments.at(-1);
  if (oldest === undefined) return [];
  const path = join(folder, oldest.name);
  throw new DamagedLogError(path, 0, oldest.header.firstRecord, 'the segment before is missing');
}

/** Is there, after `from`, a record that proves that record `number` had been flushed? */
async function provenLater(
  reader: Reader,
  from: number,
  salt: number,
  number: number,
): Promise<boolean> {
  const end = reader.size - recordHeaderBytes;
  for (let at = from; at <= end; at += alignment) {
    const window =
      reader.cached(at, recordHeaderBytes) ?? (await reader.load(at, recordHeaderBytes));
    const header = decodeRecordHeader(window.bytes, window.view, window.at, salt);
    if (header !== undefined && header.durable >= number) return true;
  }
  return false;
}

/**
 * Could losing power in the middle of one write have left the bytes [from, end)? The place held
 * zeros before. Either some sector of it never arrived, or the write was cut at some byte.
 */
async function looksTorn(
  reader: Reader,
  from: number,
  end: number,
  lastByte: number,
): Promise<boolean> {
  if (lastByte < end - 1) return true;
  for (let start = from; start < end; ) {
    const stop = Math.min(end, (Math.floor(start / sectorBytes) + 1) * sectorBytes);
    const { bytes, at } = await reader.load(start, stop - start);
    let zeros = 0;
    while (zeros < stop - start && bytes[at + zeros] === 0) zeros += 1;
    if (zeros === stop - start) return true;
    start = stop;
  }
  return false;
}

/** Where in the log something is judged. */
interface Place {
  readonly segment: Segment;
  readonly isLast: boolean;
  readonly position: number;
  /** What the second place says. */
  readonly flushed: Mark;
}

/** Judges what stands where record `number` should be: an end, a tear (true), or damage. */
async function judgeTail(
  reader: Reader,
  path: string,
  { segment, isLast, position, flushed }: Place,
  { next: number, link }: Progress,
  found: RecordHeader | undefined,
): Promise<boolean> {
  const damaged = (why: string): never => {
    throw new DamagedLogError(path, position, number, why);
  };
  const { born, salt } = segment.header;
  const lastByte = await lastNonZero(reader, position);
  if (number <= born) damaged('a record is missing that was flushed with the segment');
  if (isLast && number <= flushed.record)
    damaged(`the log ends here, and ${flushedName} proves records up to ${flushed.record}`);
  if (lastByte === undefined) return false;
  if (!isLast) damaged('a record is bad, and a newer segment proves that it was flushed');
  if (found !== undefined && (found.number !== number || found.link !== link)) {
    damaged('a record stands here that belongs elsewhere');
  }
  if (await provenLater(reader, position + alignment, salt, number)) {
    damaged('a record is bad, and a later one proves that it was flushed');
  }
  const size = found === undefined ? recordHeaderBytes : recordBytes(found.length);
  if (!(await looksTorn(reader, position, position + size, lastByte))) {
    damaged('the last record arrived whole and was changed afterwards');
  }
  return true;
}

/** Throws if the second place names another record than the one that stands here. */
function checkSame(flushed: Mark, number: number, link: number, path: string, at: number): void {
  if (number !== flushed.record || link === flushed.link) return;
  const why = `${flushedName} was written beside another copy of the log`;
  throw new DamagedLogError(path, at, number, why);
}

async function scanSegment(
  reader: Reader,
  path: string,
  segment: Segment,
  isLast: boolean,
  flushed: Mark,
  replay: (batch: Uint8Array) => void,
): Promise<ScanResult> {
  const { salt } = segment.header;
  let position = segmentHeaderBytes;
  let next = segment.header.firstRecord;
  let link = segment.header.link;
  // A segment is born with everything before it flushed.
  let marked = true;
  const place = (): Place => ({ segment, isLast, position, flushed });
  for (;;) {
    const top =
      reader.cached(position, recordHeaderBytes) ??
      (await reader.load(position, recordHeaderBytes));
    const found = decodeRecordHeader(top.bytes, top.view, top.at, salt);
    const size = found === undefined ? 0 : recordBytes(found.length);
    const expected =
      found !== undefined &&
      found.number === next &&
      found.link === link &&
      position + size <= reader.size;
    if (!expected) {
      const torn = await judgeTail(reader, path, place(), { next, link }, found);
      return { next, link, tail: position, size: reader.size, torn, marked };
    }
    const whole = reader.cached(position, size) ?? (await reader.load(position, size));
    if (!bodyIntact(whole.bytes, whole.at, found, salt)) {
      const torn = await judgeTail(reader, path, place(), { next, link }, found);
      return { next, link, tail: position, size: reader.size, torn, marked };
    }
    checkSame(flushed, next, found.crc, path, position);
    if (found.kind === 'batch') replay(payloadOf(whole.bytes, whole.at, found, salt));
    marked = found.kind === 'mark' || next === segment.header.born;
    position += size;
    next += 1;
    link = found.crc;
  }
}

/** Throws if the newest segment is missing, or the second place itself. */
function checkNewest(folder: string, newest: Segment | undefined, flushed: Mark | undefined): Mark {
  if (flushed === undefined) {
    if (newest === undefined) return { sequence: 0, record: 0, link: 0 };
    throw unproven(folder);
  }
  const { sequence, record } = flushed;
  if (sequence > (newest?.header.sequence ?? 0)) {
    const path = join(folder, segmentName(sequence));
    throw new DamagedLogError(path, 0, record, `it is missing, and ${flushedName} proves it`);
  }
  return flushed;
}

/**
 * Reads the log, gives every batch to `replay`, and judges its end. Changes nothing, so that a
 * damaged log is left exactly as it was found. The rules are in docs/decisions/011.
 */
export async function recover(
  files: Files,
  folder: string,
  options: RecoverOptions,
): Promise<Recovered> {
  const all = await files.list(folder);
  const names = all.filter((name) => segmentPattern.test(name)).sort();
  const unnamed = all.filter(
    (name) => temporaryPattern.test(name) || name === flushedTemporaryName,
  );
  const segments = await findSegments(files, folder, names, options);
  const flushed = await readFlushed(files, folder, options);
  const proof = checkNewest(folder, segments.at(-1), flushed);
  if (segments.length === 0 && options.mustExist) throw new MissingLogError(folder);
  const replaced = names.slice(0, names.length - segments.length);
  let state: ScanResult | undefined;
  let sealedBytes = 0;
  for (const [i, segment] of segments.entries()) {
    const path = join(folder, segment.name);
    const { header } = segment;
    if (state !== undefined && (header.firstRecord !== state.next || header.link !== state.link)) {
      const before = join(folder, segments[i - 1]!.name);
      throw new DamagedLogError(before, state.tail, state.next, 'its end is missing');
    }
    if (state !== undefined) sealedBytes += state.tail;
    const isLast = i === segments.length - 1;
    state = await withFile(files, path, async (file) =>
      scanSegment(await readerOf(file), path, segment, isLast, proof, options.replay),
    );
  }
  return {
    segments,
    tail: state?.tail ?? 0,
    lastSize: state?.size ?? 0,
    torn: state?.torn ?? false,
    lastRecord: (state?.next ?? 1) - 1,
    link: state?.link ?? 0,
    marked: state?.marked ?? false,
    sealedBytes,
    replaced,
    unnamed,
    flushed,
  };
}
