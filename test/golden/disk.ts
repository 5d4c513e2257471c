/** The files of a disk. */
import {
  bytes,
  decode,
  encode,
  integer,
  list,
  type Random,
  record,
  text,
  word,
  writer,
  written,
} from '@quorumlab/core';
import { flushedName, openFlushed, readFlushed } from '../../packages/disk/src/flushed.ts';
import {
  bodyIntact,
  decodeRecordHeader,
  decodeSegmentHeader,
  encodeRecord,
  encodeSegmentHeader,
  formatVersion,
  payloadOf,
  type RecordFields,
  recordBytes,
  type SegmentHeader,
} from '../../packages/disk/src/format.ts';
import { joiner, piecesOf } from '../../packages/disk/src/pieces.ts';
import { storedCodec } from '../../packages/disk/src/stored.ts';
import { faultyFiles } from '../../packages/disk/src/testing.ts';
import type { Format, Kind } from './golden.ts';
import { words } from './of-field.ts';

/** Exactly so many bytes. */
const filled = (random: Random, length: number): Uint8Array =>
  Uint8Array.from({ length }, () => random.below(256));

const headerParts = record({
  sequence: integer(),
  firstRecord: integer(),
  born: integer(),
  link: words,
  salt: words,
});
const segment: Kind<SegmentHeader | undefined> = {
  sample: (random) => ({
    version: formatVersion,
    base: random.below(2) === 1,
    // The disk counts up to one less: numbers of six bytes.
    ...headerParts.sample({ below: (limit) => Math.min(random.below(limit), 2 ** 48 - 4) }),
    owner: filled(random, 32),
  }),
  encode: (value) => encodeSegmentHeader(value as SegmentHeader),
  decode: decodeSegmentHeader,
};

interface WholeRecord {
  readonly fields: RecordFields;
  readonly payload: Uint8Array;
}

const recordParts = record({
  kind: word('batch', 'mark'),
  number: integer(2 ** 48 - 1),
  durable: integer(2 ** 48 - 1),
  link: words,
});
const salt = 0x51ab;
const logRecord: Kind<WholeRecord> = {
  sample: (random) => ({
    fields: { ...recordParts.sample(random), salt },
    payload: bytes(99).sample(random),
  }),
  encode({ fields, payload }) {
    const coded = new Uint8Array(recordBytes(payload.length));
    encodeRecord(coded, new DataView(coded.buffer), 0, fields, payload);
    return coded;
  },
  decode(coded) {
    const header = decodeRecordHeader(coded, new DataView(coded.buffer), 0, salt);
    if (header === undefined || !bodyIntact(coded, 0, header, salt))
      throw new Error('the record is not intact');
    const { kind, number, durable, link } = header;
    return {
      fields: { kind, number, durable, link, salt },
      payload: payloadOf(coded, 0, header, salt),
    };
  },
};

/** The writes of one commit, as one text. */
const shape = { register: integer(), other: text(9), table: bytes(9) };
const initial = { register: 0, other: '', table: new Map<number, Uint8Array>() };
const codec = storedCodec(shape as never, initial as never);
type StoredWrite = Parameters<typeof codec.write>[1];

const commit: Kind<readonly StoredWrite[]> = {
  sample: (random) =>
    [
      { type: 'save', registers: { register: integer().sample(random) } },
      { type: 'save', registers: { other: text(9).sample(random), register: 1 } },
      { type: 'put', table: 'table', index: integer().sample(random), row: filled(random, 3) },
      { type: 'drop', table: 'table', rows: { from: integer().sample(random) } },
      { type: 'drop', table: 'table', rows: { below: integer().sample(random) } },
    ] as unknown as readonly StoredWrite[],
  encode(writes) {
    const to = writer();
    codec.writeFields(to);
    for (const write of writes) codec.write(to, write);
    return written(to);
  },
  decode(coded) {
    const writes: StoredWrite[] = [];
    codec.read(coded, { record: 1, first: true }, (write) => writes.push(write));
    return writes;
  },
};

/** Pieces of at most 40 bytes, each behind its length. */
const piece = bytes(40);
const pieces: Kind<Uint8Array> = {
  sample: (random) => filled(random, 41 + random.below(30)),
  // The bytes that are cut are written over.
  encode: (whole) => encode(list(piece, 9), [...piecesOf(whole.slice(), 40)]),
  decode(coded) {
    const join = joiner();
    for (const each of decode(list(piece, 9), coded)) {
      const whole = join(each);
      if (whole !== undefined) return whole;
    }
    throw new Error('a piece is missing');
  },
};

export const disk: Format = {
  name: 'disk',
  versions: { disk: formatVersion },
  raise: '`formatVersion` in packages/disk/src/format.ts',
  kinds: { 'segment header': segment, record: logRecord, commit, pieces },
};

const folder = '/golden';
const flushedPath = `${folder}/${flushedName}`;
const owner = { owner: 'golden', ownerHash: new Uint8Array(32).fill(7) };
const markParts = record({
  sequence: integer(2 ** 48 - 1),
  record: integer(2 ** 48 - 1),
  link: words,
});
const mark: Kind<ReturnType<typeof markParts.read>> = {
  sample: markParts.sample,
  async encode(value) {
    const files = faultyFiles();
    const flushed = await openFlushed(files, folder, owner.ownerHash, undefined);
    await flushed.say(value);
    // The first slot of two.
    const file = files.image().get(flushedPath) as Uint8Array;
    await flushed.close();
    return file.slice(0, 64);
  },
  async decode(slot) {
    const file = new Uint8Array(1024);
    file.set(slot);
    const found = await readFlushed(faultyFiles(new Map([[flushedPath, file]])), folder, owner);
    if (found === undefined) throw new Error('the slot says nothing');
    const { turn: _, ...mark } = found;
    return mark;
  },
};

/** What a file says that was flushed is stored in a file of its own, with its own version. */
export const flushed: Format = {
  name: 'flushed',
  versions: { flushed: (await mark.encode({ sequence: 0, record: 0, link: 0 }))[4] as number },
  raise: '`formatVersion` in packages/disk/src/flushed.ts',
  kinds: { mark },
};
