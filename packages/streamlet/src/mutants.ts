/**
 * Streamlet with one rule wrong. They exist to be caught: by the tests of this package, by the
 * checkers and in lessons. Never run one in earnest.
 *
 * @packageDocumentation
 */
import { type Flaw, type Protocol, withContext } from '@quorumlab/core';
import type { Options } from './group.ts';
import { streamlet } from './protocol.ts';
import type { Rules } from './rules.ts';
import type { Context, Replica, Streamlet } from './state.ts';

export { exhibits } from './exhibits.ts';

type Maker = (options: Options) => Protocol<Streamlet>;

/** Streamlet that differs from the right one in `wrong` alone. */
const differing =
  (wrong: Partial<Rules>): Maker =>
  (options) =>
    streamlet(options, wrong);

/** The last epoch in which it has voted is kept in memory only. */
function forgetVotes(replica: Replica, ctx: Context): Context {
  return {
    ...ctx,
    save({ voted, ...rest }) {
      // Assigned past the context, so it is not written: this is the flaw.
      if (voted !== undefined) Object.assign(replica, { voted });
      if (Object.keys(rest).length > 0) ctx.save(rest);
    },
  };
}

/** What is notarized is kept in memory only. */
function forgetNotarized(replica: Replica, ctx: Context): Context {
  return {
    ...ctx,
    put(table, index, row) {
      if (table !== 'notarized') return ctx.put(table, index, row);
      (replica.notarized as Map<number, unknown>).set(index, row);
    },
  };
}

/** Flawed variants by name; each takes the options of the right protocol. */
export const mutants = {
  'two-block-finality': differing({ adjacent: 2 }),
  'any-notarized': differing({ mayExtend: () => true }),
  'vote-amnesia': (options) => withContext(streamlet(options), forgetVotes),
  'chain-amnesia': (options) => withContext(streamlet(options), forgetNotarized),
  'quorum-2f+1': differing({ quorum: (_, f) => 2 * f + 1 }),
  'no-future-bound': differing({ boundsEpochs: false }),
} satisfies Readonly<Record<string, Maker>>;

/** The names of the mutants. */
export type Mutant = keyof typeof mutants;

/** What is wrong with each, by its name. */
export const flaws: Readonly<Record<Mutant, Flaw>> = {
  'two-block-finality': {
    rule: 'Two adjacent notarized blocks of consecutive epochs make the first one final.',
    paper: 'Chan and Shi 2020, section 3, Finalize',
    gallery: 'B-48',
  },
  'any-notarized': {
    rule: 'A replica votes for what extends any notarized chain, not only one of the longest.',
    paper: 'Chan and Shi 2020, section 3, Vote',
  },
  'vote-amnesia': {
    rule: 'What was voted is not durable: after a crash a replica votes twice in one epoch.',
    paper: 'Chan and Shi 2020, section 3, Vote',
    gallery: 'B-43',
  },
  'chain-amnesia': {
    rule: 'What is notarized is not durable: after a crash a replica votes for a shorter chain.',
    paper: 'Chan and Shi 2020, section 3, Vote',
  },
  'quorum-2f+1': {
    rule: 'A quorum is 2f+1 whatever n is: at n = 5 and f = 1 two quorums may share only a liar.',
    paper: 'Chan and Shi 2020, section 3, notarized',
    gallery: 'B-04',
  },
  'no-future-bound': {
    rule: 'Votes of all future epochs are kept, and a liar fills the memory.',
    paper: 'Chan and Shi 2020, section 3, implicit echoing',
    gallery: 'B-42',
  },
};
