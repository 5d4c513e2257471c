/**
 * Clocks of seats: offset, drift and a bound, in integer arithmetic below 2^53. The bound may be
 * TrueTime's sawtooth: it grows while the clock runs by itself, and falls at each synchronisation.
 */
import { errorAfter, intervalAt } from '@quorumlab/clocks';
import type { Instant, Interval } from '@quorumlab/core';

/** How a seat's clock differs from true time. */
export interface ClockModel {
  /**
   * What it shows at true time 0, in microseconds, and how far ahead of true time each
   * synchronisation leaves it. 0 unless told.
   */
  readonly offset?: number;
  /** How much faster (or slower) it runs, in parts per billion: at most 10^8 either way. */
  readonly driftPerBillion?: number;
  /** Half the width of the interval it answers: the error it admits to, in microseconds. */
  readonly epsilon?: number;
  /**
   * By how much the error that it admits to grows after a synchronisation, or from true time 0 on
   * without any, in parts per billion. Its interval holds true time for as long as the clock does
   * not drift by more. 0 unless told.
   */
  readonly growthPerBillion?: number;
  /**
   * Microseconds of true time between two synchronisations: each sets the wall clock, which timers
   * do not see, and the error that it admits to is {@link epsilon} again. None unless told.
   */
  readonly syncEvery?: number;
  /**
   * True time of the first of them, at most `syncEvery`, which it is unless told. The one before it
   * was so long before.
   */
  readonly syncFirst?: Instant;
}

/** A clock that runs: it showed `shown` at true time `since`, and has drifted since. */
export interface RunningClock {
  since: Instant;
  shown: number;
  /** What the wall clock showed, and when: timers do not see that it was set. */
  wall: number;
  wallSince: Instant;
  driftPerBillion: number;
  /** How far ahead of its time source each synchronisation leaves it. */
  readonly offset: number;
  /** How far ahead of true time its time source is: see the fault `skew`. */
  source: number;
  readonly epsilon: number;
  readonly growthPerBillion: number;
  /** 0: it is never synchronised. */
  readonly syncEvery: number;
  readonly syncFirst: Instant;
  /** It shows true time, exactly. */
  perfect: boolean;
}

/** Largest drift either way, in parts per billion. */
export const maxDriftPerBillion = 100_000_000;

/** A value of a scenario that cannot be run. */
export class ScenarioError extends RangeError {
  override readonly name: string = 'ScenarioError';
}

const isInteger = (value: number): boolean => Number.isSafeInteger(value);

/** Starts a clock at true time 0. Throws {@link ScenarioError} if the model is not in range. */
export function startClock(model: ClockModel = {}): RunningClock {
  const { offset = 0, driftPerBillion = 0, epsilon = 0, growthPerBillion = 0 } = model;
  const { syncEvery = 0, syncFirst = syncEvery } = model;
  if (!isInteger(offset) || !isInteger(epsilon) || epsilon < 0)
    throw new ScenarioError(
      `clock offset ${offset} and epsilon ${epsilon} must be integer microseconds, epsilon from 0`,
    );
  requireDrift(driftPerBillion);
  requireDrift(growthPerBillion);
  const whole = [syncEvery, syncFirst, growthPerBillion];
  if (syncFirst > syncEvery || !whole.every((each) => isInteger(each) && each >= 0))
    throw new ScenarioError(
      `a clock that is synchronised every ${syncEvery} µs, first at ${syncFirst}, with an error ` +
        `that grows by ${growthPerBillion} parts per billion, needs whole numbers from 0, and to ` +
        'be synchronised first within that time',
    );
  const wrong = [offset, driftPerBillion, epsilon, growthPerBillion];
  return {
    ...{ since: 0, shown: offset, driftPerBillion },
    // As if it had run before: its last synchronisation left it so.
    ...{ wallSince: syncFirst - syncEvery, wall: syncFirst - syncEvery + offset },
    ...{ offset, source: 0, epsilon, growthPerBillion, syncEvery, syncFirst },
    perfect: wrong.every((each) => each === 0),
  };
}

function requireDrift(drift: number): void {
  if (!isInteger(drift) || Math.abs(drift) > maxDriftPerBillion)
    throw new ScenarioError(
      `a drift of ${drift} parts per billion is not an integer from -10^8 to 10^8`,
    );
}

/** floor(elapsed * drift / 10^9), with every product below 2^53. */
function drifted(elapsed: number, driftPerBillion: number): number {
  if (driftPerBillion === 0) return 0;
  const seconds = Math.floor(elapsed / 1_000_000);
  const rest = elapsed - seconds * 1_000_000;
  // seconds * drift is in thousandths of a microsecond; below 2^53 for 10^7 seconds and 10^8.
  const thousandths = seconds * driftPerBillion;
  const whole = Math.floor(thousandths / 1000);
  const left = thousandths - whole * 1000;
  return whole + Math.floor((left * 1_000_000 + rest * driftPerBillion) / 1_000_000_000);
}

/** What the seat's monotonic clock shows at true time `at`. Never goes back; never below 0. */
export function localTime(clock: RunningClock, at: Instant): Instant {
  const elapsed = at - clock.since;
  const shown = clock.shown + elapsed + drifted(elapsed, clock.driftPerBillion);
  return Math.max(shown, 0);
}

/** True time of the last synchronisation up to `at`, which may be before 0; 0 if there is none. */
function lastSync({ syncEvery, syncFirst }: RunningClock, at: Instant): Instant {
  return syncEvery === 0 ? 0 : at - ((at + syncEvery - syncFirst) % syncEvery);
}

/** What the seat's wall clock shows at true time `at`. */
function wallReading(clock: RunningClock, at: Instant): number {
  const { wallSince, wall, driftPerBillion, offset, source } = clock;
  const synced = lastSync(clock, at);
  const isSynced = clock.syncEvery > 0 && synced > wallSince;
  const [from, shown] = isSynced ? [synced, synced + offset + source] : [wallSince, wall];
  return shown + (at - from) + drifted(at - from, driftPerBillion);
}

/** What the seat's wall clock answers at true time `at`. Holds `at`, within the bound. */
export function wallTime(clock: RunningClock, at: Instant): Interval {
  const { epsilon, growthPerBillion } = clock;
  const bound = { base: epsilon, driftPerBillion: growthPerBillion };
  const error = growthPerBillion === 0 ? epsilon : errorAfter(bound, at - lastSync(clock, at));
  return intervalAt(wallReading(clock, at), error);
}

/** The first true time at which the monotonic clock has advanced by `delay` since `at`. */
export function dueTime(clock: RunningClock, at: Instant, delay: number): Instant {
  if (clock.driftPerBillion === 0) return at + delay;
  const shown = (now: Instant): number =>
    now - clock.since + drifted(now - clock.since, clock.driftPerBillion);
  const goal = shown(at) + delay;
  // Each round shrinks what is missing by the drift's part of it, at least tenfold.
  let due = at + delay;
  for (let round = 0; round < 32; round++) {
    const missing = goal - shown(due);
    if (missing === 0) break;
    due += missing;
  }
  while (shown(due) < goal) due++;
  while (due > at && shown(due - 1) >= goal) due--;
  return due;
}

/**
 * Sets the wall clock ahead by `by`, which lasts until it is synchronised, and the drift to
 * `driftPerBillion`, at true time `at`. With `source` its time source is so far ahead of true time
 * from now on: the clock is set by it now, and at each synchronisation.
 */
export function skewClock(
  clock: RunningClock,
  at: Instant,
  by: number,
  driftPerBillion: number = clock.driftPerBillion,
  source: number = clock.source,
): void {
  if (!isInteger(by) || !isInteger(source))
    throw new ScenarioError(`a skew of ${by}, source ${source}, is not integer microseconds`);
  requireDrift(driftPerBillion);
  const elapsed = at - clock.since;
  clock.wall = wallReading(clock, at) + by + (source - clock.source);
  clock.wallSince = at;
  clock.shown += elapsed + drifted(elapsed, clock.driftPerBillion);
  clock.since = at;
  clock.driftPerBillion = driftPerBillion;
  clock.source = source;
  clock.perfect = false;
}
