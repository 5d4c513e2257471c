import { setImmediate as turn } from 'node:timers/promises';
import type { Steps } from '@quorumlab/core';
import { expect, test } from 'vitest';
import { inSlices } from './slices.ts';

/** Counts the turns of the event loop while `work` is under way. */
async function turnsDuring<T>(work: Promise<T>): Promise<{ readonly result: T; turns: number }> {
  let over = false;
  const end = (): void => void (over = true);
  void work.then(end, end);
  let turns = 0;
  for (; !over; turns++) await turn();
  return { result: await work, turns };
}

function* counting(to: number): Steps<number> {
  for (let i = 0; i < to; i++) yield i;
  return to;
}

test('others have their turn between two slices, and a result comes out', async () => {
  const { result, turns } = await turnsDuring(inSlices(counting(20), 0));
  expect(result).toBe(20);
  expect(turns).toBeGreaterThanOrEqual(20);
});

test('steps that are quick share a turn', async () => {
  const { result, turns } = await turnsDuring(inSlices(counting(20), 60_000));
  expect(result).toBe(20);
  expect(turns).toBeLessThan(3);
});

test('what a step throws comes out', async () => {
  function* broken(): Steps<number> {
    yield 1;
    throw new RangeError('broken');
  }
  await expect(inSlices(broken(), 0)).rejects.toThrow(RangeError);
});
