import type { Ballot, Instant, Slot } from '@quorumlab/core';
import type { SlotVote, Vote } from './messages.ts';

/** What the rules look at of a replica that prepares. */
export interface Candidate {
  /** Its own votes. */
  readonly accepted: ReadonlyMap<Slot, Vote>;
  /** The first slot whose vote it still holds. */
  readonly keptFrom: Slot;
}

/**
 * The one-line rules on which the safety of the log hangs and which are most often got wrong. They
 * stand apart so that a test can put a wrong one in the place of each (see `mutants.ts`).
 */
export interface Rules {
  /** Which of an acceptor's votes a candidate must take into account (§3). */
  counts(candidate: Candidate, vote: SlotVote): boolean;
  /** The first slot that a change of the group chosen at `slot` governs (§3). */
  governs(slot: Slot, alpha: number): Slot;
  /** Whether a follower's own vote is what the leader says was chosen there. */
  isChosen(vote: Vote, notice: { readonly ballot: Ballot }): boolean;
  /** Which of two votes for one slot a new leader must propose again (§2.2, phase 2a). */
  outranks(vote: Vote, other: Vote): boolean;
  /** From when on a grant counts: of the heartbeat and of its answer (Chandra et al., 5.2). */
  grantedFrom(sent: Instant, answered: Instant): Instant;
}

/** The rules of the paper. */
export const rules: Rules = {
  // Phase 1 is for all slots not known to be chosen; a gap below a later value is one of them.
  counts: () => true,
  // Whoever proposes at a slot has executed everything up to alpha slots before, and no more.
  governs: (slot, alpha) => slot + alpha,
  // In another ballot something else may have been proposed; only this leader's word is about this.
  isChosen: (vote, notice) => vote.ballot === notice.ballot,
  // The highest ballot: not the most frequent value, not the first that came.
  outranks: (vote, other) => vote.ballot > other.ballot,
  // Whoever granted it began to count between the two; only the earlier one is before that.
  grantedFrom: (sent) => sent,
};
