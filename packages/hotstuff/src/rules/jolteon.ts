/**
 * Jolteon: Gelashvili, Kokoris-Kogias, Sonnino, Spiegelman and Xiang, "Jolteon and Ditto:
 * Network-Adaptive Efficient Consensus with Asynchronous Fallback", FC '22 (arXiv 2106.10362),
 * figure 2; also DiemBFT v4. The lock is implicit: a vote needs the certificate of the view before,
 * or a timeout certificate that shows that no higher one was hidden from the leader.
 */
import type { RuleSet } from './rule-set.ts';

/** Two-chain commit; the timeout certificate says how high the leader's certificate must be. */
export const jolteon: RuleSet = {
  /** "r = qc.r + 1, or tc is valid, r = tc.r + 1 and qc.r ≥ max{qc_high.r | in tc}". */
  mayVote: ({ block, justifyView, timeouts }) =>
    justifyView + 1 === block.view ||
    (timeouts?.every(({ view, highView }) => view + 1 === block.view && highView <= justifyView) ??
      false),

  locks: () => undefined,

  /** "two adjacent blocks in the chain, certified, with consecutive rounds": commit the first. */
  commits(tree, node) {
    const parent = tree.parent(node);
    return parent !== undefined && node.view === parent.view + 1 ? parent : undefined;
  },

  waits: false,
  phased: false,
  votesLock: 'nothing',
  leadersInARow: 3,
};
