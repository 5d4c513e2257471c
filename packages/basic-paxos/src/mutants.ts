/**
 * Basic Paxos with one rule wrong at a time, by the names of the bug gallery. They prove that the
 * tests test: each must be caught by schedules that the right one survives. Never use one in
 * earnest.
 *
 * @packageDocumentation
 */
import { equalRequests, type Flaw, identityOf, type Protocol, withContext } from '@quorumlab/core';
import type { Options } from './group.ts';
import type { Vote } from './messages.ts';
import { basicPaxos } from './protocol.ts';
import type { BasicPaxos, Stable } from './state.ts';

/** `right` with the registers `names` kept in memory only: a restart forgets them. */
const forgetting = (
  right: Protocol<BasicPaxos>,
  names: readonly (keyof Stable)[],
): Protocol<BasicPaxos> =>
  withContext(right, (replica, ctx) => ({
    ...ctx,
    save(registers) {
      const kept = Object.entries(registers).filter(
        ([name]) => !names.some((each) => each === name),
      );
      // Assigned past the context, so the rest is not written: this is the flaw.
      Object.assign(replica, registers);
      if (kept.length > 0) ctx.save(Object.fromEntries(kept));
    },
  }));

const reportsOf = (reports: readonly (Vote | null)[]): readonly Vote[] =>
  reports.filter((each) => each !== null);

export { exhibits } from './exhibits.ts';

/** Flawed variants by name; each takes the options of the right protocol. */
export const mutants = {
  amnesia: (options) => forgetting(basicPaxos(options), ['promised', 'accepted']),

  'ballot-reuse': (options) => forgetting(basicPaxos(options), ['ballot']),

  'wrong-value-rule': (options) =>
    basicPaxos(options, { choose: (reports) => reportsOf(reports)[0]?.value ?? null }),

  'most-frequent-value': (options) =>
    basicPaxos(options, {
      choose(reports) {
        const votes = reportsOf(reports);
        const frequency = ({ value }: Vote): number =>
          votes.filter((each) => equalRequests(each.value, value)).length;
        return [...votes].sort((one, two) => frequency(two) - frequency(one))[0]?.value ?? null;
      },
    }),

  'highest-value': (options) =>
    basicPaxos(options, {
      choose(reports) {
        const values = reportsOf(reports).map(({ value }) => value);
        return values.reduce<(typeof values)[number] | null>(
          (most, each) => (most === null || identityOf(each) > identityOf(most) ? each : most),
          null,
        );
      },
    }),

  'learner-mixes-ballots': (options) =>
    basicPaxos(options, { alike: (one, two) => equalRequests(one.value, two.value) }),

  'duel-without-backoff': (options) => basicPaxos(options, { backOff: () => 1 }),
} satisfies Readonly<Record<string, (options: Options) => Protocol<BasicPaxos>>>;

/** The names of the mutants. */
export type Mutant = keyof typeof mutants;

/** What is wrong with each, by its name. */
export const flaws: Readonly<Record<Mutant, Flaw>> = {
  amnesia: {
    rule:
      'Promises and accepted proposals are not durable: a restarted acceptor has forgotten ' +
      'them.',
    paper: 'Lamport 2001, §2.5',
    gallery: 'A-01',
  },
  'ballot-reuse': {
    rule: "The proposer's number is not durable: after a restart two proposals have one number.",
    paper: 'Lamport 2001, §2.5',
    gallery: 'A-02',
  },
  'wrong-value-rule': {
    rule:
      'A proposer takes over the first value that is reported, and not that of the highest ' +
      'number.',
    paper: 'Lamport 2001, §2.2, P2c',
    gallery: 'A-03',
  },
  'most-frequent-value': {
    rule:
      'A proposer takes over the value that most acceptors report, and not that of the highest ' +
      'number.',
    paper: 'Lamport 2001, §2.2, P2c',
    gallery: 'A-03',
  },
  'highest-value': {
    rule: 'A proposer takes over the highest value, and not the value of the highest number.',
    paper: 'Lamport 2001, §2.2, P2c',
    gallery: 'A-03',
  },
  'learner-mixes-ballots': {
    rule:
      'A learner counts who accepted a value, under whatever numbers, and not who accepted one ' +
      'proposal.',
    paper: 'Lamport 2001, §2.3',
    gallery: 'A-52',
  },
  'duel-without-backoff': {
    rule: 'A proposer that is refused tries again at once, so that two of them can duel for ever.',
    paper: 'Lamport 2001, §2.4',
  },
};
