/** Long work in slices of time, so that everything else in the process gets its turn. */
import { setImmediate as othersHaveHadTheirTurn } from 'node:timers/promises';
import type { Steps } from '@quorumlab/core';
import { now } from './time.ts';

/** Takes all `steps`, for `sliceMs` milliseconds in each turn of the event loop, one at least. */
export async function inSlices<T>(steps: Steps<T>, sliceMs: number): Promise<T> {
  for (;;) {
    const end = now() + sliceMs;
    do {
      const step = steps.next();
      if (step.done === true) return step.value;
    } while (now() < end);
    await othersHaveHadTheirTurn();
  }
}
