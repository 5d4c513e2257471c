/**
 * The files of a log, written down a second time and plainly, as decision 011 and `format.ts` say
 * what stands where: what the log writes is compared with it, and damage that no accident makes is
 * forged with it, every checksum right.
 */
import { createHash } from 'node:crypto';
import type { DiskImage } from '../src/testing.ts';

/** Where forged logs lie. */
export const folder = '/log';

/** CRC-32C, bit by bit. */
export function plainCrc(bytes: Uint8Array, seed = 0): number {
  let crc = ~seed >>> 0;
  for (const byte of bytes) {
    crc = (crc ^ byte) >>> 0;
    for (let bit = 0; bit < 8; bit++) crc = ((crc >>> 1) ^ (crc % 2 === 1 ? 0x82f63b78 : 0)) >>> 0;
  }
  return ~crc >>> 0;
}

/** Number, position and width in bytes. */
type Part = readonly [value: number, at: number, width: number];

function put(target: Uint8Array, ...parts: readonly Part[]): void {
  for (const [value, at, width] of parts)
    for (let i = 0; i < width; i++) target[at + i] = Math.floor(value / 256 ** i) % 256;
}

/** The number of four bytes at `at`. */
export const wordAt = (bytes: Uint8Array, at: number): number =>
  new DataView(bytes.buffer, bytes.byteOffset).getUint32(at, true);

export const ownerHash = (owner: string): Uint8Array =>
  new Uint8Array(createHash('sha256').update(owner).digest());

/** A segment's header; what is left out is as in the first segment of a new log. */
export interface TwinHeader {
  readonly magic: string;
  readonly version: number;
  readonly flags: number;
  readonly sequence: number;
  readonly firstRecord: number;
  readonly born: number;
  readonly link: number;
  readonly salt: number;
  readonly owner: string;
}

const firstHeader: TwinHeader = {
  magic: 'QLABWAL\n',
  version: 2,
  flags: 1,
  sequence: 1,
  firstRecord: 1,
  born: 0,
  link: 0,
  salt: 0x1234_5678,
  owner: 'twin',
};

function headerOf(header: TwinHeader): Uint8Array {
  const bytes = new Uint8Array(88);
  bytes.set(new TextEncoder().encode(header.magic));
  put(
    bytes,
    [header.version, 8, 4],
    [header.flags, 12, 4],
    [header.sequence, 16, 6],
    [header.firstRecord, 24, 6],
    [header.born, 32, 6],
    [header.link, 40, 4],
    [header.salt, 44, 4],
  );
  bytes.set(ownerHash(header.owner), 48);
  put(bytes, [plainCrc(bytes.subarray(0, 84)), 84, 4]);
  return bytes;
}

/** One record; what is left out follows from the one before. */
export interface TwinRecord {
  readonly payload: string | Uint8Array;
  readonly number: number;
  readonly durable: number;
  readonly link: number;
  readonly kind: number;
  readonly tag: number;
  /** What the header says about the payload, true or not. */
  readonly length: number;
  readonly endMark: number;
}

/** Codes of the two kinds of records. */
export const kinds = { batch: 0x4142, mark: 0x4b4d };

/** `payload` as it stands in a file: with the key stream of this segment and record over it. */
function masked(payload: Uint8Array, salt: number, number: number): Uint8Array {
  const bytes = payload.slice();
  const low = number % 2 ** 32;
  let state = (salt ^ Math.imul(low, 0x9e3779b1) ^ 0x6a09e667) | 0;
  if (state === 0) state = 0x3c6ef372;
  for (let at = 0; at < bytes.length; at++) {
    if (at % 4 === 0) {
      state ^= state << 13;
      state ^= state >>> 17;
      state ^= state << 5;
    }
    bytes[at]! ^= (state >>> (8 * (at % 4))) & 0xff;
  }
  return bytes;
}

function recordOf(record: TwinRecord, salt: number): Uint8Array {
  const payload =
    typeof record.payload === 'string' ? new TextEncoder().encode(record.payload) : record.payload;
  const body = new Uint8Array(8 * Math.ceil((payload.length + 1) / 8) - 1);
  body.set(payload);
  const bytes = new Uint8Array(32 + body.length + 1);
  bytes.set(masked(body, salt, record.number), 32);
  put(
    bytes,
    [record.endMark, bytes.length - 1, 1],
    [record.length >= 0 ? record.length : payload.length, 4, 4],
    [record.number, 8, 6],
    [record.tag, 14, 2],
    [record.durable, 16, 6],
    [record.kind, 22, 2],
    [record.link, 24, 4],
  );
  put(bytes, [plainCrc(bytes.subarray(32), salt), 28, 4]);
  put(bytes, [plainCrc(bytes.subarray(4, 32), salt), 0, 4]);
  return bytes;
}

/** A segment's file, and where the log goes on behind it. */
export interface TwinSegment {
  readonly bytes: Uint8Array;
  readonly lastRecord: number;
  readonly link: number;
}

/** The file of a segment with these records, and `zeros` behind them. */
export function segmentOf(
  head: Partial<TwinHeader>,
  records: readonly Partial<TwinRecord>[],
  zeros = 0,
): TwinSegment {
  const header = { ...firstHeader, ...head };
  const parts = [headerOf(header)];
  let lastRecord = header.firstRecord - 1;
  let { link } = header;
  for (const record of records) {
    const usual = {
      ...{ payload: '', number: lastRecord + 1, durable: lastRecord, link },
      ...{ kind: kinds.batch, tag: 0x5152, length: -1, endMark: 0xa5 },
    };
    const bytes = recordOf({ ...usual, ...record }, header.salt);
    parts.push(bytes);
    lastRecord += 1;
    link = wordAt(bytes, 0);
  }
  return { bytes: joined([...parts, new Uint8Array(zeros)]), lastRecord, link };
}

const joined = (parts: readonly Uint8Array[]): Uint8Array => Uint8Array.from(Buffer.concat(parts));

/** One slot of the second place. */
export interface TwinSlot {
  readonly turn: number;
  readonly sequence: number;
  readonly record: number;
  readonly link: number;
  readonly version: number;
  readonly tag: number;
  readonly owner: string;
}

/** The second place with these two slots. */
export function flushedOf(...slots: readonly Partial<TwinSlot>[]): Uint8Array {
  const bytes = new Uint8Array(1024);
  for (const [i, each] of slots.entries()) {
    const slot = bytes.subarray(512 * i, 512 * i + 64);
    const usual = { turn: i, sequence: 0, record: 0, link: 0, version: 1, tag: 0x464c };
    const { turn, sequence, record, link, version, tag, owner } = {
      ...{ ...usual, owner: firstHeader.owner },
      ...each,
    };
    put(slot, [version, 4, 4], [turn, 8, 6], [tag, 14, 2]);
    put(slot, [sequence, 16, 6], [record, 24, 6], [link, 32, 4]);
    slot.set(ownerHash(owner).subarray(0, 24), 40);
    put(slot, [plainCrc(slot.subarray(4)), 0, 4]);
  }
  return bytes;
}

/** The path of a segment, or of another file of the log. */
export const pathOf = (file: string | number): string =>
  `${folder}/${typeof file === 'string' ? file : `${`${file}`.padStart(16, '0')}.log`}`;

/** A disk with these segments and a second place that says `said`, twice. */
export const diskOf = (
  segments: Readonly<Record<number, TwinSegment>>,
  said: Partial<TwinSlot>,
): DiskImage =>
  new Map([
    ...Object.entries(segments).map(
      ([sequence, { bytes }]) => [pathOf(Number(sequence)), bytes] as const,
    ),
    [pathOf('flushed.bin'), flushedOf({ turn: 2, ...said }, { turn: 3, ...said })],
  ]);
