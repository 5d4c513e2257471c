/** Commits of a stable state: how they stand in the log, and when the log is compacted. */
import { bytes, integer, type Shape, type StoredFields, type Write } from '@quorumlab/core';
import { describe, expect, test } from 'vitest';
import { opened, utf8 } from '../test/opened.ts';
import { folder } from '../test/twin.ts';
import { type Disk, openDisk } from './disk.ts';
import type { DiskOptions } from './disk-options.ts';
import type { NoRoomError } from './errors.ts';
import { openLog } from './log.ts';
import { type FaultyFiles, faultyFiles } from './testing.ts';
import type { LogOptions, RecordLog } from './types.ts';

/** Nine registers, one more than a byte has bits, and two tables. */
interface Sample extends Shape {
  readonly Stable: Readonly<Record<`r${number}`, number>> & {
    readonly rows: ReadonlyMap<number, Uint8Array>;
    readonly votes: ReadonlyMap<number, number>;
  };
}
const registers = Array.from({ length: 9 }, (_, i) => `r${i}` as const);
const fields: { readonly stored: StoredFields<Sample>; readonly initial: Sample['Stable'] } = {
  stored: {
    ...Object.fromEntries(registers.map((name) => [name, integer()])),
    rows: bytes(4 << 20),
    votes: integer(),
  } as StoredFields<Sample>,
  initial: {
    ...Object.fromEntries(registers.map((name) => [name, 0])),
    rows: new Map(),
    votes: new Map(),
  },
};

interface Over {
  readonly disk: Disk<Sample>;
  readonly log: RecordLog;
  /** How often the log was rewritten since it was opened. */
  rewrites(): number;
}

async function over(
  files: FaultyFiles,
  options: Partial<DiskOptions<Sample>> = {},
  logOptions: Partial<LogOptions> = {},
): Promise<Over> {
  const found: RecordLog[] = [];
  const disk = await openDisk<Sample>({
    ...fields,
    open: async (replay) => {
      const sizes = { preallocateBytes: 0, segmentBytes: 1 << 30 };
      const log = await openLog(folder, { owner: 'twin', files, replay, ...sizes, ...logOptions });
      found.push(log);
      return log;
    },
    ...options,
  });
  const from = files.journal.length;
  const rewrites = (): number =>
    files.journal.slice(from).filter(({ kind }) => kind === 'rename').length;
  return { disk, log: found[0]!, rewrites };
}

const put = (index: number, size: number, mark = index): Write<Sample> => ({
  ...{ type: 'put', table: 'rows', index },
  row: new Uint8Array(size).fill(mark),
});
const vote = (index: number, row = index): Write<Sample> => ({
  ...{ type: 'put', table: 'votes', index, row },
});
const save = (values: Readonly<Record<`r${number}`, number>>): Write<Sample> => ({
  ...{ type: 'save', registers: values as Partial<Sample['Stable']> },
});

/** The batches of the log on `files`, as they stand there. */
const batchesOn = async (files: FaultyFiles): Promise<readonly Uint8Array[]> =>
  (await opened(faultyFiles(files.image()))).batches;

describe('the operations of a commit', () => {
  test('stand in the log as their codes, and the fields before the first', async () => {
    const files = faultyFiles();
    const { disk } = await over(files);
    await disk.commit([save({ r0: 5, r8: 6 }), vote(7, 8)]);
    await disk.commit([{ type: 'drop', table: 'votes', rows: { from: 9 } }]);
    await disk.commit([{ type: 'drop', table: 'rows', rows: { below: 3 } }, put(1, 2)]);
    await disk.close();
    const [first, ...rest] = await batchesOn(files);
    const text = new TextDecoder().decode(first);
    expect(text).toMatch(/^\0.+?r0:[0-9a-f]+ r1:.* r8:[0-9a-f]+ rows\[\]:[0-9a-f]+ votes\[\]:/s);
    expect([...first!.slice(-8)]).toEqual([1, 0b1, 0b1, 5, 6, 2, 1, 7, 8].slice(-8));
    expect(rest.map((each) => [...each])).toEqual([
      [3, 1, 9],
      [4, 0, 3, 2, 0, 1, 2, 1, 1],
    ]);
  });

  test('drop what they name, and not the row at the bound', async () => {
    const files = faultyFiles();
    const { disk } = await over(files);
    await disk.commit([1, 2, 3, 4, 5].map((i) => vote(i)));
    await disk.commit([{ type: 'drop', table: 'votes', rows: { from: 5 } }]);
    await disk.commit([{ type: 'drop', table: 'votes', rows: { below: 2 } }, put(1, 1)]);
    await disk.close();
    const { disk: again } = await over(files);
    expect([...(again.stable?.votes ?? [])]).toEqual([
      [2, 2],
      [3, 3],
      [4, 4],
    ]);
    expect([...(again.stable?.rows.keys() ?? [])]).toEqual([1]);
  });

  test('that no schema has are refused, by name, before anything is kept', async () => {
    // What the compiler would refuse.
    const inTable = (table: string) =>
      ({ type: 'put', table: table as 'votes', index: 1, row: 1 }) as const;
    for (const [write, why] of [
      [save({ r9: 1 }), /"r9" is not a stable register; declare it in stored/],
      [inTable('other'), /"other" is not a stable table; declare it/],
      [inTable('r0'), /"r0" is not a stable table/],
      [
        { type: 'drop', table: 'other' as never, rows: { from: 1 } },
        /"other" is not a stable table/,
      ],
    ] as const) {
      const files = faultyFiles();
      const { disk } = await over(files);
      await disk.commit([save({ r1: 1 })]);
      const error: unknown = await disk.commit([save({ r1: 2 }), write]).catch((each) => each);
      expect(`${error}`).toMatch(why);
      expect(await disk.commit([save({ r1: 3 })]).catch((each: unknown) => each)).toBe(error);
      await expect(disk.close()).rejects.toBe(error);
      const { disk: again } = await over(files);
      expect(again.stable).toEqual({ ...fields.initial, r1: 1 });
    }
  });
});

describe('a log that this codec would not have written is refused', () => {
  /** The log of one commit, and these batches behind it. */
  async function withBatches(...batches: readonly Uint8Array[]): Promise<FaultyFiles> {
    const files = faultyFiles();
    const { disk } = await over(files);
    await disk.commit([save({ r0: 1 })]);
    await disk.close();
    const { log } = await opened(files);
    for (const batch of batches) await log.append(batch);
    await log.close();
    return files;
  }

  test.each<[string, readonly number[], RegExp]>([
    ['an unknown operation', [6], /Batch 2 of the log cannot be read \(6 is not an operation\)/],
    ['an unknown table', [2, 2, 1, 1], /there is no table 2/],
    ['an unknown register', [1, 0, 2], /no such register/],
    ['the last bit of the registers', [1, 0, 128], /no such register/],
    ['less than it begins', [1, 1], /the bytes end too early/],
    ['more than it says', [3, 1, 9, 3], /the bytes end too early/],
  ])('%s', async (_, batch, why) => {
    const files = await withBatches(Uint8Array.from(batch));
    const before = files.journal.length;
    await expect(over(files)).rejects.toMatchObject({
      ...{ name: 'DiskRecordError', batch: 2, message: expect.stringMatching(why) },
    });
    // The log is as sound as it was: only its contents are not ours.
    expect(files.journal.slice(before).every(({ kind }) => kind !== 'truncate')).toBe(true);
  });

  test('all nine registers are read, and the fields may be said again', async () => {
    const [first] = await batchesOn(await withBatches());
    const description = first!.subarray(0, first!.length - 4);
    const all = Uint8Array.of(1, 255, 1, 1, 2, 3, 4, 5, 6, 7, 8, 9);
    const { disk } = await over(await withBatches(description, all));
    const values = registers.map((name) => disk.stable?.[name]);
    expect(values).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
    const changed = description.slice();
    changed[changed.length - 1]! ^= 1;
    await expect(over(await withBatches(changed))).rejects.toMatchObject({
      ...{ name: 'DiskFieldsError', message: expect.stringMatching(/fields r0:.* stores r0:/s) },
    });
  });

  test('a log that does not begin with its fields', async () => {
    for (const batch of [Uint8Array.of(1, 1, 0, 5), utf8('')]) {
      const files = faultyFiles();
      const { log } = await opened(files);
      await log.append(batch);
      await log.close();
      await expect(over(files)).rejects.toThrow(/Batch 1 .*does not begin with its fields/);
    }
  });

  test('pieces that do not follow each other', async () => {
    const piece = (index: number, count: number) => Uint8Array.of(5, index, count, 3);
    for (const [batches, batch] of [
      [[piece(1, 2)], 2],
      [[piece(0, 3), piece(2, 3)], 3],
      [[piece(0, 2), Uint8Array.of(3, 1, 9), piece(1, 2)], 4],
      [[piece(0, 0)], 2],
      [[piece(0, 3), piece(1, 1)], 3],
    ] as const)
      await expect(over(await withBatches(...batches))).rejects.toMatchObject({
        ...{ name: 'DiskRecordError', batch },
        message: expect.stringMatching(/piece \d of \d does not follow \d/),
      });
    // One that was cut short is forgotten, and the next is read as itself.
    const parts = [
      Uint8Array.of(5, 0, 2, 2, 1),
      Uint8Array.of(5, 0, 2, 2, 1),
      Uint8Array.of(5, 1, 2, 7, 8),
    ];
    const { disk } = await over(await withBatches(...parts));
    expect([...(disk.stable?.votes ?? [])]).toEqual([[7, 8]]);
  });
});

describe('a commit larger than a record', () => {
  const small = { maxBatchBytes: 256 };
  /** Bytes of a commit that puts a row of so many, once the fields have been said. */
  const overhead = 5;

  test('takes several, each within the bound; one of that size takes one', async () => {
    const files = faultyFiles();
    const { disk } = await over(files, {}, small);
    await disk.commit([save({ r0: 1 })]);
    await disk.commit([put(0, 256 - overhead, 1)]);
    await disk.commit([put(1, 257 - overhead, 2)]);
    await disk.commit([put(2, 241 * 3 - overhead, 3)]);
    const sizes = (await batchesOn(files)).slice(1).map(({ length }) => length);
    const head = 3;
    const [whole, last] = [241 + head, 257 - 241 + head];
    expect(sizes).toEqual([256, whole, last, whole, whole, whole]);
    await disk.close();
    const { disk: again } = await over(files, {}, small);
    expect([...(again.stable?.rows ?? [])].map(([i, row]) => [i, row.length, row[0]])).toEqual([
      ...[
        [0, 251, 1],
        [1, 252, 2],
        [2, 718, 3],
      ],
    ]);
  });

  test('is one commit to those behind it, and to a close', async () => {
    const files = faultyFiles();
    const { disk } = await over(files, {}, small);
    const order: number[] = [];
    const calls = [put(0, 900), vote(1), put(1, 10), put(2, 900), vote(2)].map((write, i) =>
      disk.commit([write]).then(() => order.push(i)),
    );
    await disk.close();
    await Promise.all(calls);
    expect(order).toEqual([0, 1, 2, 3, 4]);
    const pieces = (count: number) => Array.from({ length: count }, (_, i) => `piece ${i}`);
    const kinds = (await batchesOn(files)).map(([code, i]) => (code === 5 ? `piece ${i}` : 'put'));
    // The fields stand before the first.
    expect(kinds).toEqual([...pieces(5), 'put', 'put', ...pieces(4), 'put']);
    const { disk: again } = await over(files, {}, small);
    expect([...(again.stable?.rows.keys() ?? [])]).toEqual([0, 1, 2]);
    expect([...(again.stable?.votes.keys() ?? [])]).toEqual([1, 2]);
  });

  test('is encoded while it is written, whatever is committed meanwhile', async () => {
    const files = faultyFiles();
    let encoded = 0;
    const rows = bytes(4 << 20);
    const stored: StoredFields<Sample> = {
      ...fields.stored,
      rows: {
        ...rows,
        write: (to, row) => {
          encoded++;
          rows.write(to, row);
        },
      },
    };
    const { disk } = await over(files, { stored }, small);
    const many = Array.from({ length: 20 }, (_, i) => put(i, 100, i));
    const large = disk.commit(many);
    expect(encoded).toBeLessThan(4);
    const other = disk.commit([put(3, 10, 77), vote(1)]);
    const again = disk.commit(many.slice(10).map((_, i) => put(30 + i, 100, i)));
    await Promise.all([large, other, again]);
    await disk.close();
    const { disk: found } = await over(files, {}, small);
    const read = [...(found.stable?.rows ?? [])].map(([i, row]) => [i, row.length, row[0]]);
    const wanted = Array.from({ length: 20 }, (_, i) => (i === 3 ? [3, 10, 77] : [i, 100, i]));
    expect(read).toEqual([...wanted, ...Array.from({ length: 10 }, (_, i) => [30 + i, 100, i])]);
  });

  test('that fails half-way is told to all behind it', async () => {
    const files = faultyFiles();
    const { disk } = await over(files, {}, small);
    await disk.commit([save({ r0: 1 })]);
    const from = files.journal.length;
    files.failWhen((_, index) => (index > from + 4 ? 'EIO' : undefined));
    const calls = [put(0, 900), vote(1), put(1, 900)].map((write) => disk.commit([write]));
    const results = await Promise.allSettled(calls);
    const error: unknown = await disk.commit([vote(1)]).catch((each: unknown) => each);
    expect(error).toMatchObject({ name: 'DiskFailedError' });
    for (const result of results)
      expect(result).toMatchObject({ status: 'rejected', reason: error });
    await expect(disk.close()).rejects.toBe(error);
    files.failWhen(() => undefined);
    const { disk: again } = await over(faultyFiles(files.image()), {}, small);
    expect([again.stable?.r0, again.stable?.rows.size, again.stable?.votes.size]).toEqual([
      1, 0, 0,
    ]);
  });
});

describe('the log is compacted', () => {
  const commitBytes = 48;

  test('once it is larger than told, and not before', async () => {
    const files = faultyFiles();
    const { disk: probe, log: first } = await over(files);
    await probe.commit([vote(0)]);
    const { bytes } = first;
    const limit = bytes + 3 * 40;
    const other = faultyFiles();
    const { disk, log, rewrites } = await over(other, { compactAboveBytes: limit });
    for (let i = 0; i < 4; i++) await disk.commit([vote(0)]);
    expect([log.bytes, rewrites()]).toEqual([limit, 0]);
    await disk.commit([vote(0)]);
    await disk.commit([vote(0)]);
    await disk.close();
    expect(rewrites()).toBe(1);
    expect((await over(other)).disk.stable?.votes).toEqual(new Map([[0, 0]]));
  });

  const mebibyte = 1 << 20;

  /** A log that says it grows by 1 MiB with each batch, and holds `left` after a rewrite. */
  function growing(left: number) {
    const log = { bytes: 0, rewrites: 0 };
    const open = async (): Promise<RecordLog> => ({
      maxBatchBytes: mebibyte,
      get bytes() {
        return log.bytes;
      },
      append: async () => void (log.bytes += mebibyte),
      rewrite: async (state) => {
        expect([...state].length).toBeGreaterThan(0);
        log.rewrites += 1;
        log.bytes = left;
      },
      close: async () => undefined,
    });
    return { log, open };
  }

  test.each<[string, Partial<DiskOptions<Sample>>, number, readonly number[]]>([
    ['above 4 MiB and four times its size, unless told', {}, 2, [5, 12]],
    ['above what it was told', { compactAboveBytes: 7 * mebibyte }, 1, [8, 15]],
    ['above as many times as told', { compactAboveFactor: 6 }, 2, [5, 16]],
    ['at once where that is told', { compactAboveBytes: 0, compactAboveFactor: 0 }, 0, [1, 2]],
  ])('%s', async (_, options, left, expected) => {
    const { log, open } = growing(left * mebibyte);
    const disk = await openDisk<Sample>({ ...fields, ...options, open });
    const after: number[] = [];
    for (let i = 1; after.length < expected.length; i++) {
      const { rewrites } = log;
      await disk.commit([vote(0)]);
      // A rewrite that has begun is over when another turn has come.
      await new Promise((resolve) => setImmediate(resolve));
      if (log.rewrites > rewrites) after.push(i);
    }
    expect(after).toEqual(expected);
  });

  test('in batches of about 64 KiB that hold the whole state', async () => {
    const files = faultyFiles();
    const { disk } = await over(files, { compactAboveBytes: 200_000 });
    await disk.commit([save({ r3: 4 }), vote(8)]);
    for (let i = 0; i < 40; i++) await disk.commit([put(i, 10_000)]);
    await disk.close();
    const sizes = (await batchesOn(files)).map(({ length }) => length);
    const most = Math.max(...sizes);
    expect(most).toBeGreaterThan(65_535);
    expect(most).toBeLessThan(65_536 + 10_010);
    expect((await over(files)).disk.stable).toEqual({
      ...{ ...fields.initial, r3: 4, votes: new Map([[8, 8]]) },
      rows: new Map(Array.from({ length: 40 }, (_, i) => [i, new Uint8Array(10_000).fill(i)])),
    });
  });

  test('within the bound of a record', async () => {
    const files = faultyFiles();
    const bound = { maxBatchBytes: 1_000 };
    const { disk, rewrites } = await over(files, { compactAboveBytes: 5_000 }, bound);
    for (let i = 0; i < 20; i++) await disk.commit([put(i % 3, 2_000, i)]);
    expect(rewrites()).toBeGreaterThan(1);
    await disk.close();
    expect(Math.max(...(await batchesOn(files)).map(({ length }) => length))).toBeLessThanOrEqual(
      1_000,
    );
    const { disk: again } = await over(files, {}, bound);
    expect([...(again.stable?.rows ?? [])].map(([i, row]) => [i, row[0]])).toEqual([
      ...[
        [0, 18],
        [1, 19],
        [2, 17],
      ],
    ]);
  });

  test('again, if it found no room, when it has grown by a quarter', async () => {
    const files = faultyFiles();
    const refused: number[] = [];
    const { disk, log } = await over(files, {
      compactAboveBytes: 2_000,
      onNoRoom: ({ name }: NoRoomError) => {
        expect(name).toBe('NoRoomError');
        refused.push(log.bytes);
      },
    });
    files.failWhen(({ kind }) => (kind === 'create' ? 'ENOSPC' : undefined));
    for (let i = 0; i < 80; i++) await disk.commit([vote(0)]);
    expect(refused.length).toBeGreaterThan(2);
    for (const [i, bytes] of refused.entries()) {
      const least = i === 0 ? 2_000 : 1.25 * refused[i - 1]!;
      expect(bytes).toBeGreaterThan(least);
      expect(bytes).toBeLessThan(least + 3 * commitBytes);
    }
    files.failWhen(() => undefined);
    const before = log.bytes;
    for (let i = 0; i < 40; i++) await disk.commit([vote(0)]);
    expect(log.bytes).toBeLessThan(before);
    await disk.close();
  });

  test('and if that fails, the next commit says so, or else the close', async () => {
    for (const isLast of [true, false]) {
      const files = faultyFiles();
      const { disk } = await over(files, { compactAboveBytes: 700 });
      files.failWhen(({ kind }) => (kind === 'create' ? 'EIO' : undefined));
      const error = { name: 'DiskFailedError', message: expect.stringMatching(/at rewrite/) };
      await disk.commit([put(0, 800)]);
      if (!isLast) await expect(disk.commit([vote(0)])).rejects.toMatchObject(error);
      await expect(disk.close()).rejects.toMatchObject(error);
      expect((await over(faultyFiles(files.image()))).disk.stable?.rows.get(0)?.length).toBe(800);
    }
  });
});

test('a disk is closed once, and takes nothing behind that', async () => {
  const files = faultyFiles();
  const { disk } = await over(files);
  const commit = disk.commit([vote(1)]);
  const closing = disk.close();
  expect(disk.close()).toBe(closing);
  await expect(disk.commit([vote(2)])).rejects.toMatchObject({ name: 'LogClosedError' });
  await expect(disk.commit([])).rejects.toMatchObject({ name: 'LogClosedError' });
  await Promise.all([commit, closing]);
  expect((await over(files)).disk.stable?.votes).toEqual(new Map([[1, 1]]));
});

test('a commit that makes the log too large has it compacted, also if it is the last', async () => {
  const { disk, rewrites } = await over(faultyFiles(), { compactAboveBytes: 200 });
  await disk.commit([put(1, 1000)]);
  await disk.close();
  expect(rewrites()).toBe(1);
});
