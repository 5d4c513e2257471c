/** What a check may cost: what it has not decided within that it calls undecided. */
import { expect, test } from 'vitest';
import { get, type KeyValueCall, put, store } from '../test/calls.ts';
import { checkLinearizable } from './index.ts';

/** Writes that all overlap, and a read of what none of them wrote: every subset must be tried. */
const hard = (key: string): readonly KeyValueCall[] => [
  ...Array.from({ length: 40 }, (_, i) => put(key, `${i}`, 0, 100)),
  get(key, 'nobody', 0, 100),
];

test('a search without enough memory or steps has not decided, and says so', () => {
  const few = [...hard('a').slice(0, 10), get('a', 'nobody', 0, 100)];
  const whole = checkLinearizable(store, few);
  expect(whole.verdict).toBe('not-linearizable');
  for (const budget of [
    { bytes: 0 },
    { bytes: 1500 },
    { bytes: 6000 },
    { bytes: 30_000 },
    { steps: 0 },
    { steps: 1 },
    { steps: 900 },
    { steps: 1001 },
  ]) {
    const found = checkLinearizable(store, few, budget);
    expect(found.verdict).toBe('unknown');
    expect(found.steps).toBeLessThanOrEqual(budget.steps ?? whole.steps);
    if (found.verdict === 'unknown') {
      const full = budget.bytes === undefined ? 0 : 1;
      expect(found.sentence).toContain(
        `1 keys (first: a) are undecided after ${found.steps} steps`,
      );
      expect(found.sentence).toContain(`${full} of them for want of memory`);
    }
  }
  // What is undecided hides nothing that is decided.
  const wrong = checkLinearizable(store, [...few, get('b', 'x', 0, 1)], { bytes: 6000 });
  expect(wrong).toMatchObject({ verdict: 'not-linearizable', blame: { key: 'b' } });
  const register = { ...store, key: () => undefined as never };
  const alone = checkLinearizable(register, few, { steps: 5 });
  expect(alone.verdict === 'unknown' && alone.sentence).toContain('(first: the only one)');
  expect(checkLinearizable(store, few, { steps: whole.steps }).verdict).toBe('not-linearizable');
});

test('a budget that is spent gives unknown and a sentence, never an exception', () => {
  for (const budget of [{ steps: 0 }, { steps: 5000 }, { bytes: 0 }, { bytes: 1_000_000 }]) {
    const found = checkLinearizable(store, hard('a'), budget);
    expect(found.verdict).toBe('unknown');
    expect(found.steps).toBeLessThanOrEqual(budget.steps ?? 1_000_000);
    if (found.verdict === 'unknown') expect(found.sentence).toContain('1 keys (first: a)');
  }
});

test('a hard key does not hide a wrong one, and does not take its memory for good', () => {
  const many = Array.from({ length: 3000 }, (_, i) => put('z', `${i}`, 2 * i, 2 * i + 1));
  const wrong = [...many, get('z', 'nobody', 9000, 9001)];
  const calls = [...hard('a'), ...hard('b'), ...wrong];
  expect(checkLinearizable(store, calls)).toMatchObject({
    verdict: 'not-linearizable',
    blame: { key: 'z' },
    steps: expect.toSatisfy((steps: number) => steps < 100_000),
  });
  const found = checkLinearizable(store, [...hard('a'), ...many], { bytes: 1_000_000 });
  expect(found.verdict === 'unknown' && found.sentence).toContain('1 keys (first: a)');
});

test('keys that are decided give their memory back to the others', () => {
  const calls = Array.from({ length: 3000 }, (_, i) => put(`${i}`, 'x', i, i + 50));
  expect(checkLinearizable(store, calls, { bytes: 20_000 }).verdict).toBe('linearizable');
});
