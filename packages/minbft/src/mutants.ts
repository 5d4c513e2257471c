/**
 * MinBFT with one rule wrong. They exist to be caught: by the tests of this package, by the
 * checkers and in lessons. Never run one in earnest.
 *
 * @packageDocumentation
 */
import type { Flaw, Protocol } from '@quorumlab/core';
import type { Options } from './group.ts';
import { minbft } from './protocol.ts';
import type { Rules } from './rules.ts';
import type { MinBft } from './state.ts';

export { exhibits } from './exhibits.ts';

type Maker = (options: Options) => Protocol<MinBft>;

/** MinBFT that differs from the right one in `wrong` alone. */
const differing =
  (wrong: Partial<Rules>): Maker =>
  (options) =>
    minbft(options, wrong);

/** Flawed variants by name; each takes the options of the right protocol. */
export const mutants = {
  'counter-gaps': differing({ refusesGaps: false }),
  'commits-not-carried': differing({ carriesCommits: false }),
  'quorum-of-f': differing({ quorum: (_, f) => f }),
  'never-leaves': differing({ joinsAt: () => Number.POSITIVE_INFINITY }),
} satisfies Readonly<Record<string, Maker>>;

/** The names of the mutants. */
export type Mutant = keyof typeof mutants;

/** What is wrong with each, by its name. */
export const flaws: Readonly<Record<Mutant, Flaw>> = {
  'counter-gaps': {
    rule: 'Statements are taken although numbers before them are missing.',
    paper: 'Veronese et al. 2013, §5.1',
    gallery: 'B-50',
  },
  'commits-not-carried': {
    rule: 'The primary of a new view may order anything, also where members have committed.',
    paper: 'Veronese et al. 2013, §5.2',
  },
  'quorum-of-f': {
    rule: 'As many as f votes are enough: at f = 1 the primary executes what nobody else has seen.',
    paper: 'Veronese et al. 2013, §5.1',
  },
  'never-leaves': {
    rule: 'Nobody leaves a view, however many ask for another one.',
    paper: 'Veronese et al. 2013, §5.2',
  },
};
