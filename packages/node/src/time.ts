import { performance as measured } from 'node:perf_hooks';
import type { Instant, Interval } from '@quorumlab/core';

/** This process's monotonic clock in whole microseconds. */
export const microseconds = (): Instant => Math.floor(performance.now() * 1000);

/**
 * Real time, in microseconds since 1970, lies in here if this machine's clock is wrong by at most
 * `error` microseconds. Read once at the start of the process and carried on by the monotonic
 * clock, so it never jumps.
 */
export function interval(error: number): Interval {
  const real = Math.floor((performance.timeOrigin + performance.now()) * 1000);
  return { earliest: real - error, latest: real + error };
}

/** The clock of everything that counts in milliseconds: monotonic, with fractions. */
export const now = (): number => performance.now();

/** Microseconds for which this process's thread was busy since it came up. */
export const busyMicroseconds = (): number =>
  Math.round(measured.eventLoopUtilization().active * 1000);
