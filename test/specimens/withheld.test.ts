/** A leader that gives the body of a batch to whom it likes, tried in all ways. */
import { expect, test } from 'vitest';
import { outcomeOf } from './withheld.ts';

const choices = Array.from({ length: 8 }, (_, bits) =>
  [1, 2, 3].filter((each) => (bits >> (each - 1)) & 1),
);

/** For each way in which the batch is committed: from how many honest replicas it can be had. */
const holdersOfCommitted = (votesUnseen: boolean): readonly number[] =>
  choices
    .map((holders) => outcomeOf(holders, { votesUnseen }))
    .filter(({ committed }) => committed)
    .map(({ fetchedFrom }) => fetchedFrom);

test('B-53: votes for a digest alone commit what nobody has, and nothing runs after it', () => {
  expect(Math.min(...holdersOfCommitted(true))).toBe(0);
});

test('who votes only for what it has leaves it with f+1 honest ones, whatever is withheld', () => {
  const holders = holdersOfCommitted(false);
  expect(holders.length).toBeGreaterThan(0);
  expect(Math.min(...holders)).toBe(2);
});
