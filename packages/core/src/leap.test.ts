import { expect, test } from 'vitest';
import { maxInteger } from './bytes.ts';
import { leapGuard, maxLeap } from './leap.ts';
import type { Tagged } from './vocabulary.ts';

const said = (from: number, term: number) =>
  ({ kind: 'vote', term, from, signature: new Uint8Array() }) as never;
const guard = () =>
  leapGuard({ name: 'term', said: (message: Tagged & { term?: number }) => message.term ?? 0 }, 3);

test('what honest members may reach is heard, and what is farther is not, and is named', () => {
  const one = guard();
  expect(one.refuses(said(1, 7 + maxLeap), 7)).toBe(false);
  expect(one.trouble(7)).toBeUndefined();
  expect(one.refuses(said(1, 8 + maxLeap), 7)).toBe(true);
  expect(one.refuses(said(1, maxInteger), 7)).toBe(true);
  expect(one.trouble(7)).toMatch(/Member 1 speaks of term 281474976710656.*at 7.*Look at/);
});

test('what two members say is believed: then it is this one that was away', () => {
  const one = guard();
  const far = 5 * maxLeap;
  expect(one.refuses(said(1, far), 0)).toBe(true);
  expect(one.refuses(said(1, far + 1), 0)).toBe(true);
  expect(one.refuses(said(2, far + 3), 0)).toBe(false);
  expect(one.refuses(said(1, far + 3), 0)).toBe(false);
  expect(one.trouble(far + 3)).toBeUndefined();
  // As far behind the other as members may be, and by one more.
  for (const behind of [0, 1]) {
    const two = guard();
    expect(two.refuses(said(1, far), 0)).toBe(true);
    expect(two.refuses(said(2, far + maxLeap + behind), 0)).toBe(behind === 1);
    expect(two.trouble(far + behind)).toBeUndefined();
    expect(two.trouble(far + behind - 1)).toMatch(/^Member 2 speaks of/);
  }
});

test('a liar helps nobody to be believed but those who are as far', () => {
  const one = guard();
  expect(one.refuses(said(1, maxInteger), 0)).toBe(true);
  expect(one.refuses(said(2, 3 * maxLeap), 0)).toBe(false);
  expect(one.refuses(said(1, maxInteger), 3 * maxLeap)).toBe(true);
});

test('strangers and clients are no second member', () => {
  const one = guard();
  for (const from of [3, 65_536]) expect(one.refuses(said(from, maxInteger), 0)).toBe(true);
  expect(one.refuses(said(1, maxInteger), 0)).toBe(true);
});

test('where the numbers are nearly used up the replica says so, however they got there', () => {
  expect(guard().trouble(maxInteger - 5)).toMatch(/The term is .* move the data to a new group/);
  expect(guard().trouble(maxInteger - maxLeap)).toBeUndefined();
});
