/** Who may go on, and who has to wait. */
import { expect, test } from 'vitest';
import { payerOf } from './payer.ts';
import { FIRST_CLIENT } from './principal.ts';
import { Budgets, workOf } from './work.ts';

const limits = {
  memberWorkPerSecond: 1_000,
  clientWorkPerSecond: 1_000,
  savedWorkSeconds: 4,
  savedPassedOnSeconds: 1,
};
const budgets = (): Budgets => new Budgets(limits, [0, 1, 2, 3]);
const votes = payerOf(1, false);
const relays = payerOf(1, true);

test('relays of a member spend what they may, and leave its votes theirs', () => {
  const found = budgets();
  found.spend(relays, 1_500, 0);
  expect(found.debt(relays, 0)).toBeCloseTo(500);
  expect(found.debt(votes, 0)).toBe(0);
  expect(found.debt(relays, 500)).toBe(0);
});

test('what gets decided pays for votes, and for no relay', () => {
  const found = budgets();
  for (const payer of [votes, relays]) found.spend(payer, 10_000, 0);
  found.done({ slots: 10, requests: 80, operations: 80, bytes: 8_000 }, 0);
  expect(found.debt(votes, 0)).toBe(0);
  expect(found.debt(relays, 0)).toBeCloseTo(9_000);
});

test('a client whose requests run is never held up, one whose requests do not is', () => {
  const found = budgets();
  const { frame, signature, step, answer } = workOf;
  const cost = frame + signature + step + answer;
  for (let i = 0; i < 100; i++) {
    found.spend(FIRST_CLIENT, cost, 0);
    found.ran(FIRST_CLIENT, 1, 100, 0);
    found.spend(FIRST_CLIENT + 1, cost, 0);
  }
  expect(found.debt(FIRST_CLIENT, 0)).toBe(0);
  expect(found.debt(FIRST_CLIENT + 1, 0)).toBeGreaterThan(0);
});
