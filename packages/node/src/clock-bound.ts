/**
 * By how much this machine's wall clock may be wrong: as whoever runs the node has declared, or as
 * chrony says where it runs. Everything that trusts intervals of time is as right as this.
 */
import { execFile } from 'node:child_process';
import { errorAfter } from '@quorumlab/clocks';
import { now } from './time.ts';

/** Where a bound comes from. */
export type ClockSource = 'chrony' | 'declared';

/** A bound of a wall clock, and who says so. */
export interface ClockBound {
  /** In microseconds, from now on until it is asked again. */
  readonly error: number;
  readonly source: ClockSource;
}

/** What `chronyc -c tracking` says of the clock of this machine. */
export interface Tracking {
  /** How far it may be from true time at that moment, in microseconds. */
  readonly error: number;
  /** How fast that may grow, in parts per billion. */
  readonly driftPerBillion: number;
}

/** Fields of `chronyc -c tracking`, by their places. */
const place = { offset: 4, skew: 9, delay: 10, dispersion: 11, leap: 13, all: 14 } as const;

/**
 * Reads the one line of `chronyc -c tracking`: the error is the offset that is being corrected,
 * the root dispersion and half of the root delay (chronyc(1), "tracking"). Nothing if the clock is
 * not synchronised, or for any other text.
 */
export function trackingIn(text: string): Tracking | undefined {
  const fields = text.trim().split(',');
  if (fields.length !== place.all || fields[place.leap] === 'Not synchronised') return undefined;
  const numberAt = (at: number): number => Number.parseFloat(fields[at] ?? '');
  const [offset, skew, delay, dispersion] = [
    numberAt(place.offset),
    numberAt(place.skew),
    numberAt(place.delay),
    numberAt(place.dispersion),
  ];
  const seconds = Math.abs(offset) + dispersion + delay / 2;
  const isSound = Number.isFinite(seconds) && Number.isFinite(skew) && delay >= 0 && skew >= 0;
  if (!isSound || dispersion < 0 || seconds > mostSeconds) return undefined;
  return {
    error: Math.ceil(seconds * 1_000_000),
    driftPerBillion: Math.ceil(Math.min(skew, mostSkew) * 1000),
  };
}

/** A clock that is further off is none that anybody should go by. */
const mostSeconds = 3600;
/** Parts per million. */
const mostSkew = 100_000;

/** How often chrony is asked, and how long its last word counts, in milliseconds. */
const askingMs = 16_000;
const oldestMs = 4 * askingMs;
/** Longest wait for its answer, in milliseconds. */
const patienceMs = 2000;

/** Asks chrony; nothing where it does not run. */
const askChrony = (): Promise<string | undefined> =>
  new Promise((resolve) => {
    execFile('chronyc', ['-c', 'tracking'], { timeout: patienceMs }, (error, text) =>
      resolve(error === null ? text : undefined),
    );
  });

/** A bound that is kept up to date. */
export interface WatchedClock {
  bound(): ClockBound;
  stop(): void;
}

/**
 * Keeps the bound of this machine's wall clock. `declared` microseconds count where chrony does not
 * run, is not synchronised, or has said nothing for a minute: nobody goes by a smaller bound than
 * somebody stands for. `ask` is what is asked in place of chrony.
 */
export function watchClock(
  declared: number,
  ask: () => Promise<string | undefined> = askChrony,
): WatchedClock {
  let last: { readonly tracking: Tracking; readonly at: number } | undefined;
  let stopped = false;
  const look = async (): Promise<void> => {
    const at = now();
    const text = await ask();
    const tracking = text === undefined ? undefined : trackingIn(text);
    if (tracking !== undefined && !stopped) last = { tracking, at };
  };
  void look();
  const timer = setInterval(() => void look(), askingMs);
  timer.unref();
  return {
    bound() {
      if (last === undefined || now() - last.at > oldestMs)
        return { error: declared, source: 'declared' };
      const { error: base, driftPerBillion } = last.tracking;
      const since = Math.ceil((now() - last.at) * 1000);
      // Intervals are made of the monotonic clock, which may have run away from the wall clock.
      const apart = Math.abs(Date.now() - (performance.timeOrigin + performance.now()));
      const strayed = Math.ceil((apart + 1) * 1000);
      return { error: errorAfter({ base, driftPerBillion }, since) + strayed, source: 'chrony' };
    },
    stop() {
      stopped = true;
      clearInterval(timer);
    },
  };
}
