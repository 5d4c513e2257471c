/** Who may go on, and who has to wait. */
import { expect, test } from 'vitest';
import { payerOf } from './payer.ts';
import { FIRST_CLIENT } from './principal.ts';
import { Budgets, costOfStep, workOf } from './work.ts';

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

test('a step costs by the bytes of its message too, and what gets done pays for that', () => {
  const bytes = 2 ** 20;
  const readAndStepped = workOf.frame + bytes * workOf.byte + costOfStep(bytes);
  expect(readAndStepped).toBeGreaterThan(2 * bytes * workOf.byte);
  const [done, asked, ran, none] = [budgets(), budgets(), budgets(), budgets()];
  for (let i = 0; i < 10; i++) {
    for (const found of [done, asked, ran, none])
      for (const payer of [votes, FIRST_CLIENT]) found.spend(payer, readAndStepped, 0);
    done.done({ slots: 1, requests: 2, operations: 16, bytes }, 0);
    asked.asked(1, bytes, 0);
    ran.ran(FIRST_CLIENT, 16, bytes, 0);
  }
  expect(done.debt(votes, 0)).toBe(0);
  expect(asked.debt(votes, 0)).toBe(0);
  expect(ran.debt(FIRST_CLIENT, 0)).toBe(0);
  for (const payer of [votes, FIRST_CLIENT]) expect(none.debt(payer, 0)).toBeGreaterThan(50_000);
});
