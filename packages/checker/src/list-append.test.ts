import { expect, test } from 'vitest';
import { seeded } from '../test/chance.ts';
import { explains } from '../test/serial-order.ts';
import {
  checkListAppend,
  HistoryError,
  type ListOperation,
  type ListTransaction,
} from './index.ts';

const append = (key: string, value: number): ListOperation => ({ kind: 'append', key, value });
const read = (key: string, ...values: number[]): ListOperation => ({ kind: 'read', key, values });

type Outcome = ListTransaction['outcome'];
const at = (
  invokedAt: number,
  returnedAt: number,
  operations: ListOperation[],
  outcome: Outcome = 'committed',
): ListTransaction => ({ process: 1, invokedAt, returnedAt, outcome, operations });
/** All at once, so that time says nothing. */
const together = (...each: ListOperation[][]): ListTransaction[] =>
  each.map((operations) => at(0, 100, operations));
const names = (history: ListTransaction[], realTime = true): string[] => {
  const found = checkListAppend(history, { realTime });
  return found.verdict === 'violated' ? found.anomalies.map(({ name }) => name) : [found.verdict];
};

const flawed: readonly (readonly [what: string, anomaly: string, history: ListTransaction[]])[] = [
  [
    'two whose writes interleave',
    'G0',
    together(
      [append('x', 1), append('y', 1)],
      [append('x', 2), append('y', 2)],
      [read('x', 1, 2), read('y', 2, 1)],
    ),
  ],
  [
    'a read of what was taken back',
    'G1a',
    [at(0, 9, [append('x', 1)], 'aborted'), at(20, 30, [read('x', 1)])],
  ],
  ['a read in the middle', 'G1b', together([append('x', 1), append('x', 2)], [read('x', 1)])],
  [
    'two that read each other',
    'G1c',
    together([append('x', 1), read('y', 1)], [append('y', 1), read('x', 1)]),
  ],
  [
    'a read that sees half a transfer',
    'G-single',
    together([append('x', 1), append('y', 1)], [read('x', 1), read('y')], [read('y', 1)]),
  ],
  ['a lost update', 'G2', together([read('x'), append('x', 1)], [read('x'), append('x', 2)])],
  [
    'write skew',
    'G2',
    together(
      [read('x'), append('y', 1)],
      [read('y'), append('x', 1)],
      [read('x', 1)],
      [read('y', 1)],
    ),
  ],
  [
    'a read that misses what had ended',
    'G-single-realtime',
    [at(0, 9, [append('x', 1)]), at(20, 30, [read('x')]), at(0, 90, [read('x', 1)])],
  ],
  [
    'a read that misses what had ended and nobody reads',
    'G-single-realtime',
    [at(0, 9, [append('x', 1)]), at(20, 30, [read('x')])],
  ],
  [
    'writes in the order in which they did not happen',
    'G0-realtime',
    [at(0, 9, [append('x', 1)]), at(20, 30, [append('x', 2)]), at(0, 90, [read('x', 2, 1)])],
  ],
  [
    'a read of what began later',
    'G1c-realtime',
    [at(0, 9, [read('x', 1)]), at(20, 30, [append('x', 1)])],
  ],
  [
    'two causes, seen in two orders',
    'G2',
    together(
      [append('x', 1)],
      [append('y', 1)],
      [read('x', 1), read('y')],
      [read('y', 1), read('x')],
    ),
  ],
  [
    'lists that differ',
    'incompatible-order',
    together([append('x', 1)], [append('x', 2)], [read('x', 1, 2)], [read('x', 2)]),
  ],
  ['an element twice', 'duplicate-elements', together([append('x', 1)], [read('x', 1, 1)])],
  ['an element of nobody', 'garbage-read', together([read('x', 7)])],
  ['a read that forgets its own append', 'internal', together([append('x', 1), read('x')])],
  ['two reads that differ', 'internal', together([append('x', 1)], [read('x'), read('x', 1)])],
];

test.each(flawed)('%s is found: %s', (_, anomaly, history) => {
  expect(names(history)).toContain(anomaly);
});

test('only with real time does it matter what had ended before', () => {
  for (const [, anomaly, history] of flawed)
    if (anomaly.endsWith('-realtime')) expect(names(history, false)).toEqual(['serializable']);
});

test('a cycle is told edge by edge', () => {
  const found = checkListAppend([at(0, 9, [append('x', 1)]), at(20, 30, [read('x')])]);
  if (found.verdict !== 'violated') throw new Error(found.verdict);
  expect(found.anomalies[0]?.transactions).toHaveLength(2);
  expect(found.anomalies[0]?.steps.toSorted()).toEqual([
    'T0 had ended before T1 began',
    "T1 read 'x' as empty, without 1 of T0",
  ]);
});

test('honest histories are accepted', () => {
  expect(names([])).toEqual(['strict-serializable']);
  // Concurrent ones may come in any order; one that read and appended sees itself.
  expect(
    names([
      at(0, 50, [append('x', 1), read('x', 2, 1)]),
      at(0, 60, [read('x'), append('x', 2), read('x', 2)]),
      at(70, 80, [read('x', 2, 1), append('x', 3)]),
    ]),
  ).toEqual(['strict-serializable']);
  // Of unknown outcome, and read by others: it did happen, and late.
  const unknown = { ...at(0, 0, [append('x', 1)], 'unknown'), returnedAt: undefined };
  expect(names([unknown, at(5, 6, [read('x')]), at(7, 8, [read('x', 1)])])).toEqual([
    'strict-serializable',
  ]);
  expect(names([unknown, at(5, 6, [read('x', 1)]), at(7, 8, [read('x')])])).not.toEqual([
    'strict-serializable',
  ]);
  // What touches at one instant is concurrent.
  expect(names([at(0, 9, [append('x', 1)]), at(9, 12, [read('x')])])).toEqual([
    'strict-serializable',
  ]);
});

test('a history that no run can have is refused, a large one not looked at', () => {
  expect(() => checkListAppend(together([append('x', 1)], [append('x', 1)]))).toThrow(HistoryError);
  expect(() => checkListAppend([at(9, 0, [])])).toThrow('returned at 0');
  const open = { ...at(0, 0, []), returnedAt: undefined };
  expect(() => checkListAppend([open])).toThrow('no time of return');
  expect(checkListAppend(together([read('x')], [read('x')]), { budget: 3 }).verdict).toBe(
    'unknown',
  );
});

/** A small history: transactions that ran one by one, some of whose reads or times are wrong. */
function anyHistory(seed: number): ListTransaction[] {
  const random = seeded(seed);
  const keys = ['x', 'y'];
  const lists = new Map<string, number[]>(keys.map((key) => [key, []]));
  const history: ListTransaction[] = [];
  let value = 0;
  for (let i = 0; i < 5; i++) {
    const operations: ListOperation[] = [];
    const outcome = (['committed', 'committed', 'committed', 'unknown', 'aborted'] as const)[
      random.below(5)
    ] as Outcome;
    const own = new Map([...lists].map(([key, list]) => [key, [...list]]));
    for (let k = random.below(3) + 1; k > 0; k--) {
      const key = keys[random.below(2)] as string;
      const list = own.get(key) as number[];
      if (random.below(2) === 0) {
        operations.push(append(key, ++value));
        list.push(value);
      } else {
        const seen = list.slice(
          0,
          random.below(8) === 0 ? random.below(list.length + 1) : undefined,
        );
        if (random.below(12) === 0) seen.reverse();
        operations.push(read(key, ...seen));
      }
    }
    const took = outcome === 'committed' || (outcome === 'unknown' && random.below(2) === 0);
    if (took || random.below(10) === 0) for (const [key, list] of own) lists.set(key, list);
    const invokedAt = 10 * i - random.below(25);
    const returnedAt = 10 * i + random.below(25);
    history.push({ ...at(invokedAt, returnedAt, operations, outcome) });
  }
  return history;
}

test('says just what trying all orders says', () => {
  const counts = { right: 0, wrong: 0 };
  for (let seed = 0; seed < 600; seed++) {
    const history = anyHistory(seed);
    for (const realTime of [false, true]) {
      const holds = explains(history, realTime);
      counts[holds ? 'right' : 'wrong'] += 1;
      const found = checkListAppend(history, { realTime });
      expect(
        found.verdict !== 'violated',
        `checkListAppend(anyHistory(${seed}), { realTime: ${realTime} }): ${JSON.stringify(found)}`,
      ).toBe(holds);
    }
  }
  expect(Math.min(counts.right, counts.wrong)).toBeGreaterThan(100);
});

test('a long history is judged in one go', () => {
  const history: ListTransaction[] = [];
  const list: number[] = [];
  for (let i = 0; i < 4_000; i++) {
    const key = `k${i >> 6}`;
    if (i % 64 === 0) list.length = 0;
    const seen = [...list];
    list.push(i);
    history.push(at(10 * i, 10 * i + 15, [read(key, ...seen), append(key, i)]));
  }
  expect(names(history)).toEqual(['strict-serializable']);
  // The last one moves to the front of time.
  const last = history.pop() as ListTransaction;
  history.push({ ...last, invokedAt: 0, returnedAt: 1 });
  expect(names(history)).toContain('G1c-realtime');
});
