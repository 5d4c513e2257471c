import type { Rows, Shape, Write } from '@quorumlab/core';
import { expect, test } from 'vitest';
import { applyWrites, copyStorage, emptyStorage, readStorage } from './disk.ts';
import { decisions } from './random.ts';

interface Kept extends Shape {
  readonly Stable: { readonly term: number; readonly log: ReadonlyMap<number, string> };
}

test('rows put and dropped in any order are those of a plain table', () => {
  const random = decisions({ seed: 'disk' });
  const storage = emptyStorage<Kept>({ term: 0, log: new Map() });
  const model = new Map<number, string>();
  for (let round = 0; round < 20_000; round++) {
    const index = random.below(60);
    const choice = random.below(10);
    if (choice < 7) {
      applyWrites(storage, [{ type: 'put', table: 'log', index, row: `${round}` }], false);
      model.set(index, `${round}`);
    } else {
      const rows: Rows = choice === 7 ? { from: index } : { below: index };
      applyWrites(storage, [{ type: 'drop', table: 'log', rows }], false);
      for (const i of model.keys())
        if ('from' in rows ? i >= rows.from : i < rows.below) model.delete(i);
    }
    if (round % 50 === 0) expect(new Map(storage.stable.log)).toEqual(model);
  }
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
  const copy = copyStorage(storage, true);
  const read = readStorage(storage, false);
  (read.log as Map<number, unknown>).clear();
  expect(storage.stable).toEqual({ term: 3, log: new Map([[0, { text: 'a' }]]) });
  expect(copy.stable).toEqual(storage.stable);
  expect(copy.written).toBe(true);
});
