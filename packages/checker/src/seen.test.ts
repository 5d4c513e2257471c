import { expect, test } from 'vitest';
import { addLast, forget, makeRoom, seenLists } from './seen.ts';

test('a list is new only once, however often the table has grown', () => {
  const seen = seenLists({ bytesLeft: 1_000_000 })!;
  const add = (value: number): boolean => {
    expect(makeRoom(seen, 2 + (value % 3))).toBe(true);
    seen.words.set([2 + (value % 3), value].concat(Array(value % 3).fill(7)), seen.used);
    return addLast(seen);
  };
  const values = Array.from({ length: 700 }, (_, i) => i);
  expect(values.filter(add)).toEqual(values);
  expect(values.filter(add)).toEqual([]);
});

test('a set of lists takes what it needs from the memory and gives it back', () => {
  for (const bytesLeft of [1000, 1280, 2000, 5000, 20_000, 1_000_000]) {
    const memory = { bytesLeft };
    const lists = seenLists(memory);
    if (lists === undefined) {
      expect(bytesLeft).toBeLessThan(1280);
      expect(memory.bytesLeft).toBe(bytesLeft);
      continue;
    }
    let value = 0;
    for (; value < 800 && makeRoom(lists, 3); value++) {
      lists.words.set([3, value, 7], lists.used);
      expect(addLast(lists)).toBe(true);
      expect(lists.used).toBeLessThanOrEqual(lists.words.length);
      expect(2 * lists.count).toBeLessThanOrEqual(lists.table.length);
      const held = lists.table.byteLength + lists.words.byteLength;
      expect(memory.bytesLeft + held).toBe(bytesLeft);
      expect(memory.bytesLeft).toBeGreaterThanOrEqual(0);
      // No more than twice what is needed.
      expect(held).toBeLessThan(1280 + 8 * 4 * lists.used);
    }
    expect(value === 800).toBe(bytesLeft === 1_000_000);
    forget(lists);
    expect(memory.bytesLeft).toBe(bytesLeft);
  }
});
