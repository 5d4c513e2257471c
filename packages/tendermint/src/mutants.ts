/**
 * Tendermint with one rule wrong: each of these has been somebody's real mistake. They exist to be
 * caught: by the tests of this package, by the checkers and in lessons. Never run one in earnest.
 *
 * @packageDocumentation
 */
import { type Flaw, type Protocol, withContext } from '@quorumlab/core';
import type { Options } from './group.ts';
import { tendermint } from './protocol.ts';
import type { Rules } from './rules.ts';
import type { Context, Replica, Tendermint } from './state.ts';

export { exhibits } from './exhibits.ts';

type Maker = (options: Options) => Protocol<Tendermint>;

/** Tendermint that differs from the right one in `wrong` alone. */
const differing =
  (wrong: Partial<Rules>): Maker =>
  (options) =>
    tendermint(options, wrong);

/** Lock and valid value are kept in memory only: a restarted replica has forgotten them. */
function forgetLocks(replica: Replica, ctx: Context): Context {
  return {
    ...ctx,
    save({ locked, valid, ...rest }) {
      // Assigned past the context, so it is not written: this is the flaw.
      if (locked !== undefined) Object.assign(replica, { locked });
      if (valid !== undefined) Object.assign(replica, { valid });
      if (Object.keys(rest).length > 0) ctx.save(rest);
    },
  };
}

/** What was said in a round is kept in memory only. */
function forgetVotes(replica: Replica, ctx: Context): Context {
  return {
    ...ctx,
    put(table, index, row) {
      if (table !== 'said') return ctx.put(table, index, row);
      (replica.said as Map<number, unknown>).set(index, row);
    },
  };
}

/** Flawed variants by name; each takes the options of the right protocol. */
export const mutants = {
  'no-lock': differing({ mayPrevote: () => true }),
  'no-unlock': differing({
    mayPrevote: ({ value, locked }) => locked === null || locked.value === value,
  }),
  'no-valid-value': differing({ proposesAgain: 'locked' }),
  'nil-polka-unlock': differing({ nilUnlocks: true }),
  'trust-valid-round': differing({ provesValidRound: false }),
  'wrong-polka-round': differing({ isPolkaOf: () => true }),
  'mixed-round-precommits': differing({ mixesRounds: true }),
  'hidden-lock': differing({ passesPolkasOn: false }),
  'first-vote-only': differing({ takesSecondVotes: false }),
  'no-future-bound': differing({ boundsRounds: false }),
  'lock-amnesia': (options) => withContext(tendermint(options), forgetLocks),
  'vote-amnesia': (options) => withContext(tendermint(options), forgetVotes),
  'skip-rule-one': differing({ skipsAt: () => 1 }),
  'fixed-timeouts': differing({ timeout: (first) => first }),
  'quorum-2f+1': differing({ quorum: (_, faulty) => 2 * faulty + 1 }),
  'former-votes': differing({
    weights: (inForce, earlier) => new Map([...earlier().flatMap((each) => [...each]), ...inForce]),
  }),
} satisfies Readonly<Record<string, Maker>>;

/** The names of the mutants. */
export type Mutant = keyof typeof mutants;

/** What is wrong with each, by its name. */
export const flaws: Readonly<Record<Mutant, Flaw>> = {
  'no-lock': {
    rule: 'A replica prevotes for whatever is proposed, also if it has precommitted another value.',
    paper: 'Buchman et al. 2018, lines 23 and 29',
  },
  'no-unlock': {
    rule: 'A lock is never given up, not even for a value that had a polka in a later round.',
    paper: 'Buchman et al. 2018, line 29',
    gallery: 'B-36',
  },
  'no-valid-value': {
    rule: 'A proposer proposes again what it is locked on, not the last value that had a polka.',
    paper: 'Buchman et al. 2018, lines 15 and 42',
    gallery: 'B-35',
  },
  'nil-polka-unlock': {
    rule: 'A quorum of nil prevotes takes the lock away, as an older text of the protocol says.',
    paper: 'Buchman et al. 2018, line 44',
    gallery: 'B-37',
  },
  'trust-valid-round': {
    rule: 'The valid round of a proposal is believed without the polka of that round.',
    paper: 'Buchman et al. 2018, line 28',
    gallery: 'B-38',
  },
  'wrong-polka-round': {
    rule: 'Any polka for the value proves its valid round, of whatever round that polka is.',
    paper: 'Buchman et al. 2018, line 28',
    gallery: 'B-38',
  },
  'mixed-round-precommits': {
    rule: 'Precommits for one value are added up whatever their rounds are.',
    paper: 'Buchman et al. 2018, line 49',
    gallery: 'B-39',
  },
  'hidden-lock': {
    rule: 'Polkas are neither passed on nor shown beside proposals: a liar hides them from some.',
    paper: 'Buchman et al. 2018, §2.1',
    gallery: 'B-40',
  },
  'first-vote-only': {
    rule: 'A polka is refused if one of its members was heard to vote otherwise.',
    paper: 'Buchman et al. 2018, §2.1',
    gallery: 'B-41',
  },
  'no-future-bound': {
    rule: 'Votes and proposals of all future rounds are kept, and a liar fills the memory.',
    paper: 'Buchman et al. 2018, §2.1',
    gallery: 'B-42',
  },
  'lock-amnesia': {
    rule: 'The lock is not durable: after a crash a replica prevotes for another value.',
    paper: 'Buchman et al. 2018, line 38',
    gallery: 'B-43',
  },
  'vote-amnesia': {
    rule: 'What was voted is not durable: after a crash a replica votes twice in one round.',
    paper: 'Buchman et al. 2018, lines 27, 41 and 46',
    gallery: 'B-43',
  },
  'skip-rule-one': {
    rule: 'One member in a later round is enough to take everybody there.',
    paper: 'Buchman et al. 2018, line 55',
  },
  'fixed-timeouts': {
    rule: 'Timeouts do not grow with the rounds: on a slower network no round ever succeeds.',
    paper: 'Buchman et al. 2018, §3, timeouts',
    gallery: 'B-17',
  },
  'quorum-2f+1': {
    rule: 'A quorum is 2f+1 whatever n is: at n = 5 and f = 1 two quorums may share only a liar.',
    paper: 'Buchman et al. 2018, §2.1, n > 3f',
    gallery: 'B-04',
  },
  'former-votes': {
    rule: 'Votes of those count too who voted by an earlier set and vote no more.',
    paper: 'ours: the processes of Buchman et al. 2018, §2.1, are always the same',
    gallery: 'B-54',
  },
};
