import { bytes, integer, large, type Shape, type StoredFields } from '@quorumlab/core';
import { expect, test } from 'vitest';
import { openCells } from './cells.ts';
import { type Disk, openDisk } from './disk.ts';
import { openLog } from './log.ts';
import { type FaultyFiles, faultyFiles } from './testing.ts';

interface Sample extends Shape {
  readonly Stable: { readonly term: number; readonly chunks: ReadonlyMap<number, Uint8Array> };
}
const stored: StoredFields<Sample> = { term: integer(), chunks: large(bytes(200_000)) };
const folder = '/disk';

const open = (files: FaultyFiles): Promise<Disk<Sample>> =>
  openDisk<Sample>({
    open: (replay) => openLog(folder, { owner: 'cells', files, replay }),
    cells: () => openCells(folder, files),
    stored,
    initial: { term: 0, chunks: new Map() },
  });

const put = (index: number, size: number, mark: number) =>
  ({ type: 'put', table: 'chunks', index, row: new Uint8Array(size).fill(mark) }) as const;

const sizeOf = (files: FaultyFiles, name: RegExp): number =>
  [...files.image()].reduce((sum, [path, { length }]) => sum + (name.test(path) ? length : 0), 0);

test('a batch is only written once its rows are flushed', async () => {
  const files = faultyFiles();
  const disk = await open(files);
  await disk.commit([put(0, 10, 1), { type: 'save', registers: { term: 1 } }]);
  files.failWhen(({ kind, path }) =>
    kind === 'datasync' && /cells/.test(path) ? 'EIO' : undefined,
  );
  const failed = disk.commit([put(0, 10, 2), { type: 'save', registers: { term: 2 } }]);
  await expect(failed).rejects.toThrow(/The disk failed at append/);
  await expect(disk.commit([])).rejects.toThrow(/The disk failed/);
  await disk.close().catch(() => undefined);
  files.failWhen(() => undefined);
  const again = await open(faultyFiles(files.image()));
  expect(again.stable?.term).toBe(1);
  expect(again.stable?.chunks.get(0)).toEqual(new Uint8Array(10).fill(1));
  await again.close();
});

test('rows are neither in the log nor moved when it is compacted', async () => {
  const files = faultyFiles();
  const disk = await open(files);
  for (let i = 0; i < 100; i++) await disk.commit([put(i % 20, 20_000, i)]);
  expect(sizeOf(files, /\.log$/)).toBeLessThan(300_000);
  // A row that is written again takes another cell, and gives back its own.
  expect(sizeOf(files, /cells/)).toBeLessThan(25 * 36_864);
  await disk.commit([{ type: 'drop', table: 'chunks', rows: { from: 2 } }]);
  await disk.close();
  const again = await open(files);
  expect([...(again.stable?.chunks.keys() ?? [])]).toEqual([0, 1]);
  expect(again.read('chunks', 1)).toEqual(new Uint8Array(20_000).fill(81));
  expect(sizeOf(files, /cells/)).toBeLessThan(25 * 36_864);
  await again.close();
});

test('a row that was damaged is not there, and the others are', async () => {
  const files = faultyFiles();
  const disk = await open(files);
  await disk.commit([put(0, 5_000, 1), put(1, 5_000, 2)]);
  await disk.close();
  const image = new Map(files.image());
  for (const [path, content] of image) {
    if (!/cells/.test(path)) continue;
    const changed = content.slice();
    changed[2_500] = 9;
    image.set(path, changed);
  }
  const again = await open(faultyFiles(image));
  expect(again.stable?.chunks.has(0)).toBe(false);
  expect([...(again.stable?.chunks ?? [])].map(([index]) => index)).toEqual([1]);
  expect(again.read('chunks', 0)).toBeUndefined();
  await again.close();
});
