import { expect, test } from 'vitest';
import { decisions } from './random.ts';

const draws = (random: { below(limit: number): number }, limits: readonly number[]): number[] =>
  limits.map((limit) => random.below(limit));

const limits = Array.from(
  { length: 4_000 },
  (_, i) => [2, 7, 201, 1e6, 2 ** 31, 2 ** 48][i % 6] as number,
);

test('one seed, one stream; a number and its text are one seed; others differ', () => {
  const first = draws(decisions({ seed: 42 }), limits);
  expect(draws(decisions({ seed: '42' }), limits)).toEqual(first);
  expect(draws(decisions({ seed: 43 }), limits)).not.toEqual(first);
  expect(draws(decisions({ seed: '420' }), limits)).not.toEqual(first);
});

test('the stream is the same everywhere for ever: its first choices are written down', () => {
  const random = decisions({ seed: 'quorumlab' });
  expect(draws(random, [1000, 1000, 1000, 2 ** 40])).toMatchInlineSnapshot(`
    [
      829,
      358,
      453,
      225697371421,
    ]
  `);
});

test('choices are in range and spread evenly', () => {
  for (const limit of [2, 10, 97, 2 ** 22, 2 ** 48]) {
    const random = decisions({ seed: limit });
    const buckets = new Array<number>(10).fill(0);
    for (let i = 0; i < 20_000; i++) {
      const value = random.below(limit);
      expect(Number.isInteger(value) && value >= 0 && value < limit).toBe(true);
      const bucket = Math.floor((value / limit) * 10);
      buckets[bucket] = (buckets[bucket] as number) + 1;
    }
    // Ten standard deviations: a generator that is any good never gets there.
    if (limit >= 10) for (const each of buckets) expect(Math.abs(each - 2_000)).toBeLessThan(450);
  }
});

test('a recording gives the same choices again; edited or cut short it still is a run', () => {
  const original = decisions({ seed: 1, record: true });
  const first = draws(original, limits);
  const list = original.recorded();
  expect(list).toHaveLength(original.count);
  expect(draws(decisions({ seed: 'ignored', replay: list }), limits)).toEqual(first);

  const short = draws(decisions({ seed: 0, replay: list.slice(0, 10) }), limits);
  expect(short.slice(0, 10)).toEqual(first.slice(0, 10));
  expect(short.slice(10).every((value) => value === 0)).toBe(true);

  const odd = decisions({ seed: 0, replay: [1005, -3, 0.5, Number.NaN, 12] });
  expect(draws(odd, [1000, 1000, 1000, 1000, 10])).toEqual([5, 0, 0, 0, 2]);
});

test('a choice between one thing is no choice and is not recorded', () => {
  const random = decisions({ seed: 1, record: true });
  expect(draws(random, [1, 0, -1])).toEqual([0, 0, 0]);
  expect(random.recorded()).toEqual([]);
});
