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
  readonly changed: Partial<Rules>;
}

const wrong = {
  /** Votes for any proposal with a valid certificate, whatever it is locked on. */
  'no-lock': { rules: 'chained', changed: { mayVote: () => true } },
} satisfies Record<string, Wrong>;

/** The names of the mutants. */
export type Mutant = keyof typeof wrong;

/** All mutants by name. */
export const mutants: readonly Mutant[] = Object.keys(wrong) as Mutant[];

/** HotStuff with the mistake that `name` stands for, in the rules where it was made. */
export const mutant = (name: Mutant, options: HotStuffOptions): Protocol<HotStuff> => {
  const { rules, changed } = wrong[name];
  return withRules({ ...options, rules }, changed);
};
