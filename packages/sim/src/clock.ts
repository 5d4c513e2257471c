/** Clocks of seats: offset, drift and a bound, in integer arithmetic below 2^53. */
import type { Instant, Interval } from '@quorumlab/core';

/** How a seat's clock differs from true time. */
export interface ClockModel {
  /** What it shows at true time 0, in microseconds. 0 unless told. */
  readonly offset?: number;
  /** How much faster (or slower) it runs, in parts per billion: at most 10^8 either way. */
  readonly driftPerBillion?: number;
  /** Half the width of the interval it answers: the error it admits to, in microseconds. */
  readonly epsilon?: number;
}

/** A clock that runs: it showed `shown` at true time `since`, and has drifted since. */
export interface RunningClock {
  since: Instant;
  shown: number;
  driftPerBillion: number;
  /** Microseconds by which the wall clock was set ahead; timers do not see it. */
  jump: number;
  readonly epsilon: number;
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
  const { offset = 0, driftPerBillion = 0, epsilon = 0 } = model;
  if (!isInteger(offset) || !isInteger(epsilon) || epsilon < 0)
    throw new ScenarioError(
      `clock offset ${offset} and epsilon ${epsilon} must be integer microseconds, epsilon from 0`,
    );
  requireDrift(driftPerBillion);
  const perfect = offset === 0 && driftPerBillion === 0 && epsilon === 0;
  return { since: 0, shown: offset, driftPerBillion, jump: 0, epsilon, perfect };
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

/** What the seat's wall clock answers at true time `at`. Holds `at`, within the bound. */
export function wallTime(clock: RunningClock, at: Instant): Interval {
  const elapsed = at - clock.since;
  const shown = clock.shown + elapsed + drifted(elapsed, clock.driftPerBillion) + clock.jump;
  const earliest = shown - clock.epsilon;
  const latest = shown + clock.epsilon;
  return { earliest: Math.max(earliest, 0), latest: Math.max(latest, 0) };
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

/** Sets the wall clock ahead by `by`, and the drift to `driftPerBillion`, at true time `at`. */
export function skewClock(
  clock: RunningClock,
  at: Instant,
  by: number,
  driftPerBillion: number = clock.driftPerBillion,
): void {
  if (!isInteger(by)) throw new ScenarioError(`a skew of ${by} is not integer microseconds`);
  requireDrift(driftPerBillion);
  const elapsed = at - clock.since;
  clock.shown += elapsed + drifted(elapsed, clock.driftPerBillion);
  clock.since = at;
  clock.driftPerBillion = driftPerBillion;
  clock.jump += by;
  clock.perfect = false;
}
