import { crc32c } from './crc32c.ts';

/*
 * A segment is a header and records, everything little-endian and aligned to eight bytes, followed
 * by nothing or by zeros. docs/decisions/011 says why each field is there.
 *
 * segment header (88 bytes)        record (32 bytes, payload, end)
 *  0 magic, 8 bytes                 0 u32 CRC-32C of bytes 4..31
 *  8 u32 version                    4 u32 payload length
 * 12 u32 flags (1: base)            8 u48 record number, u16 tag
 * 16 u64 sequence                  16 u48 durable, u16 kind
 * 24 u64 first record number       24 u32 link: CRC field of the record before
 * 32 u64 born                      28 u32 CRC-32C of all bytes from 32 to the end
 * 40 u32 link                      32 payload, masked; then masked zeros up to the
 * 44 u32 salt                         last byte of the next multiple of eight,
 * 48 owner hash, 32 bytes             which is 0xa5
 * 80 u32 zero
 * 84 u32 CRC-32C of bytes 0..83
 */

/** Size of a segment header in bytes. */
export const segmentHeaderBytes: number = 88;
/** Size of the fixed part before a record's payload in bytes. */
export const recordHeaderBytes: number = 32;
/** The format this code writes, and the only one it reads. */
export const formatVersion: number = 2;

const magic: readonly number[] = [0x51, 0x4c, 0x41, 0x42, 0x57, 0x41, 0x4c, 0x0a];
const recordTag = 0x5152;
const endMark = 0xa5;
const baseFlag = 1;

/** First bytes of a segment file. */
export interface SegmentHeader {
  readonly version: number;
  /** True if this segment replaces every segment before it. */
  readonly base: boolean;
  /** Position of this segment in the log, from 1. */
  readonly sequence: number;
  /** Number of the first record in this segment, from 1. */
  readonly firstRecord: number;
  /** Last record that was already durable when this file got its name. */
  readonly born: number;
  /** CRC field of the last record before this segment (0 in a base); the first record's link. */
  readonly link: number;
  /** Random; masks the payloads and seeds the CRCs of this segment. */
  readonly salt: number;
  /** SHA-256 of the owner. */
  readonly owner: Uint8Array;
}

/** A batch of the caller, or a mark that only says "all before me is durable". */
export type RecordKind = 'batch' | 'mark';

const kindCodes: Readonly<Record<RecordKind, number>> = { batch: 0x4142, mark: 0x4b4d };

/** The fixed part of a record whose CRC was right. */
export interface RecordHeader {
  readonly kind: RecordKind;
  /** Payload length in bytes. */
  readonly length: number;
  readonly number: number;
  /** Every record up to this number had been flushed before this one was written. */
  readonly durable: number;
  readonly link: number;
  /** The header's own CRC: the next record's link. */
  readonly crc: number;
  /** CRC over payload, padding and end mark. */
  readonly payloadCrc: number;
}

/** Size of a whole record with a payload of `length` bytes. */
export function recordBytes(length: number): number {
  return (recordHeaderBytes + length + 8) & ~7;
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function setU48(view: DataView, at: number, value: number): void {
  view.setUint32(at, value >>> 0, true);
  view.setUint16(at + 4, Math.floor(value / 2 ** 32), true);
}

function getU48(view: DataView, at: number): number {
  return view.getUint32(at, true) + view.getUint16(at + 4, true) * 2 ** 32;
}

/** The 88 bytes of a segment header. */
export function encodeSegmentHeader(header: SegmentHeader): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(segmentHeaderBytes);
  const view = viewOf(bytes);
  bytes.set(magic, 0);
  view.setUint32(8, header.version, true);
  view.setUint32(12, header.base ? baseFlag : 0, true);
  setU48(view, 16, header.sequence);
  setU48(view, 24, header.firstRecord);
  setU48(view, 32, header.born);
  view.setUint32(40, header.link, true);
  view.setUint32(44, header.salt, true);
  bytes.set(header.owner, 48);
  view.setUint32(84, crc32c(bytes, 0, 0, 84), true);
  return bytes;
}

/** The header in the first 88 of `bytes`; undefined if magic or CRC are wrong. */
export function decodeSegmentHeader(bytes: Uint8Array): SegmentHeader | undefined {
  if (bytes.length < segmentHeaderBytes) return undefined;
  if (magic.some((byte, i) => bytes[i] !== byte)) return undefined;
  const view = viewOf(bytes);
  if (crc32c(bytes, 0, 0, 84) !== view.getUint32(84, true)) return undefined;
  return {
    version: view.getUint32(8, true),
    base: view.getUint32(12, true) === baseFlag,
    sequence: getU48(view, 16),
    firstRecord: getU48(view, 24),
    born: getU48(view, 32),
    link: view.getUint32(40, true),
    salt: view.getUint32(44, true),
    owner: bytes.slice(48, 80),
  };
}

const isLittleEndian = new Uint8Array(Uint32Array.of(1).buffer)[0] === 1;

/**
 * Adds (or takes away) a key stream that depends on the segment's random salt and the record's
 * number. It is no encryption. It makes sure that a written payload holds no sector of zeros, so
 * that zeros mean "never arrived", and that no client can place bytes that look like a record.
 */
function mask(bytes: Uint8Array, start: number, end: number, salt: number, number: number): void {
  let state = (salt ^ Math.imul(number | 0, 0x9e3779b1) ^ 0x6a09e667) | 0;
  if (state === 0) state = 0x3c6ef372;
  let at = start;
  if (isLittleEndian && (bytes.byteOffset + start) % 4 === 0) {
    // Whole words at once: four times as fast.
    const words = new Int32Array(bytes.buffer, bytes.byteOffset + start, (end - start) >>> 2);
    for (let i = 0; i < words.length; i++) {
      state ^= state << 13;
      state ^= state >>> 17;
      state ^= state << 5;
      words[i] = words[i]! ^ state;
    }
    at += 4 * words.length;
  }
  while (at < end) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    bytes[at] = bytes[at]! ^ (state & 0xff);
    if (at + 1 < end) bytes[at + 1] = bytes[at + 1]! ^ ((state >>> 8) & 0xff);
    if (at + 2 < end) bytes[at + 2] = bytes[at + 2]! ^ ((state >>> 16) & 0xff);
    if (at + 3 < end) bytes[at + 3] = bytes[at + 3]! ^ (state >>> 24);
    at += 4;
  }
}

/** What `encodeRecord` needs beside the payload. */
export interface RecordFields {
  readonly kind: RecordKind;
  readonly number: number;
  readonly durable: number;
  readonly link: number;
  readonly salt: number;
}

/** Writes one record at `at` and returns its CRC field, the link of the record after it. */
export function encodeRecord(
  target: Uint8Array,
  view: DataView,
  at: number,
  fields: RecordFields,
  payload: Uint8Array,
): number {
  const body = at + recordHeaderBytes;
  const end = at + recordBytes(payload.length);
  target.set(payload, body);
  target.fill(0, body + payload.length, end - 1);
  mask(target, body, end - 1, fields.salt, fields.number);
  target[end - 1] = endMark;
  view.setUint32(at + 4, payload.length, true);
  setU48(view, at + 8, fields.number);
  view.setUint16(at + 14, recordTag, true);
  setU48(view, at + 16, fields.durable);
  view.setUint16(at + 22, kindCodes[fields.kind], true);
  view.setUint32(at + 24, fields.link, true);
  view.setUint32(at + 28, crc32c(target, fields.salt, body, end), true);
  const crc = crc32c(target, fields.salt, at + 4, body);
  view.setUint32(at, crc, true);
  return crc;
}

/** The record header at `at`; undefined if tag, kind or CRC are wrong. */
export function decodeRecordHeader(
  bytes: Uint8Array,
  view: DataView,
  at: number,
  salt: number,
): RecordHeader | undefined {
  if (view.getUint16(at + 14, true) !== recordTag) return undefined;
  const code = view.getUint16(at + 22, true);
  const kind = code === kindCodes.batch ? 'batch' : code === kindCodes.mark ? 'mark' : undefined;
  if (kind === undefined) return undefined;
  const crc = view.getUint32(at, true);
  if (crc32c(bytes, salt, at + 4, at + recordHeaderBytes) !== crc) return undefined;
  return {
    kind,
    length: view.getUint32(at + 4, true),
    number: getU48(view, at + 8),
    durable: getU48(view, at + 16),
    link: view.getUint32(at + 24, true),
    crc,
    payloadCrc: view.getUint32(at + 28, true),
  };
}

/** True if the body of the record at `at` (payload, padding, end mark) is as it was written. */
export function bodyIntact(
  bytes: Uint8Array,
  at: number,
  header: RecordHeader,
  salt: number,
): boolean {
  const end = at + recordBytes(header.length);
  return (
    bytes[end - 1] === endMark &&
    crc32c(bytes, salt, at + recordHeaderBytes, end) === header.payloadCrc
  );
}

/** A copy of the payload of the intact record at `at`. */
export function payloadOf(
  bytes: Uint8Array,
  at: number,
  header: RecordHeader,
  salt: number,
): Uint8Array {
  const body = at + recordHeaderBytes;
  const payload = bytes.slice(body, body + header.length);
  mask(payload, 0, payload.length, salt, header.number);
  return payload;
}
