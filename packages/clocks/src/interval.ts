/** A clock that says how wrong it may be: TrueTime's face (Corbett et al. 2012, section 3). */
import { type Instant, type Interval, OptionsError } from '@quorumlab/core';

/**
 * How far a clock may be from true time, declared by whoever runs it. It grows between two looks at
 * a better clock, and falls back with each: a sawtooth.
 */
export interface ErrorBound {
  /** What is left right after such a look: microseconds. */
  readonly base: number;
  /** How fast the clock may run away from then on, in parts per billion. 0 unless told. */
  readonly driftPerBillion?: number;
}

/** The most that a bound can admit to: a day. What is further off is no clock. */
const mostMicros = 86_400_000_000;

/**
 * The half width of the interval `sinceSync` microseconds after the last look at a better clock,
 * counted in milliseconds that have begun, rounded up: a bound that is too large costs time, one
 * that is too small correctness.
 *
 * @throws OptionsError if the bound is none.
 */
export function errorAfter({ base, driftPerBillion = 0 }: ErrorBound, sinceSync: number): number {
  for (const [name, value] of Object.entries({ base, driftPerBillion, sinceSync }))
    if (!Number.isSafeInteger(value) || value < 0 || value > mostMicros)
      throw new OptionsError(
        `a clock's ${name} of ${value} is no whole number from 0 to ${mostMicros}`,
      );
  // In two parts, so that every product is below 2^53.
  const seconds = Math.floor(sinceSync / 1_000_000);
  const milliseconds = Math.ceil((sinceSync - seconds * 1_000_000) / 1000);
  const grown =
    Math.ceil((seconds * driftPerBillion) / 1000) +
    Math.ceil((milliseconds * driftPerBillion) / 1_000_000);
  return Math.min(mostMicros, base + grown);
}

/** What a clock that shows `reading` and may be wrong by `error` answers. Never below 0. */
export const intervalAt = (reading: Instant, error: number): Interval => ({
  earliest: Math.max(0, reading - error),
  latest: Math.max(0, reading + error),
});

/** Whether `at` is certainly over: TT.after. */
export const isAfter = (now: Interval, at: Instant): boolean => now.earliest > at;

/** Whether `at` has certainly not come: TT.before. */
export const isBefore = (now: Interval, at: Instant): boolean => now.latest < at;

/** What a clock answered, and when that was in true time: only a simulator knows. */
export interface Reading {
  /** Whose clock. */
  readonly node: number;
  /** What that is called: n and its number unless told. */
  readonly name?: string;
  readonly interval: Interval;
  /** True time. */
  readonly at: Instant;
}

/**
 * Why a reading breaks the bound that it declares, in words; nothing if it holds true time.
 * Everything that clocks are used for here is as right as this.
 */
export function brokenBound({ node, name, interval, at }: Reading): string | undefined {
  const { earliest, latest } = interval;
  if (earliest <= at && at <= latest) return undefined;
  const bound = Math.floor((latest - earliest) / 2);
  const off = at < earliest ? `${earliest - at} µs too late` : `${at - latest} µs too early`;
  return (
    `the clock of ${name ?? `n${node}`} answered ${earliest} to ${latest} at ${at}: its bound of ` +
    `${bound} µs is broken, the interval lies ${off}`
  );
}
