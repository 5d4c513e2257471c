/** What a group is told, and sets of instances. */
import { describe, expect, test } from 'vitest';
import { each, has, isSame, runsOf, union } from './dependencies.ts';
import { fastQuorum, groupOf, slowQuorum } from './group.ts';
import { epaxos } from './index.ts';
import { rules } from './rules.ts';

describe('the size of a group', () => {
  // n, f, e and the quorums that follow: EPaxos* asks for n >= max(2e+f-1, 2f+1).
  test.each([
    [3, 1, 1, 2, 2],
    [5, 2, 2, 3, 3],
    [7, 3, 2, 4, 5],
    [9, 4, 3, 5, 6],
    [4, 1, 1, 3, 3],
    [1, 0, 0, 1, 1],
  ])('n=%i: f=%i, e=%i, slow %i, fast %i', (n, f, e, slow, fast) => {
    const group = groupOf({ n }, rules);
    expect([group.f, group.e]).toEqual([f, e]);
    expect([slowQuorum(group), fastQuorum(group)]).toEqual([slow, fast]);
  });

  test.each([
    [{ n: 4, f: 2 }, '4 members cannot survive 2 crashes'],
    [{ n: 5, f: 1, e: 2 }, 'e = 2 is more than f = 1'],
    [{ n: 7, f: 3, e: 3 }, 'that takes 2e+f-1 = 8; use e = 2 or less'],
    [{ n: 3, snapshotEvery: 0 }, 'snapshotEvery is 0; use an integer of 1 or more'],
    [{ n: 3, pipeline: 65 }, 'pipeline is 65; use an integer of 1 or more and 64 or less'],
  ])('%o is refused', (options, sentence) => {
    expect(() => epaxos(options)).toThrow(sentence);
  });

  test('unless it is told that it is unsafe', () => {
    expect(epaxos({ n: 4, f: 2, unsafe: true }).f).toBe(2);
  });
});

describe('sets of instances', () => {
  const n = 3;

  test('equal sets are equal lists, in whatever order they were made', () => {
    const ids = [9, 0, 4, 3, 6, 1, 15];
    const runs = runsOf(ids, n);
    expect(isSame(runs, runsOf([...ids].reverse(), n))).toBe(true);
    expect([...each(runs, n)].sort((a, b) => a - b)).toEqual([0, 1, 3, 4, 6, 9, 15]);
    expect(runs).toEqual([
      { from: 0, count: 4 },
      { from: 15, count: 1 },
      { from: 1, count: 2 },
    ]);
  });

  test('what is in a set is in it, and nothing else', () => {
    const ids = new Set([0, 1, 3, 4, 6, 9, 15]);
    const runs = runsOf(ids, n);
    for (let id = 0; id < 30; id++) expect(has(runs, id, n)).toBe(ids.has(id));
  });

  test('a union holds what one of them holds', () => {
    const all = union([runsOf([0, 3], n), runsOf([6], n), runsOf([1], n)], n);
    expect(isSame(all, runsOf([0, 1, 3, 6], n))).toBe(true);
  });
});
