/**
 * Damage that no checksum shows: forged with the twin of the format, every checksum right. What is
 * refused leaves the disk as it was, and the error names the place.
 */
import { describe, expect, test } from 'vitest';
import { counted, opened, textOf } from '../test/opened.ts';
import {
  diskOf,
  flushedOf,
  folder,
  kinds,
  pathOf,
  segmentOf,
  type TwinHeader,
  type TwinRecord,
  type TwinSegment,
} from '../test/twin.ts';
import { type DiskImage, faultyFiles } from './testing.ts';
import type { LogOptions } from './types.ts';

/** What opening gives: the batches as text, or the error. */
async function outcome(image: DiskImage, options: Partial<LogOptions> = {}): Promise<unknown> {
  const files = faultyFiles(image);
  const count = counted(files);
  try {
    const { batches } = await opened(count.files, { preallocateBytes: 0, ...options });
    return batches.map(textOf);
  } catch (error) {
    expect(files.journal).toEqual([]);
    // And all was given back.
    expect(count.open).toBe(0);
    (await files.lock(folder))();
    return error;
  }
}

const three: readonly Partial<TwinRecord>[] = [
  { payload: 'one' },
  { payload: 'two' },
  { payload: 'three' },
];
/** Bytes of a header and of each of these records. */
const [head, record] = [88, 40];

/** The disk of one segment; the second place says what a log with these records says. */
function one(
  records: readonly Partial<TwinRecord>[],
  header: Partial<TwinHeader> = {},
  said = 0,
  zeros = 0,
): DiskImage {
  const forged = segmentOf(header, records, zeros);
  const proven = segmentOf(header, records.slice(0, said));
  return diskOf({ 1: forged }, { sequence: 1, record: said, link: proven.link });
}

const damaged = (file: string | number, offset: number, record: number, why: RegExp): object => ({
  name: 'DamagedLogError',
  file: pathOf(file),
  offset,
  record,
  message: expect.stringMatching(why),
});

const replaced = (image: DiskImage, path: string, bytes: Uint8Array): DiskImage =>
  new Map([...image, [path, bytes]]);

test('a forged log that is sound is read', async () => {
  expect(await outcome(one(three))).toEqual(['one', 'two', 'three']);
  expect(await outcome(one([...three, { kind: kinds.mark }], {}, 4))).toEqual([
    ...['one', 'two', 'three'],
  ]);
  expect(await outcome(diskOf({}, { sequence: 0 }))).toEqual([]);
});

describe('a segment whose header is not its own is refused', () => {
  const invalid = damaged(1, 0, 0, /its header is not valid/);
  test.each<[string, Partial<TwinHeader>, object]>([
    ['other first bytes', { magic: 'QLABWAM\n' }, invalid],
    ['another version', { version: 3 }, { name: 'UnknownFormatError', version: 3 }],
    ['another owner', { owner: 'other' }, { name: 'WrongOwnerError', file: pathOf(1) }],
    ['another name', { sequence: 2 }, damaged(1, 0, 1, /it is another segment, renamed/)],
    ['no base', { flags: 0 }, damaged(1, 0, 1, /the segment before is missing/)],
    ['born with what it lacks', { born: 4 }, damaged(1, head + 3 * record, 4, /with the segment/)],
  ])('%s', async (_, header, error) => {
    expect(await outcome(one(three, header))).toMatchObject(error);
  });

  test('cut short, or with a checksum of something else', async () => {
    const image = one([]);
    const bytes = image.get(pathOf(1))!;
    for (const length of [0, 40, 87])
      expect(await outcome(replaced(image, pathOf(1), bytes.slice(0, length)))).toMatchObject(
        invalid,
      );
    for (const at of [9, 83, 84, 87]) {
      const changed = bytes.slice();
      changed[at]! ^= 1;
      expect(await outcome(replaced(image, pathOf(1), changed))).toMatchObject(invalid);
    }
  });
});

describe('a record that does not belong where it stands is refused', () => {
  const second = (change: Partial<TwinRecord>): DiskImage =>
    one([three[0]!, { payload: 'two', ...change }, three[2]!]);
  const at = (why: RegExp): object => damaged(1, head + record, 2, why);
  const elsewhere = at(/a record stands here that belongs elsewhere/);
  test.each<[string, Partial<TwinRecord>, object]>([
    ['another number', { number: 4 }, elsewhere],
    ['another link', { link: 5 }, elsewhere],
    ['no record, and a later one proves it', { tag: 0x5153 }, at(/a later one proves/)],
    ['an unknown kind', { kind: 0x4143 }, at(/a later one proves/)],
    ['another last byte', { endMark: 0xa4 }, at(/a later one proves/)],
    ['longer than the file', { length: 1 << 20 }, at(/a later one proves/)],
  ])('%s', async (_, change, error) => {
    expect(await outcome(second(change))).toMatchObject(error);
  });

  test('unproven, but written whole', async () => {
    const last = (change: Partial<TwinRecord>) =>
      outcome(one([three[0]!, { payload: 'two', ...change }]));
    const whole = at(/the last record arrived whole and was changed afterwards/);
    for (const change of [{ tag: 0x5153 }, { kind: 0x4143 }, { endMark: 0xa4 }])
      expect(await last(change)).toMatchObject(whole);
    // Its own record stands there, and the file ends before it does: a tear.
    expect(await last({ length: 9 })).toEqual(['one']);
  });

  test('a flip of any byte of the last record', async () => {
    const image = one(three, {}, 2);
    const bytes = image.get(pathOf(1))!;
    for (let i = head + 2 * record; i < bytes.length; i++) {
      const changed = bytes.slice();
      changed[i]! ^= 0x10;
      expect(await outcome(replaced(image, pathOf(1), changed))).toMatchObject(
        damaged(1, head + 2 * record, 3, /./),
      );
    }
  });
});

describe('what a loss of power leaves of an unproven record is cut, and nothing else is', () => {
  const image = one([...three, { payload: 'x'.repeat(1500) }], {}, 3);
  const bytes = image.get(pathOf(1))!;
  const from = head + 3 * record;
  const left = (change: (copy: Uint8Array) => Uint8Array) =>
    outcome(replaced(image, pathOf(1), change(bytes.slice())));
  const sound = ['one', 'two', 'three'];

  test('cut or zero from any byte on', async () => {
    for (const at of [0, 1, 4, 31, 32, 33, 511, 512, 513, 1500, bytes.length - from - 1]) {
      expect(await left((copy) => copy.slice(0, from + at)), `${at}`).toEqual(sound);
      expect(await left((copy) => copy.fill(0, from + at)), `${at}`).toEqual(sound);
    }
  });

  test('a sector of zeros, and not less', async () => {
    for (const sector of [512, 1024]) {
      expect(await left((copy) => copy.fill(0, sector, sector + 512))).toEqual(sound);
      for (const [least, most] of [
        [sector + 1, sector + 512],
        [sector, sector + 511],
      ])
        expect(await left((copy) => copy.fill(0, least, most))).toMatchObject(
          damaged(1, from, 4, /arrived whole and was changed/),
        );
    }
    // The sector in which it begins holds records that were flushed, too.
    expect(await left((copy) => copy.fill(0, from, 512))).toEqual(sound);
    expect(await left((copy) => copy.fill(0, from + 1, 512))).toMatchObject({
      name: 'DamagedLogError',
    });
  });

  test('what follows it proves that it was flushed, wherever that stands', async () => {
    for (const gap of [0, 1, 9, 70]) {
      const proof = segmentOf({ firstRecord: 6 }, [{ durable: 4, payload: 'proof' }]).bytes;
      const behind = (durable: number): Uint8Array => {
        const copy = new Uint8Array(bytes.length + 8 * gap + record);
        copy.set(bytes);
        // Of the record in between nothing arrived.
        copy.fill(0, from, bytes.length);
        const later = segmentOf({ firstRecord: 6 }, [{ durable, payload: 'proof' }]).bytes;
        copy.set(later.subarray(head), bytes.length + 8 * gap);
        return copy;
      };
      expect(proof.length).toBe(head + record);
      expect(await left(() => behind(4))).toMatchObject(damaged(1, from, 4, /a later one proves/));
      expect(await left(() => behind(3))).toEqual(sound);
      // Its header is enough, also where nothing is behind that.
      expect(await left(() => behind(4).slice(0, 32 - record))).toMatchObject(
        damaged(1, from, 4, /a later one proves/),
      );
    }
  });

  test('of what was proven nothing may be gone', async () => {
    const proven = one(three, {}, 3);
    const whole = proven.get(pathOf(1))!;
    for (const at of [2, 1, 0]) {
      const offset = head + at * record;
      const ends = damaged(1, offset, at + 1, /flushed\.bin proves records up to 3/);
      expect(await outcome(replaced(proven, pathOf(1), whole.slice(0, offset)))).toMatchObject(
        ends,
      );
      expect(
        await outcome(replaced(proven, pathOf(1), whole.slice().fill(0, offset))),
      ).toMatchObject(ends);
    }
  });
});

describe('segments that do not follow each other are refused', () => {
  const first = segmentOf({}, three);
  const next = (header: Partial<TwinHeader> = {}, records = three): TwinSegment =>
    segmentOf(
      {
        ...{ flags: 0, sequence: 2, firstRecord: 4, born: 3, link: first.link, salt: 99 },
        ...header,
      },
      records,
    );
  const two = (second: TwinSegment, start: TwinSegment = first): DiskImage =>
    diskOf({ 1: start, 2: second }, { sequence: 2, record: 6, link: second.link });
  const all = ['one', 'two', 'three', 'one', 'two', 'three'];

  test('those that do are read, and what a base has replaced is removed', async () => {
    expect(await outcome(two(next()))).toEqual(all);
    const files = faultyFiles(two(segmentOf({ sequence: 2, firstRecord: 4, born: 6 }, three)));
    const { log } = await opened(files);
    expect([...files.image().keys()]).toEqual([pathOf(2), pathOf('flushed.bin')]);
    expect(log.bytes).toBe(head + 3 * record);
  });

  test.each<[string, Partial<TwinHeader>]>([
    ['a number later', { firstRecord: 5 }],
    ['a number earlier', { firstRecord: 3 }],
    ['another link', { link: 7 }],
  ])('%s', async (_, header) => {
    expect(await outcome(two(next(header)))).toMatchObject(
      damaged(1, head + 3 * record, 4, /its end is missing/),
    );
  });

  test('a bad record before the last segment, which nothing else proves', async () => {
    const bytes = first.bytes.slice();
    bytes[bytes.length - 3]! ^= 1;
    expect(await outcome(two(next(), { ...first, bytes }))).toMatchObject(
      damaged(1, head + 2 * record, 3, /a newer segment proves that it was flushed/),
    );
    // And the zeros behind the last one are no damage.
    expect(await outcome(two(next(), segmentOf({}, three, 64)))).toEqual(all);
  });

  test('a segment in between, or the newest, is missing', async () => {
    const said = { sequence: 3, record: 6, link: 0 };
    const third = next({ sequence: 3 });
    expect(await outcome(diskOf({ 1: first, 3: third }, said))).toMatchObject(
      damaged(3, 0, 4, /the segment before is missing/),
    );
    expect(await outcome(diskOf({ 1: first, 2: next() }, said))).toMatchObject(
      damaged(3, 0, 6, /it is missing, and flushed\.bin proves it/),
    );
    expect(await outcome(diskOf({}, said))).toMatchObject(damaged(3, 0, 6, /it is missing/));
  });
});

describe('the second place', () => {
  const log = segmentOf({}, three);
  const { link } = log;
  const said = { sequence: 1, record: 3, link };
  const beside = (bytes: Uint8Array): DiskImage =>
    new Map([
      [pathOf(1), log.bytes],
      [pathOf('flushed.bin'), bytes],
    ]);
  const place = (why: RegExp): object => damaged('flushed.bin', 0, 0, why);
  const silent = place(/it no longer says how far the log was flushed/);

  test('says what its newer slot says, whichever that is', async () => {
    const older = { turn: 4, sequence: 9, record: 9, link: 9 };
    const newer = { turn: 5, ...said };
    expect(await outcome(beside(flushedOf(older, newer)))).toEqual(['one', 'two', 'three']);
    expect(await outcome(beside(flushedOf(newer, older)))).toEqual(['one', 'two', 'three']);
    expect(await outcome(beside(flushedOf(newer)))).toEqual(['one', 'two', 'three']);
    expect(await outcome(beside(flushedOf({ tag: 1 }, newer)))).toEqual(['one', 'two', 'three']);
  });

  test('that says nothing, or is of another log, is refused', async () => {
    const both = (change: object) => outcome(beside(flushedOf(change, change)));
    expect(await both({ ...said, tag: 0x464d })).toMatchObject(silent);
    expect(await both({ ...said, version: 2 })).toMatchObject({
      ...{ name: 'UnknownFormatError', version: 2, file: pathOf('flushed.bin') },
    });
    expect(await both({ ...said, owner: 'other' })).toMatchObject({ name: 'WrongOwnerError' });
    expect(await both({ ...said, link: link ^ 1 })).toMatchObject(
      damaged(1, head + 2 * record, 3, /written beside another copy of the log/),
    );
    expect(await outcome(new Map([[pathOf(1), log.bytes]]))).toMatchObject(
      place(/it is missing, and only it knows where the log ended/),
    );
    expect(await outcome(beside(new Uint8Array(1024)))).toMatchObject(silent);
    expect(await outcome(beside(new Uint8Array(0)))).toMatchObject(silent);
  });

  test('a flip of any of its bytes makes a slot say nothing', async () => {
    const sound = flushedOf(said, said);
    for (let at = 0; at < 64; at++) {
      const bytes = sound.slice();
      bytes[at]! ^= 0x40;
      bytes[512 + at]! ^= 0x40;
      expect(await outcome(beside(bytes)), `${at}`).toMatchObject(silent);
    }
  });

  test('is not taken for a log that must be there', async () => {
    const error = { name: 'MissingLogError', folder };
    expect(await outcome(diskOf({}, {}), { mustExist: true })).toMatchObject(error);
    expect(await outcome(new Map(), { mustExist: true })).toMatchObject(error);
    expect(await outcome(one(three), { mustExist: true })).toEqual(['one', 'two', 'three']);
  });
});

test('a file of the log that is no regular one is refused', async () => {
  for (const name of [1, 'flushed.bin']) {
    const files = faultyFiles(one(three));
    const path = pathOf(name);
    const kind = async (each: string) => (each === path ? 'link' : files.kind(each));
    await expect(opened({ ...files, kind })).rejects.toMatchObject({
      ...{ name: 'UnsafePathError', path },
      message: expect.stringMatching(/a log file must be a regular file/),
    });
    expect(files.journal).toEqual([]);
  }
});

test('files of other names are neither read nor removed', async () => {
  const other = ['1.log', '00000000000000001.log', '0000000000000001.log2', 'x0000000000000001.tmp']
    .concat(['0000000000000001.tmpx', '0000000000000001xlog', 'cells.bin'])
    .map((name) => [pathOf(name), Uint8Array.of(1)] as const);
  const files = faultyFiles(new Map([...one(three), ...other]));
  await opened(files);
  for (const [path, bytes] of other) expect(files.image().get(path)).toEqual(bytes);
});
