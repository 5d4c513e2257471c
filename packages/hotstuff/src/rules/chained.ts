/**
 * Chained HotStuff: Yin, Malkhi, Reiter, Gueta and Abraham, "HotStuff: BFT Consensus with Linearity
 * and Responsiveness", PODC '19, section 5 and algorithms 4 and 5. A block's certificate is the
 * prepare phase of the block, the pre-commit phase of its parent and the commit phase of its
 * grandparent. In the paper's words: b* is the proposal, b'' the block that it justifies, b' the
 * parent of b'', b the parent of b'.
 */
import type { RuleSet } from './rule-set.ts';

/** Lock on the second certified block, commit the third, if their views follow each other. */
export const chained: RuleSet = {
  /** safeNode: b* extends the locked block, or its justify is of a later view than the lock. */
  mayVote: ({ block, justifyView, locked, tree }) =>
    justifyView > locked.view || tree.extends(block.parent, locked),

  /** COMMIT phase on b': b'' is certified, so b' has a two-chain. */
  locks(_, node) {
    const body = node?.justify?.body;
    return body && { view: body.view, block: body.block };
  },

  /**
   * DECIDE phase on b: a three-chain of direct parents in consecutive views. The paper fills
   * skipped views with dummy blocks; here a skipped view is a gap, and a gap does not count.
   */
  commits(tree, node) {
    const parent = tree.parent(node);
    const grandparent = parent && tree.parent(parent);
    return parent !== undefined &&
      grandparent !== undefined &&
      node.view === parent.view + 1 &&
      parent.view === grandparent.view + 1
      ? grandparent
      : undefined;
  },

  waits: false,
  phased: false,
  votesLock: 'grandparent',
  leadersInARow: 4,
};
