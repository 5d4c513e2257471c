/**
 * HotStuff with one rule wrong: each of these has been somebody's real mistake. They exist to be
 * caught: by the tests of this package, by the checkers and in lessons. Never run one in earnest.
 *
 * @packageDocumentation
 */
import type { Flaw, Protocol } from '@quorumlab/core';
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
  'no-lock': { rules: 'chained', changed: { mayVote: () => true } },
  'two-phase-livelock': { rules: 'hotstuff-2', changed: { waits: false } },
  'two-chain-old-lock': {
    rules: 'hotstuff-2',
    changed: {
      locks(_, node) {
        const body = node?.justify?.body;
        return body && { view: body.view, block: body.block };
      },
    },
  },
  'non-consecutive-commit': { rules: 'chained', changed: { commits: anyThree } },
  'no-dummy-blocks': { rules: 'chained', changed: { commits: byHeight } },
  'rotation-n4': { rules: 'chained', options: { leaders: 'round-robin', unsafe: true } },
  'tc-without-highqc-check': {
    rules: 'jolteon',
    changed: {
      mayVote: ({ block, justifyView, timeouts }) =>
        justifyView + 1 === block.view || timeouts !== null,
    },
  },
  'vote-amnesia': {
    rules: 'jolteon',
    changed: { saveVote: (view, _, replica) => void Object.assign(replica, { lastVoted: view }) },
  },
  'duplicate-signers': { rules: 'jolteon', changed: { countSigners: (_, seals) => seals.length } },
  'view-inflation': { rules: 'hotstuff-2', changed: { provesViews: false } },
  'forgets-proposed': { rules: 'jolteon', changed: { forgetsProposed: true } },
  'flush-order': { rules: 'jolteon', changed: { inOrder: (path) => path } },
} satisfies Record<string, Wrong>;

export { exhibits } from './exhibits.ts';

/** The names of the mutants. */
export type Mutant = keyof typeof wrong;

/** All mutants by name. */
export const mutants: readonly Mutant[] = Object.keys(wrong) as Mutant[];

/** HotStuff with the mistake that `name` stands for, in the rules where it was made. */
export const mutant = (name: Mutant, given: HotStuffOptions): Protocol<HotStuff> => {
  const { rules, changed = {}, options = {} }: Wrong = wrong[name];
  return withRules({ ...given, ...options, rules }, changed);
};

/** What is wrong with each, by its name. */
export const flaws: Readonly<Record<Mutant, Flaw>> = {
  'no-lock': {
    rule: 'A replica votes for any proposal with a valid certificate, whatever it is locked on.',
    paper: 'Yin et al. 2019, Algorithm 1, safeNode',
  },
  'two-phase-livelock': {
    rule: 'With two phases, a new leader does not wait for certificates that it may lack.',
    paper: 'Malkhi and Nayak 2023 (HotStuff-2)',
  },
  'two-chain-old-lock': {
    rule:
      'Two certified blocks commit, and the lock is that of the three-chain: one block too ' +
      'old.',
    paper: 'Malkhi and Nayak 2023 (HotStuff-2)',
  },
  'non-consecutive-commit': {
    rule: 'Three linked certificates commit, although views lie between them.',
    paper: 'Yin et al. 2019, §5',
  },
  'no-dummy-blocks': {
    rule:
      'The commit rule looks at heights, as if dummy blocks had filled the views that were ' +
      'skipped.',
    paper: 'Yin et al. 2019, §5, dummy nodes',
  },
  'rotation-n4': {
    rule:
      'Three-chains with another leader in every view: if one of four has crashed, nothing ' +
      'commits.',
    paper: 'Yin et al. 2019, §5',
  },
  'tc-without-highqc-check': {
    rule: 'A timeout certificate excuses any old certificate, whatever higher ones it names.',
    paper: 'Gelashvili et al. 2022 (Jolteon), §3',
  },
  'vote-amnesia': {
    rule:
      'Where a replica has voted last is not durable: after a crash it votes twice in one ' +
      'view.',
    paper: 'Gelashvili et al. 2022 (Jolteon), §3',
  },
  'duplicate-signers': {
    rule: 'A certificate is counted by its signatures, and not by who made them.',
    paper: 'Yin et al. 2019, §4',
  },
  'view-inflation': {
    rule: 'Any view that its leader names is believed to have begun.',
    paper: 'Yin et al. 2019, §4',
  },
  'forgets-proposed': {
    rule:
      'Requests leave the waiting list when they are proposed, also if their block is never ' +
      'certified.',
    paper: 'Yin et al. 2019, §5',
  },
  'flush-order': {
    rule: 'Ancestors that are committed together are executed newest first.',
    paper: 'Yin et al. 2019, §5',
  },
};
