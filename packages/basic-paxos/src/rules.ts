import { type Ballot, type Delay, equalRequests } from '@quorumlab/core';
import type { Value, Vote } from './messages.ts';

/**
 * The rules on which Basic Paxos hangs and which are most often got wrong. They stand apart so that
 * a test can put a wrong one in the place of each (see `mutants.ts`).
 */
export interface Rules {
  /** The value that a proposer must take over, given what its quorum had accepted (§2.2, P2c). */
  choose(reports: readonly (Vote | null)[]): Value | null;
  /** Whether two acceptors have voted for the same proposal (§2.3). */
  alike(one: Vote, two: Vote): boolean;
  /** How long to wait after `failures` vain attempts in a row, in microseconds (§2.4). */
  backOff(failures: number, retry: number, maxRetry: number): Delay;
}

/** From `retry` to twice that, doubled `failures` times, but not above `maxRetry` to twice that. */
export function doubled(failures: number, retry: number, maxRetry: number): Delay {
  const least = Math.min(retry * 2 ** Math.min(failures, 20), maxRetry);
  return [least, 2 * least];
}

/** The rules of the paper. */
export const rules: Rules = {
  // Of the highest number, not the first, the most frequent or the highest value.
  choose(reports) {
    let highest: Ballot = 0;
    let value: Value | null = null;
    for (const report of reports)
      if (report !== null && report.ballot > highest) {
        highest = report.ballot;
        value = report.value;
      }
    return value;
  },
  // Equal values under different numbers are different proposals.
  alike: (one, two) => one.ballot === two.ballot && equalRequests(one.value, two.value),
  // At random, so that of two proposers one comes first; doubled, so that it has the time.
  backOff: doubled,
};
