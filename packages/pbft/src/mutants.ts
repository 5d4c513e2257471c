/**
 * PBFT with one rule wrong: each of these has been somebody's real mistake. They exist to be
 * caught: by the tests of this package, by the checkers and in lessons. Never run one in earnest.
 *
 * @packageDocumentation
 */
import type { Flaw, Protocol } from '@quorumlab/core';
import type { PbftOptions } from './group.ts';
import { withRules } from './protocol.ts';
import { type Rules, rules } from './rules.ts';
import type { Pbft } from './state.ts';

/** What is wrong in each mutant, as the difference from the right rules. */
const wrong = {
  'hard-coded-2f+1': { quorum: (_, f) => 2 * f + 1 },
  'no-digest-match': {
    voteKey: () => 'any',
    executes: (logged, voted) => logged ?? voted,
    acceptsSecondPrePrepare: true,
  },
  'skip-commit-phase': { executesWhenPrepared: true },
  'viewchange-no-proof': { provesPrepared: false },
  'newview-unchecked': { recomputesOrders: false },
  'older-certificate-wins': { outranks: (candidate, chosen) => candidate < chosen },
  'prepared-not-carried': { carriesPrepared: false },
  'fixed-timeouts': { timeout: (first) => first },
  'join-rule-one': { joinsAt: () => 1 },
  'join-rule-none': { joinsAt: () => Number.POSITIVE_INFINITY },
  'timer-restarts': { progressRestartsTimer: true },
  'no-watermarks': { keepsWatermarks: false },
  'local-copy-executes': { executesLocalCopy: true },
} satisfies Record<string, Partial<Rules>>;

export { exhibits } from './exhibits.ts';

/** The names of the mutants. */
export type Mutant = keyof typeof wrong;

/** All mutants by name. */
export const mutants: readonly Mutant[] = Object.keys(wrong) as Mutant[];

/** PBFT with the mistake that `name` stands for. */
export const mutant = (name: Mutant, options: PbftOptions): Protocol<Pbft> =>
  withRules(options, { ...rules, ...wrong[name] });

/** What is wrong with each, by its name. */
export const flaws: Readonly<Record<Mutant, Flaw>> = {
  'hard-coded-2f+1': {
    rule: 'A quorum is 2f+1 whatever n is: at n = 5 and f = 1 two quorums may share only a liar.',
    paper: 'Castro and Liskov 1999, §4.1',
  },
  'no-digest-match': {
    rule: 'Votes are counted by view and number only, and a second pre-prepare replaces the first.',
    paper: 'Castro and Liskov 1999, §4.2',
  },
  'skip-commit-phase': {
    rule: 'A batch is executed when it is prepared: the next view may not know about it.',
    paper: 'Castro and Liskov 1999, §4.2',
  },
  'viewchange-no-proof': {
    rule: 'A view-change is believed without proof of what it claims to have prepared.',
    paper: 'Castro and Liskov 1999, §4.4',
  },
  'newview-unchecked': {
    rule: 'Backups believe the orders of a new primary, and do not work them out again.',
    paper: 'Castro and Liskov 1999, §4.4',
  },
  'older-certificate-wins': {
    rule: 'Of several certificates for one number the oldest wins, and not the newest.',
    paper: 'Castro and Liskov 1999, §4.4',
  },
  'prepared-not-carried': {
    rule: 'View-changes report what is committed and keep silent about what is prepared.',
    paper: 'Castro and Liskov 1999, §4.4',
  },
  'fixed-timeouts': {
    rule: 'The timeout of a view never grows: a network slower than it changes views for ever.',
    paper: 'Castro and Liskov 1999, §4.5.2',
  },
  'join-rule-one': {
    rule: 'One replica that wants a later view is enough to move everybody.',
    paper: 'Castro and Liskov 1999, §4.5.2',
  },
  'join-rule-none': {
    rule: 'Nobody joins f+1 others that want a later view.',
    paper: 'Castro and Liskov 1999, §4.5.2',
  },
  'timer-restarts': {
    rule:
      'Every execution restarts the timer: a primary may order one request a timeout, for ' +
      'ever.',
    paper: 'Castro and Liskov 1999, §4.4, §4.5.2',
  },
  'no-watermarks': {
    rule: 'A primary may use numbers as high as it likes.',
    paper: 'Castro and Liskov 1999, §4.2',
  },
  'local-copy-executes': {
    rule:
      'A replica executes the request that the client sent to it instead of the one that was ' +
      'ordered.',
    paper: 'Castro and Liskov 1999, §4.2',
  },
};
