/** Rows beside the log: when they are written, where, and what is left of damaged ones. */
import { bytes, integer, large, type Shape, type StoredFields, type Write } from '@quorumlab/core';
import { expect, test } from 'vitest';
import { changes, counted } from '../test/opened.ts';
import { folder, pathOf } from '../test/twin.ts';
import { type Cells, openCells } from './cells.ts';
import { type Disk, openDisk } from './disk.ts';
import type { Files } from './files.ts';
import { openLog } from './log.ts';
import { type FaultyFiles, faultyFiles } from './testing.ts';

interface Sample extends Shape {
  readonly Stable: {
    readonly term: number;
    readonly chunks: ReadonlyMap<number, Uint8Array>;
    readonly votes: ReadonlyMap<number, number>;
  };
}
const fields: { readonly stored: StoredFields<Sample>; readonly initial: Sample['Stable'] } = {
  stored: { term: integer(), chunks: large(bytes(100_000)), votes: integer() },
  initial: { term: 0, chunks: new Map(), votes: new Map() },
};

const open = (files: Files): Promise<Disk<Sample>> =>
  openDisk<Sample>({
    ...fields,
    open: (replay) => openLog(folder, { owner: 'rows', files, replay, preallocateBytes: 0 }),
    cells: () => openCells(folder, files),
  });

const put = (index: number, size: number, mark: number): Write<Sample> => ({
  ...{ type: 'put', table: 'chunks', index },
  row: rowOf(size, mark),
});
const rowOf = (size: number, mark: number) => new Uint8Array(size).fill(mark);
const vote = (index: number): Write<Sample> => ({ type: 'put', table: 'votes', index, row: 1 });

/** At which cells of `size` bytes rows were written from the `from`th change on. */
const writtenAt = (files: FaultyFiles, from = 0): readonly number[] =>
  files.journal.slice(from).flatMap((each) => {
    if (each.kind !== 'write') return [];
    const size = /cells-(\d+)/.exec(each.path)?.[1];
    return size === undefined ? [] : [each.position / Number(size)];
  });

test('rows are flushed before the batch that refers to them, each file of them once', async () => {
  const files = faultyFiles();
  const disk = await open(files);
  const commit = async (...writes: readonly Write<Sample>[]): Promise<readonly string[]> => {
    const all = await changes(files, () => disk.commit(writes));
    // That of the second place comes when it is due.
    return all.filter((each) => each !== 'datasync flushed');
  };
  // A row has its length, of two bytes here, before it.
  const batch = ['write 1', 'datasync 1', 'write flushed'];
  expect(await commit(put(0, 1, 1), put(1, 8_190, 2), put(2, 8_191, 3), vote(1))).toEqual([
    ...['create cells-8192.bin', 'syncFolder', 'write cells-8192'],
    ...['create cells-12288.bin', 'syncFolder', 'write cells-12288'],
    ...['datasync cells-8192', 'datasync cells-12288'],
    ...batch,
  ]);
  expect(await commit(put(3, 12_286, 1))).toEqual([
    ...['write cells-12288', 'datasync cells-12288'],
    ...batch,
  ]);
  // Every doubling has a file of its own, whose cells have a page more.
  expect((await commit(put(4, 12_287, 1)))[0]).toBe('create cells-20480.bin');
  expect((await commit(put(4, 70_000, 1)))[0]).toBe('create cells-135168.bin');
  expect(await commit(vote(2))).toEqual(batch);
  expect(await commit({ type: 'save', registers: { term: 1 } })).toEqual(batch);
  expect(await commit()).toEqual([]);
});

test('rows of one size that are committed at once share one new file', async () => {
  const files = faultyFiles();
  const disk = await open(files);
  await Promise.all([0, 1, 2].map((i) => disk.commit([put(i, 10, i)])));
  expect(files.journal.filter(({ path }) => path.includes('cells')).length).toBeGreaterThan(3);
  expect(
    files.journal.filter(({ kind, path }) => kind === 'create' && /cells/.test(path)),
  ).toHaveLength(1);
  expect(writtenAt(files)).toEqual([0, 1, 2]);
});

test('a cell is written again once no durable batch refers to it, the lowest first', async () => {
  const files = faultyFiles();
  const disk = await open(files);
  await disk.commit([put(0, 10, 0), put(1, 10, 1), put(2, 10, 2)]);
  const from = files.journal.length;
  // What the first of these gives up is not free before it is durable.
  await Promise.all([disk.commit([put(0, 10, 3)]), disk.commit([put(5, 10, 4)])]);
  expect(writtenAt(files, from)).toEqual([3, 4]);
  const then = files.journal.length;
  await disk.commit([put(6, 10, 5)]);
  expect(writtenAt(files, then)).toEqual([0]);
  await disk.commit([{ type: 'drop', table: 'chunks', rows: { from: 5 } }]);
  const last = files.journal.length;
  await disk.commit([put(7, 10, 6), put(8, 10, 7), put(9, 10, 8)]);
  expect(writtenAt(files, last)).toEqual([0, 4, 5]);
  await disk.commit([{ type: 'drop', table: 'chunks', rows: { below: 2 } }]);
  const end = files.journal.length;
  await disk.commit([put(1, 10, 9), put(3, 10, 9), put(4, 10, 9)]);
  expect(writtenAt(files, end)).toEqual([1, 3, 6]);
  const chunks = [...(disk.stable?.chunks ?? [])];
  expect(chunks).toEqual([]);
  for (const [index, mark] of [
    [1, 9],
    [2, 2],
    [7, 6],
    [8, 7],
    [9, 8],
  ] as const)
    expect(disk.read('chunks', index), `${index}`).toEqual(rowOf(10, mark));
  for (const index of [0, 5, 6]) expect(disk.read('chunks', index)).toBeUndefined();
});

test('a drop of another table, or a save, frees no cell', async () => {
  const files = faultyFiles();
  const disk = await open(files);
  await disk.commit([put(0, 10, 0), vote(0), vote(1)]);
  await disk.commit([{ type: 'drop', table: 'votes', rows: { from: 1 } }]);
  await disk.commit([{ type: 'save', registers: { term: 1 } }, vote(0)]);
  const from = files.journal.length;
  await disk.commit([put(1, 10, 1)]);
  expect(writtenAt(files, from)).toEqual([1]);
  expect(disk.read('chunks', 0)).toEqual(rowOf(10, 0));
  expect(disk.read('votes', 0)).toBeUndefined();
  expect(disk.read('chunks', 7)).toBeUndefined();
});

test('a row can be read once it is durable, and not before', async () => {
  const files = faultyFiles();
  const disk = await open(files);
  const first = disk.commit([put(0, 10, 1)]);
  expect(disk.read('chunks', 0)).toBeUndefined();
  await first;
  const second = disk.commit([put(1, 10, 2)]);
  expect(disk.read('chunks', 1)).toBeUndefined();
  await second;
  expect(disk.read('chunks', 1)).toEqual(rowOf(10, 2));
});

test('an opened table is read as a map is, without the rows that are damaged', async () => {
  const files = faultyFiles();
  const disk = await open(files);
  await disk.commit([put(3, 10, 1), put(1, 20, 2), put(2, 0, 3), vote(4)]);
  await disk.close();
  const image = new Map(files.image());
  const sound = await open(faultyFiles(image));
  const all = sound.stable?.chunks as ReadonlyMap<number, Uint8Array>;
  const entries = [
    [3, rowOf(10, 1)],
    [1, rowOf(20, 2)],
    [2, rowOf(0, 3)],
  ] as const;
  expect(all.size).toBe(3);
  expect([...all]).toEqual(entries);
  expect(sound.stable?.votes).toEqual(new Map([[4, 1]]));
  const cells = image.get(pathOf('cells-8192.bin'))!.slice();
  cells[9]! ^= 1;
  const other = await open(faultyFiles(image.set(pathOf('cells-8192.bin'), cells)));
  const left = other.stable?.chunks as ReadonlyMap<number, Uint8Array>;
  expect([...left.entries()]).toEqual(entries.slice(1));
  expect([...left.values()]).toEqual(entries.slice(1).map(([, row]) => row));
  expect([...left.keys()]).toEqual([3, 1, 2]);
  const seen: unknown[] = [];
  left.forEach((row, index, of) => void seen.push([index, row, of === left]));
  expect(seen).toEqual(entries.slice(1).map(([index, row]) => [index, row, true]));
  expect([left.has(3), left.has(1), left.has(9)]).toEqual([false, true, false]);
  expect([left.get(3), left.get(1), left.get(9)]).toEqual([undefined, rowOf(20, 2), undefined]);
});

test('a file of cells that was cut, or is gone, is missing its rows only', async () => {
  const files = faultyFiles();
  const disk = await open(files);
  await disk.commit([put(0, 10, 1), put(1, 10, 2), put(2, 9_000, 3)]);
  await disk.close();
  const small = pathOf('cells-8192.bin');
  const image = files.image();
  const keys = async (change: Map<string, Uint8Array>): Promise<number[]> =>
    [...((await open(faultyFiles(change))).stable?.chunks ?? [])].map(([index]) => index);
  const cut = image.get(small)!.slice(0, 8_192 + 9);
  expect(await keys(new Map([...image, [small, cut]]))).toEqual([0, 2]);
  expect(await keys(new Map([...image].filter(([path]) => path !== small)))).toEqual([2]);
});

test('an opening gives back the room behind the last row, and keeps the rows', async () => {
  const files = faultyFiles();
  const disk = await open(files);
  await disk.commit([0, 1, 2, 3].map((i) => put(i, 10, i)));
  await disk.commit([put(9, 9_000, 1)]);
  await disk.commit([
    { type: 'drop', table: 'chunks', rows: { from: 2 } },
    { type: 'drop', table: 'chunks', rows: { below: 1 } },
  ]);
  await disk.close();
  expect(await changes(files, () => open(files))).toContain('truncate cells-12288.bin');
  const sizeOf = (name: string) => files.image().get(pathOf(name))?.length;
  expect([sizeOf('cells-8192.bin'), sizeOf('cells-12288.bin')]).toEqual([2 * 8_192, 0]);
});

test('what is opened knows which cells are taken', async () => {
  const files = faultyFiles();
  const disk = await open(files);
  await disk.commit([put(0, 10, 0), put(1, 10, 1), put(2, 10, 2)]);
  await disk.commit([{ type: 'drop', table: 'chunks', rows: { below: 1 } }]);
  await disk.close();
  const again = await open(files);
  const from = files.journal.length;
  await again.commit([put(3, 10, 3), put(4, 10, 4)]);
  expect(writtenAt(files, from)).toEqual([0, 3]);
});

test('a file of cells that is none is refused, and all is closed again', async () => {
  const memory = faultyFiles(new Map([[pathOf('cells-8192.bin'), new Uint8Array(3)]]));
  const count = counted(memory);
  const files: Files = {
    ...count.files,
    kind: async (path) => (path.includes('cells') ? 'link' : memory.kind(path)),
  };
  await expect(open(files)).rejects.toMatchObject({
    ...{ name: 'UnsafePathError', path: pathOf('cells-8192.bin') },
  });
  expect(count.open).toBe(0);
  // Names that are like theirs are left alone.
  const names = ['cells-819.bin', 'cells-8192.bin2', 'xcells-8192.bin', 'cells-8192xbin'];
  const other = faultyFiles(new Map(names.map((name) => [pathOf(name), Uint8Array.of(7)])));
  const disk = await open(other);
  await disk.commit([put(0, 10, 0)]);
  for (const name of names) expect(other.image().get(pathOf(name))).toEqual(Uint8Array.of(7));
});

test('a close closes the files of cells', async () => {
  const memory = faultyFiles();
  const count = counted(memory);
  const disk = await open(count.files);
  await disk.commit([put(0, 10, 0), put(1, 9_000, 0)]);
  await disk.close();
  expect(count.open).toBe(0);
});

test('wherever opening cells fails, all files are closed and the error is named', async () => {
  const memory = faultyFiles();
  const disk = await open(memory);
  await disk.commit([put(0, 10, 0), put(1, 9_000, 0)]);
  await disk.commit([{ type: 'drop', table: 'chunks', rows: { from: 0 } }]);
  await disk.close();
  const failed = Object.assign(new Error('EIO'), { code: 'EIO', syscall: 'open' });
  const isCells = (path: string) => path.includes('cells');
  for (const call of ['kind', 'open', 'truncate']) {
    const count = counted(faultyFiles(memory.image()));
    let calls = 0;
    const failsAt = (each: string, path: string): void => {
      if (each === call && isCells(path) && ++calls === 2) throw failed;
    };
    const files: Files = {
      ...count.files,
      kind: async (path) => {
        failsAt('kind', path);
        return count.files.kind(path);
      },
      open: async (path, mode) => {
        failsAt('open', path);
        const file = await count.files.open(path, mode);
        const truncate = async (size: number): Promise<void> => {
          failsAt('truncate', path);
          await file.truncate(size);
        };
        return { ...file, truncate };
      },
    };
    await expect(open(files), call).rejects.toMatchObject({
      ...{ name: 'DiskFailedError', message: expect.stringMatching(/at opening the cells/) },
    });
    expect(count.open, call).toBe(0);
    // The log in there can be opened again.
    await (await open(count.files)).close();
  }
});

test('cells that are said to be kept are not chosen, and freed ones are', async () => {
  const cells: Cells = await openCells(folder, faultyFiles());
  const taken = { size: 8_192, length: 0, check: 0 };
  for (const index of [0, 1, 3]) cells.keep({ ...taken, index });
  const chosen = () => cells.choose(new Uint8Array(1)).index;
  expect([chosen(), chosen()]).toEqual([2, 4]);
  cells.free({ ...taken, index: 3 });
  cells.free({ ...taken, index: 1 });
  cells.free({ ...taken, index: 4 });
  expect([chosen(), chosen(), chosen(), chosen()]).toEqual([1, 3, 4, 5]);
  expect(cells.read({ ...taken, index: 7, length: 3 }, (row) => row.slice())).toBeUndefined();
});

test('without cells, large rows are kept in the log', async () => {
  const files = faultyFiles();
  const options = {
    ...fields,
    open: (replay: (batch: Uint8Array) => void) =>
      openLog(folder, { owner: 'rows', files, replay }),
  };
  const disk = await openDisk<Sample>(options);
  await disk.commit([put(0, 9_000, 1)]);
  expect(disk.read('chunks', 0)).toBeUndefined();
  await disk.close();
  expect([...files.image().keys()].filter((path) => path.includes('cells'))).toEqual([]);
  expect((await openDisk<Sample>(options)).stable?.chunks.get(0)).toEqual(rowOf(9_000, 1));
});
