/**
 * PBFT with one rule wrong: each of these has been somebody's real mistake. They exist to be
 * caught: by the tests of this package, by the checkers and in lessons. Never run one in earnest.
 *
 * @packageDocumentation
 */
import type { Flaw, Protocol } from '@quorumlab/core';
import type { Options } from './group.ts';
import { pbft } from './protocol.ts';
import type { Rules } from './rules.ts';
import type { Pbft } from './state.ts';

export { exhibits } from './exhibits.ts';

/** PBFT that differs from the right one in `wrong` alone. */
const differing =
  (wrong: Partial<Rules>) =>
  (options: Options): Protocol<Pbft> =>
    pbft(options, wrong);

/** Flawed variants by name; each takes the options of the right protocol. */
export const mutants = {
  'hard-coded-2f+1': differing({ quorum: (_, f) => 2 * f + 1 }),
  'no-digest-match': differing({
    voteKey: () => 'any',
    executes: (logged, voted) => logged ?? voted,
    acceptsSecondPrePrepare: true,
  }),
  'skip-commit-phase': differing({ executesWhenPrepared: true }),
  'viewchange-no-proof': differing({ provesPrepared: false }),
  'newview-unchecked': differing({ recomputesOrders: false }),
  'older-certificate-wins': differing({ outranks: (candidate, chosen) => candidate < chosen }),
  'prepared-not-carried': differing({ carriesPrepared: false }),
  'fixed-timeouts': differing({ timeout: (first) => first }),
  'join-rule-one': differing({ joinsAt: () => 1 }),
  'join-rule-none': differing({ joinsAt: () => Number.POSITIVE_INFINITY }),
  'timer-restarts': differing({ progressRestartsTimer: true }),
  'no-watermarks': differing({ keepsWatermarks: false }),
  'local-copy-executes': differing({ executesLocalCopy: true }),
  'checkpoint-unproven': differing({ provesCheckpoints: false }),
  'reads-at-once': differing({ readsAfter: (executed) => executed }),
  'reads-of-f+1': differing({ readQuorum: (_, weak) => weak }),
  'tentative-without-rollback': differing({ keepsTentative: true }),
  'tentative-f+1-replies': differing({ tentativeQuorum: (_, weak) => weak }),
  'read-tentative-state': differing({ readsAfter: (_, __, tentative) => tentative }),
  'new-view-without-acks': differing({ acknowledgedBy: () => 0 }),
  'decide-without-A2': differing({ asksPrePrepared: false }),
  'former-votes': differing({ countsFormer: true }),
  'change-at-next-checkpoint': differing({
    endsWith: (sequence, every) => Math.ceil(sequence / every) * every,
  }),
} satisfies Readonly<Record<string, (options: Options) => Protocol<Pbft>>>;

/** The names of the mutants. */
export type Mutant = keyof typeof mutants;

/** What is wrong with each, by its name. */
export const flaws: Readonly<Record<Mutant, Flaw>> = {
  'hard-coded-2f+1': {
    rule: 'A quorum is 2f+1 whatever n is: at n = 5 and f = 1 two quorums may share only a liar.',
    paper: 'Castro and Liskov 1999, §4.1',
    gallery: 'B-04',
  },
  'no-digest-match': {
    rule: 'Votes are counted by view and number only, and a second pre-prepare replaces the first.',
    paper: 'Castro and Liskov 1999, §4.2',
  },
  'skip-commit-phase': {
    rule: 'A batch is executed when it is prepared: the next view may not know about it.',
    paper: 'Castro and Liskov 1999, §4.2',
    gallery: 'B-05',
  },
  'viewchange-no-proof': {
    rule: 'A view-change is believed without proof of what it claims to have prepared.',
    paper: 'Castro and Liskov 1999, §4.4',
    gallery: 'B-01',
  },
  'newview-unchecked': {
    rule: 'Backups believe the orders of a new primary, and do not work them out again.',
    paper: 'Castro and Liskov 1999, §4.4',
    gallery: 'B-02',
  },
  'older-certificate-wins': {
    rule: 'Of several certificates for one number the oldest wins, and not the newest.',
    paper: 'Castro and Liskov 1999, §4.4',
    gallery: 'B-07',
  },
  'prepared-not-carried': {
    rule: 'View-changes report what is committed and keep silent about what is prepared.',
    paper: 'Castro and Liskov 1999, §4.4',
    gallery: 'B-06',
  },
  'fixed-timeouts': {
    rule: 'The timeout of a view never grows: a network slower than it changes views for ever.',
    paper: 'Castro and Liskov 1999, §4.5.2',
    gallery: 'B-17',
  },
  'join-rule-one': {
    rule: 'One replica that wants a later view is enough to move everybody.',
    paper: 'Castro and Liskov 1999, §4.5.2',
    gallery: 'B-18',
  },
  'join-rule-none': {
    rule: 'Nobody joins f+1 others that want a later view.',
    paper: 'Castro and Liskov 1999, §4.5.2',
    gallery: 'B-18',
  },
  'timer-restarts': {
    rule:
      'Every execution restarts the timer: a primary may order one request a timeout, for ' +
      'ever.',
    paper: 'Castro and Liskov 1999, §4.4, §4.5.2',
    gallery: 'B-15',
  },
  'no-watermarks': {
    rule: 'A primary may use numbers as high as it likes.',
    paper: 'Castro and Liskov 1999, §4.2',
    gallery: 'B-13',
  },
  'local-copy-executes': {
    rule:
      'A replica executes the request that the client sent to it instead of the one that was ' +
      'ordered.',
    paper: 'Castro and Liskov 1999, §4.2',
    gallery: 'B-58',
  },
  'checkpoint-unproven': {
    rule: 'A replica that lags takes over the state that one other signs, whoever that is.',
    paper: 'Castro and Liskov 1999, §4.3',
    gallery: 'B-12',
  },
  'reads-at-once': {
    rule: 'A replica answers a read although something is prepared that it has not executed.',
    paper: 'Castro and Liskov 2002, §5.1.3',
  },
  'reads-of-f+1': {
    rule: 'A client believes f+1 equal answers to a read: one of them may lie, and one lag behind.',
    paper: 'Castro and Liskov 2002, §5.1.3',
    gallery: 'B-10',
  },
  'tentative-without-rollback': {
    rule: 'What was executed tentatively stays executed, also if a view change gives it up.',
    paper: 'Castro and Liskov 2002, §5.1.2',
    gallery: 'B-05',
  },
  'tentative-f+1-replies': {
    rule: 'A client believes f+1 tentative replies: no quorum need be prepared yet.',
    paper: 'Castro and Liskov 2002, §5.1.2',
  },
  'read-tentative-state': {
    rule:
      'A read waits for what is executed tentatively in this view, and not for what clients were ' +
      'told of in an earlier one.',
    paper: 'Castro and Liskov 2002, §5.1.3',
  },
  'new-view-without-acks': {
    rule: 'With MACs: a new view rests on view-changes that only its primary may have got.',
    paper: 'Castro and Liskov 2002, §3.2.4',
  },
  'decide-without-A2': {
    rule: 'With MACs: what one replica claims to have prepared need not be pre-prepared at f+1.',
    paper: 'Castro and Liskov 2002, §3.2.4, condition A2',
  },
  'former-votes': {
    rule: 'Votes of those count too who were members in an earlier epoch and are none any more.',
    paper: 'ours: the replicas of Castro and Liskov 1999, §4, are always the same',
    gallery: 'B-54',
  },
  'change-at-next-checkpoint': {
    rule:
      'A change counts behind the next checkpoint, although those who do not know of it may ' +
      'have voted about numbers behind that one.',
    paper: 'ours: the replicas of Castro and Liskov 1999, §4, are always the same',
    gallery: 'B-54',
  },
};
