/**
 * HotStuff with one rule wrong: each of these has been somebody's real mistake. They exist to be
 * caught: by the tests of this package, by the checkers and in lessons. Never run one in earnest.
 *
 * @packageDocumentation
 */
import { type Flaw, type Protocol, withContext } from '@quorumlab/core';
import type { Node, Tree } from './blocks.ts';
import type { Options } from './group.ts';
import { Phase } from './messages.ts';
import { hotstuff } from './protocol.ts';
import type { Rules, RulesName } from './rules.ts';
import type { Context, HotStuff, Replica } from './state.ts';

type Maker = (options: Options) => Protocol<HotStuff>;

/** HotStuff by the rules of `name`, in which the mistake was made, but for `wrong`. */
const differing =
  (name: RulesName, wrong: Partial<Rules>): Maker =>
  (options) =>
    hotstuff({ ...options, rules: name }, wrong);

/** Three certified blocks in a row, whatever their views. */
const anyThree = (tree: Tree, node: Node): Node | undefined => {
  const parent = tree.parent(node);
  return parent && tree.parent(parent);
};

/** Three certified blocks of consecutive heights: what libhotstuff's rule is without dummies. */
const byHeight: Rules['commits'] = (tree, node) => {
  const found = anyThree(tree, node);
  return found !== undefined && found.height + 2 === node.height ? found : undefined;
};

/** That it has voted is kept in memory only: a restarted replica has forgotten it. */
function forgetVotes(replica: Replica, ctx: Context): Context {
  return {
    ...ctx,
    save({ lastVoted, ...rest }) {
      // Assigned past the context, so it is not written: this is the flaw.
      if (lastVoted !== undefined) Object.assign(replica, { lastVoted });
      if (Object.keys(rest).length > 0) ctx.save(rest);
    },
  };
}

export { exhibits } from './exhibits.ts';

/** Flawed variants by name; each takes the options of the right protocol. */
export const mutants = {
  'no-lock': differing('chained', { mayVote: () => true }),
  'two-phase-livelock': differing('hotstuff-2', { waits: false }),
  'two-chain-old-lock': differing('hotstuff-2', {
    locks(_, node) {
      const body = node?.justify?.body;
      return body && { view: body.view, block: body.block };
    },
  }),
  'non-consecutive-commit': differing('chained', { commits: anyThree }),
  'no-dummy-blocks': differing('chained', { commits: byHeight }),
  'rotation-n4': (options) =>
    hotstuff({ ...options, rules: 'chained', leaders: 'round-robin', unsafe: true }),
  'tc-without-highqc-check': differing('jolteon', {
    mayVote: ({ block, justifyView, timeouts }) =>
      justifyView + 1 === block.view || timeouts !== null,
  }),
  'vote-amnesia': (options) => withContext(hotstuff({ ...options, rules: 'jolteon' }), forgetVotes),
  'duplicate-signers': differing('jolteon', { countSigners: (_, seals) => seals.length }),
  'view-inflation': differing('hotstuff-2', { provesViews: false }),
  'forgets-proposed': differing('jolteon', { forgetsProposed: true }),
  'former-votes': differing('jolteon', {
    counted: (members, former) =>
      [...new Set([...members, ...former()])].sort((one, two) => one - two),
  }),
  'uncommitted-set': differing('jolteon', { endsEpoch: 'certified' }),
  'flush-order': differing('jolteon', { inOrder: (path) => path }),
  'skipped-commit-phase': differing('basic', {
    commits: (_, node, { phase = Phase.prepare }) => (phase >= Phase.preCommit ? node : undefined),
  }),
  'lock-on-prepare': differing('basic', { locks: ({ view, block }) => ({ view, block }) }),
  'never-unlocks': differing('basic', {
    mayVote: ({ block, locked, tree }) => tree.extends(block.parent, locked),
  }),
} satisfies Readonly<Record<string, Maker>>;

/** The names of the mutants. */
export type Mutant = keyof typeof mutants;

/** What is wrong with each, by its name. */
export const flaws: Readonly<Record<Mutant, Flaw>> = {
  'no-lock': {
    rule: 'A replica votes for any proposal with a valid certificate, whatever it is locked on.',
    paper: 'Yin et al. 2019, Algorithm 1, safeNode',
    gallery: 'B-23',
  },
  'two-phase-livelock': {
    rule: 'With two phases, a new leader does not wait for certificates that it may lack.',
    paper: 'Malkhi and Nayak 2023 (HotStuff-2)',
    gallery: 'B-24',
  },
  'two-chain-old-lock': {
    rule:
      'Two certified blocks commit, and the lock is that of the three-chain: one block too ' +
      'old.',
    paper: 'Malkhi and Nayak 2023 (HotStuff-2)',
    gallery: 'B-25',
  },
  'non-consecutive-commit': {
    rule: 'Three linked certificates commit, although views lie between them.',
    paper: 'Yin et al. 2019, §5',
    gallery: 'B-26',
  },
  'no-dummy-blocks': {
    rule:
      'The commit rule looks at heights, as if dummy blocks had filled the views that were ' +
      'skipped.',
    paper: 'Yin et al. 2019, §5, dummy nodes',
    gallery: 'B-26',
  },
  'rotation-n4': {
    rule:
      'Three-chains with another leader in every view: if one of four has crashed, nothing ' +
      'commits.',
    paper: 'Yin et al. 2019, §5',
    gallery: 'B-27',
  },
  'tc-without-highqc-check': {
    rule: 'A timeout certificate excuses any old certificate, whatever higher ones it names.',
    paper: 'Gelashvili et al. 2022 (Jolteon), §3',
    gallery: 'B-28',
  },
  'vote-amnesia': {
    rule:
      'Where a replica has voted last is not durable: after a crash it votes twice in one ' +
      'view.',
    paper: 'Gelashvili et al. 2022 (Jolteon), §3',
    gallery: 'B-29',
  },
  'duplicate-signers': {
    rule: 'A certificate is counted by its signatures, and not by who made them.',
    paper: 'Yin et al. 2019, §4',
    gallery: 'B-30',
  },
  'view-inflation': {
    rule: 'Any view that its leader names is believed to have begun.',
    paper: 'Yin et al. 2019, §4',
    gallery: 'B-32',
  },
  'forgets-proposed': {
    rule:
      'Requests leave the waiting list when they are proposed, also if their block is never ' +
      'certified.',
    paper: 'Yin et al. 2019, §5',
    gallery: 'B-33',
  },
  'former-votes': {
    rule: 'Votes of those count too who voted by an earlier set and vote no more.',
    paper: 'ours: the replicas of Yin et al. 2019, §2, are always the same',
    gallery: 'B-54',
  },
  'uncommitted-set': {
    rule: 'A change of the group ends its epoch once its block is certified, and not committed.',
    paper: 'ours: the replicas of Yin et al. 2019, §2, are always the same',
    gallery: 'B-54',
  },
  'flush-order': {
    rule: 'Ancestors that are committed together are executed newest first.',
    paper: 'Yin et al. 2019, §5',
    gallery: 'B-34',
  },
  'skipped-commit-phase': {
    rule: 'A precommitQC commits, although nobody may be locked on it yet but who has seen it.',
    paper: 'Yin et al. 2019, Algorithm 2, COMMIT phase',
  },
  'lock-on-prepare': {
    rule: 'A replica locks on the prepareQC, one phase before a quorum knows that it exists.',
    paper: 'Yin et al. 2019, Algorithm 2, COMMIT phase, and §4.4',
    gallery: 'B-24',
  },
  'never-unlocks': {
    rule: 'A locked replica votes for what extends its lock only, whatever was certified since.',
    paper: 'Yin et al. 2019, Algorithm 1, safeNode: the liveness rule',
  },
};
