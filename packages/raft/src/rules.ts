import type { AppendEntries } from './messages.ts';
import { lastIndex, lastTerm, type Position, type Replica, termAt } from './state.ts';

/**
 * The four one-line rules on which Raft's safety hangs and which are most often got wrong. They
 * stand apart so that a test can put a wrong one in the place of each (see `mutants.ts`).
 */
export interface Rules {
  /** Whether `candidate`'s log is at least as up-to-date as the voter's (§5.4.1). */
  upToDate(voter: Replica, candidate: Position): boolean;
  /** Whether the leader may commit the entry at `index` because a quorum holds it (§5.4.2). */
  mayCommit(leader: Replica, index: number): boolean;
  /** How far this message has shown the follower's log to equal the leader's (Figure 2, 5.). */
  verified(follower: Replica, message: AppendEntries): number;
  /** Whether the leader's commitIndex is as new as any acknowledged write (thesis 6.4, step 1). */
  mayRead(leader: Replica): boolean;
}

/** The rules of the paper. */
export const rules: Rules = {
  // The later last term wins; with equal terms, the longer log.
  upToDate: (voter, candidate) =>
    candidate.term > lastTerm(voter) ||
    (candidate.term === lastTerm(voter) && candidate.index >= lastIndex(voter)),
  // Only entries of the leader's own term are committed by counting; Figure 8 shows why.
  mayCommit: (leader, index) => termAt(leader, index) === leader.currentTerm,
  // What lies beyond the last entry of the message may be left over from an older leader.
  verified: (_, { prevIndex, entries }) => prevIndex + entries.length,
  // A new leader has all committed entries but does not know which they are until its own is.
  mayRead: (leader) => termAt(leader, leader.commitIndex) === leader.currentTerm,
};
