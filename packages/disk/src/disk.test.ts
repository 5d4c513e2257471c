import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bytes, integer, type Shape, type StoredFields, toUtf8 } from '@quorumlab/core';
import { describe, expect, test } from 'vitest';
import { DiskFieldsError, DiskRecordError, openDisk, openLog, openSqliteLog } from './index.ts';
import {
  crashImages,
  type FaultyFiles,
  faultyFiles,
  folderMedium,
  memoryMedium,
  testDisk,
} from './testing.ts';
import type { OpenLog, RecordLog } from './types.ts';

describe('the file log in memory', () => {
  for (const { name, run } of testDisk(memoryMedium)) test(name, run);
});

describe.each([
  ['files', openLog],
  ['node:sqlite', openSqliteLog],
] as const)('%s', (_, open) => {
  for (const { name, run } of testDisk(() => folderMedium(open), { power: false })) test(name, run);
});

/** A back end as `open` makes it, with some of its methods replaced. */
const flawed =
  (change: (log: RecordLog) => Partial<RecordLog>): OpenLog =>
  async (folder, options) => {
    const log = await openLog(folder, options);
    const { append, rewrite, close, maxBatchBytes } = log;
    const same = { append, rewrite, close, maxBatchBytes, bytes: 0 };
    return Object.defineProperty({ ...same, ...change(log) }, 'bytes', {
      get: () => log.bytes,
    });
  };

const caught = async (open: OpenLog, lyingSync = false): Promise<readonly string[]> => {
  const failed: string[] = [];
  for (const { name, run } of testDisk(() => memoryMedium({ open, lyingSync })))
    await run().catch(() => failed.push(name));
  return failed;
};

const crash = 'keeps every acknowledged commit, whenever power is lost';

test('control: the suite passes an unchanged back end', async () => {
  expect(await caught(flawed(() => ({})))).toEqual([]);
});

test('control: a disk that acknowledges before its flush is caught', async () => {
  const early = flawed((log) => ({
    append: (batch) => {
      log.append(batch).catch(() => undefined);
      return Promise.resolve();
    },
  }));
  expect(await caught(early)).toContain(crash);
});

test('control: a disk that only pretends to flush is caught', async () => {
  expect(await caught(openLog, true)).toContain(crash);
});

test('control: a compaction that forgets is caught', async () => {
  const forgetful = flawed((log) => ({
    rewrite: (state) => log.rewrite([...state].map((batch) => batch.slice(0, batch.length >> 1))),
  }));
  expect(await caught(forgetful)).not.toEqual([]);
});

interface Tiny extends Shape {
  readonly Stable: { readonly term: number; readonly rows: ReadonlyMap<number, number> };
}
const stored: StoredFields<Tiny> = { term: integer(), rows: integer() };
const initial: Tiny['Stable'] = { term: 0, rows: new Map() };

const over = (files: ReturnType<typeof faultyFiles>) => (replay: (batch: Uint8Array) => void) =>
  openLog('/tiny', { owner: 'tiny', files, replay });

test('a batch of another program is refused by name, and left as it is', async () => {
  for (const batch of [toUtf8('hello'), Uint8Array.of(), Uint8Array.of(1, 1, 5)]) {
    const files = faultyFiles();
    const log = await over(files)(() => undefined);
    await log.append(batch);
    await log.close();
    await expect(openDisk<Tiny>({ open: over(files), stored, initial })).rejects.toThrow(
      DiskRecordError,
    );
    await expect(openDisk<Tiny>({ open: over(files), stored, initial })).rejects.toThrow(/Batch 1/);
  }
});

test('no byte string after a good batch is misread: applied whole or refused by name', async () => {
  const good = faultyFiles();
  const disk = await openDisk<Tiny>({ open: over(good), stored, initial });
  await disk.commit([{ type: 'save', registers: { term: 3 } }]);
  await disk.close();
  let refused = 0;
  for (let code = 0; code < 256; code++) {
    const files = faultyFiles(good.image());
    const log = await over(files)(() => undefined);
    await log.append(Uint8Array.of(code, 0, 7, 9));
    await log.close();
    const opened = await openDisk<Tiny>({ open: over(files), stored, initial }).catch(
      (error: unknown) => error,
    );
    if (opened instanceof DiskRecordError || opened instanceof DiskFieldsError) refused++;
    // A put; or the first piece of a commit that a crash cut short, of which nothing is applied.
    else expect([2, 5]).toContain(code);
  }
  expect(refused).toBe(254);
});

test('a field that changed its type is another version', async () => {
  const files = faultyFiles();
  const disk = await openDisk<Tiny>({ open: over(files), stored, initial });
  await disk.commit([{ type: 'put', table: 'rows', index: 1, row: 2 }]);
  await disk.close();
  const narrower = { ...stored, rows: integer(5) };
  await expect(openDisk<Tiny>({ open: over(files), stored: narrower, initial })).rejects.toThrow(
    DiskFieldsError,
  );
});

test('the log stays within a few times the live state', async () => {
  const files = faultyFiles();
  let log: RecordLog | undefined;
  const open = async (replay: (batch: Uint8Array) => void): Promise<RecordLog> =>
    (log = await over(files)(replay));
  const disk = await openDisk<Tiny>({ open, stored, initial, compactAboveBytes: 4096 });
  let highest = 0;
  for (let i = 0; i < 3000; i++) {
    await disk.commit([{ type: 'put', table: 'rows', index: i % 10, row: i }]);
    highest = Math.max(highest, log?.bytes ?? 0);
  }
  await disk.close();
  expect(highest).toBeLessThan(20_000);
  const again = await openDisk<Tiny>({ open: over(files), stored, initial });
  expect(again.stable?.rows.get(9)).toBe(2999);
  await again.close();
});

test('a disk that fails stops for good, also when it fails while compacting', async () => {
  for (const fault of ['EIO', 'ENOSPC'] as const) {
    const files = faultyFiles();
    const disk = await openDisk<Tiny>({
      open: over(files),
      stored,
      initial,
      compactAboveBytes: 2048,
    });
    let count = 0;
    let failing = false;
    files.failWhen((one) => {
      failing ||= one.kind === 'create';
      return failing ? fault : undefined;
    });
    const name = fault === 'EIO' ? 'DiskFailedError' : 'DiskFullError';
    const commits = async (): Promise<void> => {
      for (; count < 10_000; count++)
        await disk.commit([{ type: 'save', registers: { term: count } }]);
    };
    await expect(commits()).rejects.toMatchObject({ name });
    expect(count).toBeLessThan(10_000);
    await expect(disk.commit([{ type: 'save', registers: { term: 1 } }])).rejects.toMatchObject({
      name,
    });
    await expect(disk.close()).rejects.toMatchObject({ name });
    files.failWhen(() => undefined);
    const again = await openDisk<Tiny>({ open: over(faultyFiles(files.image())), stored, initial });
    expect(again.stable?.term).toBeGreaterThanOrEqual(count - 1);
    await again.close();
  }
});

describe.each([
  ['files', openLog],
  ['node:sqlite', openSqliteLog],
] as const)('a commit of several records: %s', (_, open) => {
  test('is there whole, with what came before and after it, also after a compaction', async () => {
    const medium = await mkdtemp(join(tmpdir(), 'quorumlab-pieces-'));
    const options = {
      stored: wide,
      initial: wideInitial,
      compactAboveBytes: 40_000,
      open: (replay: (batch: Uint8Array) => void) =>
        open(medium, { owner: 'pieces', replay, maxBatchBytes: 1024, segmentBytes: 4096 }),
    };
    let disk = await openDisk<Wide>(options);
    const expected = new Map<number, Uint8Array>();
    for (let round = 0; round < 12; round++) {
      const writes = [0, 1, 2].map((i) => {
        const index = (round + i) % 5;
        const row = new Uint8Array(round % 4 === 3 ? 10 : 3000 + round).fill(round);
        expected.set(index, row);
        return { type: 'put', table: 'rows', index, row } as const;
      });
      // What comes while the pieces are written comes behind them.
      await Promise.all(writes.map((write) => disk.commit([write, write])));
      if (round % 3 !== 2) continue;
      await disk.close();
      disk = await openDisk<Wide>(options);
      expect(disk.stable?.rows).toEqual(expected);
    }
    await disk.close();
    await rm(medium, { recursive: true });
  });
});

interface Wide extends Shape {
  readonly Stable: { readonly rows: ReadonlyMap<number, Uint8Array> };
}
const wide: StoredFields<Wide> = { rows: bytes(65_536) };
const wideInitial = { rows: new Map<number, Uint8Array>() };

test('a commit of several records that a crash cut short leaves nothing behind', async () => {
  const overWide = (files: FaultyFiles) => ({
    stored: wide,
    initial: wideInitial,
    open: (replay: (batch: Uint8Array) => void) =>
      openLog('/disk', { owner: 'wide', files, replay, maxBatchBytes: 1024, preallocateBytes: 0 }),
  });
  const files = faultyFiles();
  const disk = await openDisk<Wide>(overWide(files));
  const put = (index: number, size: number) =>
    disk.commit([{ type: 'put', table: 'rows', index, row: new Uint8Array(size).fill(index) }]);
  await put(1, 10);
  const from = files.journal.length;
  await put(2, 5000);
  const until = files.journal.length;
  await put(3, 10);
  let whole = 0;
  let images = 0;
  for (let count = from; count <= until; count++)
    for (const { image } of crashImages(files, count)) {
      if (images++ % 4 !== 0) continue;
      const after = faultyFiles(image);
      const again = await openDisk<Wide>(overWide(after));
      const rows = again.stable?.rows;
      expect(rows?.get(1)).toEqual(new Uint8Array(10).fill(1));
      const large = rows?.get(2);
      if (large !== undefined) expect(large).toEqual(new Uint8Array(5000).fill(2));
      whole += large === undefined ? 0 : 1;
      // Whatever a cut one left, the next large one is read as itself.
      await again.commit([{ type: 'put', table: 'rows', index: 4, row: new Uint8Array(4000) }]);
      await again.close();
      const third = await openDisk<Wide>(overWide(after));
      expect(third.stable?.rows.get(4)).toEqual(new Uint8Array(4000));
      expect(third.stable?.rows.has(2)).toBe(large !== undefined);
      await third.close();
    }
  expect(whole).toBeGreaterThan(0);
});

test('limits that contradict each other are refused when the log is opened', async () => {
  for (const open of [openLog, openSqliteLog]) {
    const folder = await mkdtemp(join(tmpdir(), 'quorumlab-limits-'));
    const options = { owner: 'limits', replay: () => undefined };
    const small = { ...options, maxBatchBytes: 65_536, maxPendingBytes: 4096 };
    await expect(open(folder, small)).rejects.toThrow(/set maxPendingBytes to 65536 or more/);
    await expect(open(folder, { ...options, maxBatchBytes: 2 ** 31 })).rejects.toThrow(
      /maxBatchBytes is 2147483648; use/,
    );
    await rm(folder, { recursive: true });
  }
});
