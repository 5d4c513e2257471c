/** When the log of a stable state is compacted, and what it then holds. */
import { describe, expect, test } from 'vitest';
import { batchesOn, fields, over, put, type Sample, save, vote } from '../test/sample-disk.ts';
import { openDisk } from './disk.ts';
import type { DiskOptions } from './disk-options.ts';
import type { NoRoomError } from './errors.ts';
import { faultyFiles } from './testing.ts';
import type { RecordLog } from './types.ts';

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
