/** A clock that stands until it is told to go on, for sessions and keepers under test. */
import type { Time } from '../src/index.ts';

export interface VirtualTime extends Time {
  /** Lets time pass, and whatever waits for it run, in order. */
  advance(milliseconds: number): Promise<void>;
}

/** Lets promises that are ready run on, and those that these make ready. */
async function settle(): Promise<void> {
  for (let i = 0; i < 50; i++) await Promise.resolve();
}

export function virtualTime(): VirtualTime {
  let now = 0;
  const sleepers = new Set<{ readonly at: number; readonly wake: () => void }>();
  return {
    now: () => now,
    async sleep(milliseconds, until) {
      let sleeper: { readonly at: number; readonly wake: () => void } | undefined;
      const over = new Promise<void>((wake) => {
        sleeper = { at: now + milliseconds, wake };
        sleepers.add(sleeper);
      });
      await Promise.race([over, until ?? over]);
      if (sleeper) sleepers.delete(sleeper);
    },
    async advance(milliseconds) {
      const end = now + milliseconds;
      await settle();
      for (;;) {
        const next = [...sleepers].filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0];
        if (next === undefined) break;
        now = Math.max(now, next.at);
        sleepers.delete(next);
        next.wake();
        await settle();
      }
      now = end;
      await settle();
    },
  };
}
