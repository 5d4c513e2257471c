/**
 * Flexible Paxos with its one rule wrong, by the names of the bug gallery. They prove that the
 * tests test: each must be caught by schedules that the right one survives. Never use one in
 * earnest.
 *
 * @packageDocumentation
 */
import { type Flaw, type Protocol, withContext } from '@quorumlab/core';
import type { Options } from './group.ts';
import { flexiblePaxos } from './protocol.ts';
import { phasesOf } from './quorums.ts';
import type { FlexiblePaxos } from './state.ts';

/** Replicas for which `isOther` holds go by the settings of `other` in everything they do. */
const mixed = (
  right: Protocol<FlexiblePaxos>,
  other: Protocol<FlexiblePaxos>,
  isOther: (self: number) => boolean,
): Protocol<FlexiblePaxos> =>
  withContext(right, (_, ctx) =>
    isOther(ctx.self) ? { ...ctx, group: other.group as typeof ctx.group } : ctx,
  );

/** The options without what they say of quorums, so that a mutant can say it. */
function plain(options: Options): Options {
  const { q1: _, q2: __, grid: ___, weights: ____, ...rest } = options;
  return { ...rest, unsafe: true };
}

const sizeOf = ({ n, initialMembers }: Options): number => initialMembers?.length ?? n;

export { exhibits } from './exhibits.ts';

/** Flawed variants by name; each takes the options of the right protocol. */
export const mutants = {
  'disjoint-quorums': (options) => {
    const q1 = Math.max(1, Math.floor(sizeOf(options) / 2));
    return flexiblePaxos({ ...plain(options), q1, q2: Math.max(1, sizeOf(options) - q1) });
  },

  'rows-for-both': (options) =>
    flexiblePaxos(
      { ...options, unsafe: true },
      {
        phases(members, quorums) {
          const { phase1 } = phasesOf(members, quorums);
          return { phase1, phase2: phase1 };
        },
      },
    ),

  'live-resize': (options) => {
    const n = sizeOf(options);
    const resized = flexiblePaxos({ ...plain(options), q1: n - 1, q2: Math.min(2, n) });
    return mixed(flexiblePaxos(plain(options)), resized, (self) => self > n / 2);
  },
} satisfies Readonly<Record<string, (options: Options) => Protocol<FlexiblePaxos>>>;

/** The names of the mutants. */
export type Mutant = keyof typeof mutants;

/** What is wrong with each, by its name. */
export const flaws: Readonly<Record<Mutant, Flaw>> = {
  'disjoint-quorums': {
    rule:
      'The sizes of the two quorums add up to the number of members, and not to more: they ' +
      'need not meet.',
    paper: 'Howard et al. 2016, §3',
    gallery: 'A-11',
  },
  'rows-for-both': {
    rule: 'One row of the grid is taken for a quorum in both phases: two rows do not meet.',
    paper: 'Howard et al. 2016, §3',
    gallery: 'A-11',
  },
  'live-resize': {
    rule: 'The sizes of quorums are a setting of each replica, and not decided in the log.',
    paper: 'Howard et al. 2016, §3; Lamport 2001, §3',
    gallery: 'A-12',
  },
};
