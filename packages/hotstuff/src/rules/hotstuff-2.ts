/**
 * HotStuff-2: Malkhi and Nayak, "Extended Abstract: HotStuff-2: Optimal Two-Phase Responsive BFT",
 * ePrint 2023/397. Two phases are enough if a leader that may have missed a certificate waits long
 * enough to hear of it; one that holds the certificate of the view before cannot have missed one.
 */
import type { RuleSet } from './rule-set.ts';

/** Lock on the highest certificate, commit on two of consecutive views. */
export const hotStuff2: RuleSet = {
  /** Figure 1, vote: the proposal's certificate is ranked no lower than the lock. */
  mayVote: ({ justifyView, locked }) => justifyView >= locked.view,

  /** "update its lock to the highest certificate it has seen". */
  locks: ({ view, block }) => ({ view, block }),

  /** Commit: double certificate, C(C(B)) of views v and v+1. */
  commits(tree, node) {
    const parent = tree.parent(node);
    return parent !== undefined && node.view === parent.view + 1 ? parent : undefined;
  },

  /** "Otherwise, wait": P_pc + Δ after entering the view. */
  waits: true,
  phased: false,
  votesLock: 'parent',
  leadersInARow: 3,
};
