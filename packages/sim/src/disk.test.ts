import type { Rows, Shape, Write } from '@quorumlab/core';
import { expect, test } from 'vitest';
import { applyWrites, copyStorage, emptyStorage, readStorage } from './disk.ts';
import { decisions } from './random.ts';
import { dropBelow, dropFrom, makeTable, putRow, rowsOf } from './table.ts';

interface Kept extends Shape {
  readonly Stable: { readonly term: number; readonly log: ReadonlyMap<number, string> };
}

for (const spread of [1, 1_000])
  test(`rows put and dropped in any order are those of a plain table, ${spread} apart`, () => {
    const random = decisions({ seed: `disk ${spread}` });
    const storage = emptyStorage<Kept>({ term: 0, log: new Map() });
    const model = new Map<number, string>();
    for (let round = 0; round < 20_000; round++) {
      // A window that moves on, as a log's does, and now and then starts again behind itself.
      const index = (random.below(60) + Math.floor((round % 9_000) / 100)) * spread;
      const choice = random.below(10);
      if (choice < 7) {
        applyWrites<Kept>(storage, [{ type: 'put', table: 'log', index, row: `${round}` }], false);
        model.set(index, `${round}`);
      } else {
        const rows: Rows = choice === 7 ? { from: index } : { below: index };
        applyWrites<Kept>(storage, [{ type: 'drop', table: 'log', rows }], false);
        for (const i of model.keys())
          if ('from' in rows ? i >= rows.from : i < rows.below) model.delete(i);
      }
      if (round % 20 === 0) expect(readStorage<Kept>(storage, false).log).toEqual(model);
    }
  });

test('a log that grows at one end and is cut at both stays an array', () => {
  const table = makeTable(new Map());
  for (let index = 0; index < 10_000; index++) {
    putRow(table, index, index);
    if (index % 100 === 99) dropBelow(table, index - 50);
    if (index % 7 === 6) {
      dropFrom(table, index);
      putRow(table, index, index);
    }
  }
  expect(table.sparse).toBeUndefined();
  expect(table.dense.length).toBeLessThan(400);
  expect([...rowsOf(table).keys()]).toEqual(Array.from({ length: 51 }, (_, i) => 9_949 + i));
});

test('what is read is independent of the disk, and deep copies share nothing', () => {
  const storage = emptyStorage<Kept>({ term: 0, log: new Map() });
  expect(storage.written).toBe(false);
  const row = { text: 'a' };
  const writes: Write<Kept>[] = [
    { type: 'save', registers: { term: 3 } },
    { type: 'put', table: 'log', index: 0, row },
  ];
  applyWrites(storage, writes, true);
  row.text = 'b';
  const copy = copyStorage<Kept>(storage, true);
  const read = readStorage<Kept>(storage, false);
  (read.log as Map<number, unknown>).clear();
  expect(readStorage(storage, true)).toEqual({ term: 3, log: new Map([[0, { text: 'a' }]]) });
  expect(readStorage(copy, false)).toEqual(readStorage(storage, true));
  expect(copy.written).toBe(true);
});
