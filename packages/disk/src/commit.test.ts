/** Commits of a stable state: how they stand in the log. */
import { bytes, type StoredFields } from '@quorumlab/core';
import { describe, expect, test } from 'vitest';
import { opened, utf8 } from '../test/opened.ts';
import {
  batchesOn,
  fields,
  over,
  put,
  registers,
  type Sample,
  save,
  vote,
} from '../test/sample-disk.ts';
import { type FaultyFiles, faultyFiles } from './testing.ts';

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
