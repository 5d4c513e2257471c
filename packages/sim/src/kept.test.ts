/** What machines and watchers are handed is theirs: nothing of it is changed or used again. */
import type { Machine } from '@quorumlab/core';
import { expect, test } from 'vitest';
import { believing, type Counting, countingMessages, countingSeats } from '../fixtures/counting.ts';
import { lossy, simulate, ssd } from './index.ts';

/** Keeps values, and what they were when they came. */
function keeper() {
  const kept: { readonly value: unknown; readonly text: string }[] = [];
  return {
    keep(value: unknown) {
      kept.push({ value, text: JSON.stringify(value) });
    },
    count: () => kept.length,
    changed: () => kept.filter(({ value, text }) => JSON.stringify(value) !== text),
  };
}

/** `machine`, each input and output of which is kept. */
const listened = (
  machine: Machine<Counting>,
  keep: (value: unknown) => void,
): Machine<Counting> => ({
  ...machine,
  step(input) {
    keep(input);
    const output = machine.step(input);
    keep(output);
    return output;
  },
});

test('inputs, outputs and messages that somebody keeps stay as they were', () => {
  const { keep, count, changed } = keeper();
  const drifting = { offset: 50, driftPerBillion: 5_000_000, epsilon: 100 };
  const seats = countingSeats(3, { disk: ssd }).map((seat, i) => ({
    ...seat,
    ...(i === 1 ? { clock: drifting } : {}),
    make: (...made: Parameters<typeof seat.make>) => listened(seat.make(...made), keep),
  }));
  simulate<Counting>({
    messages: countingMessages,
    keyring: believing,
    seats,
    network: lossy,
    faults: [
      { type: 'crash', at: 200_000, seat: 2 },
      { type: 'restart', at: 300_000, seat: 2 },
      { type: 'pause', at: 400_000, seat: 1 },
      { type: 'resume', at: 500_000, seat: 1 },
    ],
    seed: 190,
    limits: { events: 4000 },
    observer: {
      violation: undefined,
      decided: (_at, _seat, decision) => keep(decision),
    },
    watcher: {
      said: (_at, _seat, message) => keep(message),
      heard: (_at, _seat, message) => keep(message),
      stepped: (_at, _seat, output) => keep(output),
    },
  }).run();
  expect(count()).toBeGreaterThan(8000);
  expect(changed()).toEqual([]);
});
