/** The choices that are easy to get wrong, and wrong variants of them under their names. */
import type { Instant, Interval } from '@quorumlab/core';
import { isAfter, isBefore } from './interval.ts';

/** How a clock with a bound is used. All of it holds as long as each interval holds true time. */
export interface ClockRules {
  /** The least timestamp for what is to happen after now: not below what true time may be. */
  stamp(now: Interval): Instant;
  /** Commit wait: whether `timestamp` is certainly over, so that its commit may be told of. */
  isOver(timestamp: Instant, now: Interval): boolean;
  /** Whether the holder of a lease may still act: its end has certainly not come. */
  mayAct(end: Instant, now: Interval): boolean;
  /** Whether another may have the next lease: the end of the last has certainly passed. */
  mayFollow(end: Instant, now: Interval): boolean;
}

/** The rules of Spanner (Corbett et al. 2012, sections 4.1.2 and 4.2.1). */
export const clockRules: ClockRules = {
  stamp: (now) => now.latest,
  isOver: (timestamp, now) => isAfter(now, timestamp),
  mayAct: (end, now) => isBefore(now, end),
  mayFollow: (end, now) => isAfter(now, end),
};

/** Wrong variants, by name; `clockFlaws` says what is wrong in each. */
export const clockMutants = {
  'commit-wait-latest': { ...clockRules, isOver: (timestamp, now) => now.latest > timestamp },
  'no-commit-wait': { ...clockRules, isOver: () => true },
  'stamp-earliest': { ...clockRules, stamp: (now) => now.earliest },
  'lease-by-earliest': { ...clockRules, mayAct: (end, now) => now.earliest < end },
  'lease-early': { ...clockRules, mayFollow: (end, now) => now.latest > end },
} satisfies Readonly<Record<string, ClockRules>>;

/** The name of a wrong variant. */
export type ClockMutant = keyof typeof clockMutants;

/** What is wrong in each of {@link clockMutants}, in a sentence. */
export const clockFlaws: Readonly<Record<ClockMutant, string>> = {
  'commit-wait-latest':
    'a commit is told of once latest has passed its timestamp, as many lessons say: that is at ' +
    'once, and somebody with a slower clock commits below it afterwards',
  'no-commit-wait': 'a commit is told of at once, before its timestamp is over',
  'stamp-earliest': 'a timestamp may lie below those of what had ended before',
  'lease-by-earliest': 'a holder acts until its end has certainly come, and another may have begun',
  'lease-early': 'another follows once the last lease may be over, and its holder may still act',
};
