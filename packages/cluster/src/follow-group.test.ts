/** Whom clients believe about who has come and who has left. */
import { expect, test } from 'vitest';
import { newestOf } from './follow-group.ts';

const told = (applied: number, member: number, ...left: number[]) => ({
  applied,
  came: [{ member, about: Uint8Array.of(member) }],
  left,
});

test('of members that only crash the one that knows most of the log is believed', () => {
  expect(newestOf([told(5, 4), told(9, 4, 0), told(7, 4)], 1)).toEqual(told(9, 4, 0));
  expect(newestOf([], 1)).toBeUndefined();
});

test('no liar invents members or sends others away, whatever it says to have applied', () => {
  const liar = told(1e9, 66, 1, 2, 3);
  expect(newestOf([liar, told(5, 4)], 2)).toBeUndefined();
  expect(newestOf([liar, told(5, 4), told(6, 4)], 2)).toEqual(told(5, 4));
  // Nor does it hold up what is newer by joining those who lag.
  const old = [told(3, 4), told(1e9, 4)];
  expect(newestOf([...old, told(8, 4, 0), told(9, 4, 0)], 2)).toEqual(told(8, 4, 0));
});
