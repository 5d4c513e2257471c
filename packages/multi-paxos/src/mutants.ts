/**
 * Multi-Paxos with one rule wrong at a time, by the names of the bug gallery. They prove that the
 * tests test: each must be caught by schedules that the right one survives. Never use one in
 * earnest.
 *
 * @packageDocumentation
 */
import { type Flaw, type Protocol, withContext } from '@quorumlab/core';
import type { Options } from './group.ts';
import { multiPaxos } from './protocol.ts';
import type { Candidate } from './rules.ts';
import type { Context, MultiPaxos, Replica } from './state.ts';

/** What it promised and accepted is kept in memory only: a restarted acceptor has forgotten it. */
function forget(replica: Replica, ctx: Context): Context {
  return {
    ...ctx,
    save({ promised, ...rest }) {
      // Assigned past the context, so it is not written: this is the flaw.
      if (promised !== undefined) Object.assign(replica, { promised });
      if (Object.keys(rest).length > 0) ctx.save(rest);
    },
    put(_table, index, row) {
      (replica.accepted as Map<number, unknown>).set(index, row);
    },
    decide(slot, commands, proof, configured) {
      // What it knows to be chosen is written: a restart without that would be seen at once.
      const vote = replica.accepted.get(slot);
      if (vote !== undefined) ctx.put('accepted', slot, vote);
      ctx.decide(slot, commands, proof, configured);
    },
  };
}

/** The highest slot in which the replica has voted itself, or the last before its log begins. */
function lastVoted({ accepted, keptFrom }: Candidate): number {
  let last = keptFrom - 1;
  for (const slot of accepted.keys()) if (slot > last) last = slot;
  return last;
}

/** Whoever starts promises at once, although it may have granted a lease a moment before. */
function forgetGrants(right: Protocol<MultiPaxos>): Protocol<MultiPaxos> {
  return {
    ...right,
    start(replica, ctx, incarnation) {
      right.start?.(replica, ctx, incarnation);
      replica.lastContact = null;
    },
  };
}

export { exhibits } from './exhibits.ts';

/** Flawed variants by name; each takes the options of the right protocol. */
export const mutants = {
  'gap-noop': (options) =>
    multiPaxos(options, {
      counts: (candidate, { slot }) => candidate.accepted.has(slot) || slot > lastVoted(candidate),
    }),

  'alpha-ignored': (options) => multiPaxos(options, { governs: (slot) => slot + 1 }),

  'commit-by-index': (options) => multiPaxos(options, { isChosen: () => true }),

  'first-value': (options) => multiPaxos(options, { outranks: () => false }),

  amnesia: (options) => withContext(multiPaxos(options), forget),

  'snapshot-without-configuration': (options) => {
    const right = multiPaxos(options);
    return {
      ...right,
      snapshotInstalled: (replica, slot, digest, ctx) =>
        right.snapshotInstalled?.(replica, slot, digest, ctx),
    };
  },

  'lease-forgotten': (options) => forgetGrants(multiPaxos({ ...options, reads: 'lease' })),

  'lease-from-answer': (options) =>
    multiPaxos({ ...options, reads: 'lease' }, { grantedFrom: (_, answered) => answered }),
} satisfies Readonly<Record<string, (options: Options) => Protocol<MultiPaxos>>>;

/** The names of the mutants. */
export type Mutant = keyof typeof mutants;

/** What is wrong with each, by its name. */
export const flaws: Readonly<Record<Mutant, Flaw>> = {
  'gap-noop': {
    rule:
      'A new leader asks only about slots after its own last one, and fills its gaps with ' +
      'no-ops.',
    paper: 'Lamport 2001, §3',
    gallery: 'A-08',
  },
  'alpha-ignored': {
    rule: 'A change of the group governs the very next slot, although later ones are open already.',
    paper: 'Lamport 2001, §3',
    gallery: 'A-09',
  },
  'commit-by-index': {
    rule:
      'A follower takes for chosen whatever it holds in a slot that is chosen, whoever ' +
      'proposed it.',
    paper: 'Lamport 2001, §2.3',
  },
  'first-value': {
    rule:
      'A new leader takes over the first vote that it hears of, and not that of the highest ' +
      'ballot.',
    paper: 'Lamport 2001, §2.2, P2c',
    gallery: 'A-03',
  },
  amnesia: {
    rule: 'Promises and votes are not durable: a restarted acceptor has forgotten them.',
    paper: 'Lamport 2001, §2.5',
    gallery: 'A-01',
  },
  'snapshot-without-configuration': {
    rule:
      "A snapshot is installed without the group's configuration: its reader goes on counting " +
      'the quorums of an older group.',
    paper: 'Chandra et al. 2007, §5.5',
    gallery: 'A-50',
  },
  'lease-forgotten': {
    rule: 'An acceptor that was restarted forgets the lease that it granted, and elects another.',
    paper: 'Chandra et al. 2007, §5.2',
    gallery: 'A-10',
  },
  'lease-from-answer': {
    rule: 'A leader counts its lease from the answer, not from when what was answered was sent.',
    paper: 'Chandra et al. 2007, §5.2',
  },
};
