/**
 * Basic HotStuff: Yin, Malkhi, Reiter, Gueta and Abraham, "HotStuff: BFT Consensus with Linearity
 * and Responsiveness", PODC '19, section 4 and algorithms 1 and 2. One leader takes one block
 * through all phases of its view: prepare, pre-commit, commit, decide. What the phases themselves
 * are is in `phases.ts`.
 */
import { Phase } from '../messages.ts';
import type { RuleSet } from './rule-set.ts';

/** Lock on a precommitQC, commit on a commitQC. */
export const basic: RuleSet = {
  /** safeNode: b extends lockedQC.node, or its justify is of a later view than lockedQC. */
  mayVote: ({ block, justifyView, locked, tree }) =>
    justifyView > locked.view || tree.extends(block.parent, locked),

  /** "lockedQC ← precommitQC": whoever shows a commitQC has seen one. */
  locks: ({ view, block, phase = Phase.prepare }) =>
    phase >= Phase.preCommit ? { view, block } : undefined,

  /** "upon commitQC: execute through m.justify.node". */
  commits: (_, node, { phase }) => (phase === Phase.commit ? node : undefined),

  waits: false,
  phased: true,
  votesLock: 'phase',
  leadersInARow: 1,
};
