import { expect, test } from 'vitest';
import { diskRows, memoryRows } from './rows.ts';

const bytes = (value: number): Uint8Array => Uint8Array.of(value);

test('rows in memory are there until they are dropped, and nothing waits', () => {
  const rows = memoryRows(new Map([[0, bytes(7)]]));
  rows.put(1, bytes(8));
  rows.put(2, bytes(9));
  expect([0, 1, 2, 3].map((row) => rows.get(row)?.[0])).toEqual([7, 8, 9, undefined]);
  rows.mark();
  rows.confirm();
  rows.drop(2);
  expect([0, 1, 2].map((row) => rows.get(row)?.[0])).toEqual([7, 8, undefined]);
  expect(rows.waits()).toBe(false);
});

test('a row that was put is held until the disk has it, and read from there after that', () => {
  const disk = new Map<number, Uint8Array>();
  const rows = diskRows((row) => disk.get(row));
  const read = (row: number) => rows.get(row)?.[0];
  rows.put(0, bytes(1));
  expect([read(0), rows.waits()]).toEqual([1, true]);
  rows.mark();
  expect([read(0), rows.waits()]).toEqual([1, false]);
  // What is put after the mark is not known to be durable when the mark is.
  rows.put(0, bytes(2));
  rows.put(1, bytes(3));
  expect(read(0)).toBe(2);
  rows.confirm();
  expect([read(0), read(1), rows.waits()]).toEqual([2, 3, true]);
  rows.mark();
  disk.set(0, bytes(4));
  expect(read(0)).toBe(2);
  rows.put(5, bytes(6));
  rows.drop(1);
  expect([read(0), read(1), read(5), rows.waits()]).toEqual([2, undefined, undefined, false]);
  rows.confirm();
  expect(read(0)).toBe(4);
});
