/**
 * HotStuff with one rule wrong: each of these has been somebody's real mistake. They exist to be
 * caught: by the tests of this package, by the checkers and in lessons. Never run one in earnest.
 *
 * @packageDocumentation
 */
import type { Protocol } from '@quorumlab/core';
import type { HotStuffOptions } from './group.ts';
import { withRules } from './protocol.ts';
import type { Rules, RulesName } from './rules.ts';
import type { HotStuff } from './state.ts';

/** A mistake: whose rules it is made in, and the difference from the right ones. */
interface Wrong {
  readonly rules: RulesName;
  readonly changed?: Partial<Rules>;
  readonly options?: Partial<HotStuffOptions>;
}

/** Three certified blocks in a row, whatever their views. */
const anyThree: Rules['commits'] = (tree, node) => {
  const parent = tree.parent(node);
  return parent && tree.parent(parent);
};

/** Three certified blocks of consecutive heights: what libhotstuff's rule is without dummies. */
const byHeight: Rules['commits'] = (tree, node) => {
  const found = anyThree(tree, node);
  return found !== undefined && found.height + 2 === node.height ? found : undefined;
};

const wrong = {
  /** Votes for any proposal with a valid certificate, whatever it is locked on (B-23). */
  'no-lock': { rules: 'chained', changed: { mayVote: () => true } },
  /** Two phases, and a new leader does not wait for certificates that it may lack (B-24). */
  'two-phase-livelock': { rules: 'hotstuff-2', changed: { waits: false } },
  /** Two-chain commit with the lock of the three-chain: one block too old (B-25). */
  'two-chain-old-lock': {
    rules: 'hotstuff-2',
    changed: {
      locks(_, node) {
        const body = node?.justify?.body;
        return body && { view: body.view, block: body.block };
      },
    },
  },
  /** Commits three linked certificates although views lie between them (B-26). */
  'non-consecutive-commit': { rules: 'chained', changed: { commits: anyThree } },
  /** The commit rule looks at heights, as if dummy blocks had filled skipped views (field C2). */
  'no-dummy-blocks': { rules: 'chained', changed: { commits: byHeight } },
  /** Three-chain with another leader in every view: a crash in four, and nothing commits (B-27). */
  'rotation-n4': { rules: 'chained', options: { leaders: 'round-robin', unsafe: true } },
  /** A timeout certificate excuses any old certificate, whatever higher ones it names (B-28). */
  'tc-without-highqc-check': {
    rules: 'jolteon',
    changed: {
      mayVote: ({ block, justifyView, timeouts }) =>
        justifyView + 1 === block.view || timeouts !== null,
    },
  },
  /** Where it voted last is forgotten in a crash (B-29). */
  'vote-amnesia': {
    rules: 'jolteon',
    changed: { saveVote: (view, _, replica) => void Object.assign(replica, { lastVoted: view }) },
  },
  /** Signatures are counted, and not who made them (B-30). */
  'duplicate-signers': { rules: 'jolteon', changed: { countSigners: (_, seals) => seals.length } },
  /** Any view that its leader names is believed to have begun (B-32). */
  'view-inflation': { rules: 'hotstuff-2', changed: { provesViews: false } },
  /** What was proposed is forgotten, also if its block is never certified (B-33). */
  'forgets-proposed': { rules: 'jolteon', changed: { forgetsProposed: true } },
  /** Ancestors that are committed together are executed newest first (B-34). */
  'flush-order': { rules: 'jolteon', changed: { inOrder: (path) => path } },
} satisfies Record<string, Wrong>;

/** The names of the mutants. */
export type Mutant = keyof typeof wrong;

/** All mutants by name. */
export const mutants: readonly Mutant[] = Object.keys(wrong) as Mutant[];

/** HotStuff with the mistake that `name` stands for, in the rules where it was made. */
export const mutant = (name: Mutant, given: HotStuffOptions): Protocol<HotStuff> => {
  const { rules, changed = {}, options = {} }: Wrong = wrong[name];
  return withRules({ ...given, ...options, rules }, changed);
};

/** The rules that the mistake `name` was made in. */
export const rulesOfMutant = (name: Mutant): RulesName => wrong[name].rules;
