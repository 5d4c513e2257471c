/** What a replica notes of those whose reports it answers. */
import type { Instant } from '@quorumlab/core';
import type { Group } from './group.ts';

/** When a member's last status report was answered, what it said, and what it fetched since. */
export interface Answered {
  readonly at: Instant;
  readonly executed: number;
  /** It lacked what was below the stable checkpoint then. */
  readonly lags: boolean;
  readonly bodies: number;
  readonly proofs: number;
}

/** What is noted of a member that has not reported yet. */
export const neverAnswered = (group: Group, executed: number, now: Instant): Answered => ({
  at: now - group.statusPeriod,
  executed,
  lags: false,
  bodies: 0,
  proofs: 0,
});
