/**
 * PBFT with one rule wrong: each of these has been somebody's real mistake. They exist to be
 * caught: by the tests of this package, by the checkers and in lessons. Never run one in earnest.
 *
 * @packageDocumentation
 */
import type { Protocol } from '@quorumlab/core';
import type { PbftOptions } from './group.ts';
import { withRules } from './protocol.ts';
import { type Rules, rules } from './rules.ts';
import type { Pbft } from './state.ts';

/** What is wrong in each mutant, as the difference from the right rules. */
const wrong = {
  /** A quorum is 2f+1 whatever n is: at n = 5 and f = 1 two quorums may share only a liar. */
  'hard-coded-2f+1': { quorum: (_, f) => 2 * f + 1 },
  /** Votes are counted by view and number only, and a second pre-prepare replaces the first. */
  'no-digest-match': {
    voteKey: () => 'any',
    executes: (logged, voted) => logged ?? voted,
    acceptsSecondPrePrepare: true,
  },
  /** Executes what is prepared: the next view may not know about it. */
  'skip-commit-phase': { executesWhenPrepared: true },
  /** Believes what a view-change claims to have prepared, in whatever view. */
  'viewchange-no-proof': { provesPrepared: false },
  /** Believes the orders of a new primary. */
  'newview-unchecked': { recomputesOrders: false },
  /** Of several certificates for one number the oldest wins. */
  'older-certificate-wins': { outranks: (candidate, chosen) => candidate < chosen },
  /** View-changes report what is committed and keep silent about what is prepared. */
  'prepared-not-carried': { carriesPrepared: false },
  /** The timeout never grows: a network slower than it changes views for ever. */
  'fixed-timeouts': { timeout: (first) => first },
  /** One replica that wants a later view is enough to move everybody. */
  'join-rule-one': { joinsAt: () => 1 },
  /** Nobody joins the others in a later view. */
  'join-rule-none': { joinsAt: () => Number.POSITIVE_INFINITY },
  /** Every execution restarts the timer: a primary may order one request a timeout, for ever. */
  'timer-restarts': { progressRestartsTimer: true },
  /** A primary may use numbers as high as it likes. */
  'no-watermarks': { keepsWatermarks: false },
  /** Executes the request that the client sent here instead of the one that was ordered. */
  'local-copy-executes': { executesLocalCopy: true },
} satisfies Record<string, Partial<Rules>>;

/** The names of the mutants. */
export type Mutant = keyof typeof wrong;

/** All mutants by name. */
export const mutants: readonly Mutant[] = Object.keys(wrong) as Mutant[];

/** PBFT with the mistake that `name` stands for. */
export const mutant = (name: Mutant, options: PbftOptions): Protocol<Pbft> =>
  withRules(options, { ...rules, ...wrong[name] });
