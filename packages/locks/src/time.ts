/** What sessions and keepers need of a machine: a clock that only goes forward, and waiting. */

/** See {@link systemTime}; tests bring their own. */
export interface Time {
  /** Milliseconds since some moment; never set back. */
  now(): number;
  /** Resolves after so many milliseconds, or once `until` resolves if that is sooner. */
  sleep(milliseconds: number, until?: Promise<unknown>): Promise<void>;
}

/** The part of a platform that {@link systemTime} is made of; Node and browsers have it. */
interface Platform {
  readonly performance: { now(): number };
  setTimeout(run: () => void, milliseconds: number): unknown;
  clearTimeout(timer: unknown): void;
}

/** The clock and the timers of this process. */
export const systemTime: Time = {
  now: () => (globalThis as unknown as Platform).performance.now(),
  async sleep(milliseconds, until) {
    const platform = globalThis as unknown as Platform;
    let timer: unknown;
    const over = new Promise<void>((resolve) => {
      timer = platform.setTimeout(resolve, milliseconds);
    });
    await Promise.race([over, until ?? over]);
    platform.clearTimeout(timer);
  },
};
