import { expect, test } from 'vitest';
import { type Range, router } from './index.ts';

const range = (from: string, to: string | null, group: number, epoch: number): Range => ({
  ...{ from, to, group, epoch },
});

test('of two that speak of one key the higher epoch is right, in any order', () => {
  const known = [
    range('', 'm', 0, 1),
    range('m', null, 1, 1),
    range('c', 'f', 2, 3),
    range('', 'd', 1, 2),
    range('e', 'p', 3, 5),
  ];
  const expected = ['a', 'c', 'd', 'e', 'f', 'm', 'p', 'z'];
  const groups = [1, 2, 2, 3, 3, 3, 1, 1];
  for (const order of [known, known.toReversed(), [...known.slice(2), ...known.slice(0, 2)]]) {
    const table = router();
    for (const each of order) table.learn([each]);
    expect(expected.map(table.groupOf)).toEqual(groups);
  }
});

test('a table that knows nothing says so, and what is known is said by the first key', () => {
  const table = router();
  expect(table.groupOf('a')).toBeUndefined();
  table.learn([range('m', null, 1, 1), range('', 'm', 0, 1)]);
  expect(table.ranges().map(({ group }) => group)).toEqual([0, 1]);
});
