/**
 * Raft with one rule wrong at a time, by the names of the bug gallery. They prove that the tests
 * test: each must be caught by schedules that the right one survives. Never use one in earnest.
 *
 * @packageDocumentation
 */
import {
  type Flaw,
  type Protocol,
  type QuorumSystem,
  threshold,
  withContext,
} from '@quorumlab/core';
import type { Placed } from './configuration.ts';
import type { Options } from './group.ts';
import { lastIndex } from './log.ts';
import { raft } from './protocol.ts';
import type { Context, Raft, Replica } from './state.ts';

/** The vote is kept in memory only: a restarted voter has forgotten it. */
function forgetVotes(replica: Replica, ctx: Context): Context {
  return {
    ...ctx,
    save({ votedFor, ...rest }) {
      // Assigned past the context, so it is not written: this is the flaw.
      if (votedFor !== undefined) Object.assign(replica, { votedFor });
      if (Object.keys(rest).length > 0) ctx.save(rest);
    },
  };
}

/** After a successful AppendEntries the log ends with the message's last entry. */
function truncating(right: Protocol<Raft>): Protocol<Raft> {
  const handle = right.on['append-entries'];
  return {
    ...right,
    on: {
      ...right.on,
      'append-entries'(follower, message, ctx) {
        handle(follower, message, {
          ...ctx,
          send(to, reply) {
            const cut = message.prevIndex + message.entries.length;
            const isSuccess = reply.kind === 'append-reply' && reply.success;
            // A heartbeat has no entries to cut to; real code with this flaw knows that much.
            if (isSuccess && message.entries.length > 0 && cut < lastIndex(follower))
              if (cut >= follower.commitIndex) ctx.drop('log', { from: cut + 1 });
            ctx.send(to, reply);
          },
        });
      },
    },
  };
}

/** Whoever lost its disk starts as if it had never run. */
function rejoinAsNew({ rejoin: _, ...right }: Protocol<Raft>): Protocol<Raft> {
  return right;
}

/** Whoever starts votes at once, although it may have granted a lease a moment before. */
function forgetGrants(right: Protocol<Raft>): Protocol<Raft> {
  return {
    ...right,
    start(replica, ctx, incarnation) {
      right.start?.(replica, ctx, incarnation);
      replica.lastContact = null;
    },
  };
}

/** A majority of all who are in one of the two groups. */
function ofUnion({ members: outgoing }: QuorumSystem, { members }: QuorumSystem): QuorumSystem {
  const union = [...new Set([...outgoing, ...members])];
  return threshold(union, Math.floor(union.length / 2) + 1);
}

/** A snapshot is installed without the configuration in it. */
function forgetGroup(right: Protocol<Raft>): Protocol<Raft> {
  return {
    ...right,
    snapshotInstalled: (replica, slot, digest, ctx) =>
      right.snapshotInstalled?.(replica, slot, digest, ctx),
  };
}

export { exhibits } from './exhibits.ts';

/** Flawed variants by name; each takes the options of the right protocol. */
export const mutants = {
  'figure-8': (options) => raft(options, { mayCommit: () => true }),

  'double-vote': (options) => withContext(raft(options), forgetVotes),

  'commit-beyond-verified': (options) => raft(options, { verified: lastIndex }),

  'truncate-on-stale-append': (options) => truncating(raft(options)),

  'vote-by-length': (options) =>
    raft(options, { upToDate: (voter, { index }) => index >= lastIndex(voter) }),

  'no-prevote': (options) => raft({ ...options, preVote: false, checkQuorum: false }),

  'no-checkquorum': (options) => raft({ ...options, checkQuorum: false }),

  'rejoin-as-new': (options) => rejoinAsNew(raft(options)),

  'readindex-without-noop': (options) => raft(options, { mayRead: () => true }),

  'lease-forgotten': (options) =>
    forgetGrants(raft({ ...options, reads: 'lease', checkQuorum: true })),

  'single-change-2015': (options) => raft(options, { mayChange: () => true }),

  'joint-union-majority': (options) => raft(options, { jointly: ofUnion }),

  'joint-new-majority': (options) => raft(options, { jointly: (_, incoming) => incoming }),

  'change-at-commit': (options) =>
    raft(options, { inForce: ({ configurations }) => (configurations[0] as Placed).configuration }),

  'removed-disrupts': (options) => raft({ ...options, preVote: false, checkQuorum: false }),

  'timeout-now-unchecked': (options) => raft(options, { mayHandOver: () => true }),

  'lease-survives-transfer': (options) =>
    raft({ ...options, reads: 'lease', checkQuorum: true }, { hasYielded: () => false }),

  'follower-reads-alone': (options) => {
    const right = raft(options);
    return {
      ...right,
      read(replica, id, ctx) {
        if (replica.role === 'leader') right.read?.(replica, id, ctx);
        else ctx.allowRead(id, replica.commitIndex - 1);
      },
    };
  },

  'snapshot-without-configuration': (options) => forgetGroup(raft(options)),

  'stale-leader-read': (options) => ({
    ...raft(options),
    read(leader, id, ctx) {
      if (leader.role === 'leader') ctx.allowRead(id, leader.commitIndex - 1);
    },
  }),
} satisfies Readonly<Record<string, (options: Options) => Protocol<Raft>>>;

/** The names of the mutants. */
export type Mutant = keyof typeof mutants;

/** What is wrong with each, by its name. */
export const flaws: Readonly<Record<Mutant, Flaw>> = {
  'figure-8': {
    rule: 'A leader commits entries of older terms by counting replicas.',
    paper: 'Ongaro and Ousterhout 2014, §5.4.2, Figure 8',
    gallery: 'A-15',
  },
  'double-vote': {
    rule: 'The vote is not durable: a crash between two candidates makes two leaders of one term.',
    paper: 'Ongaro and Ousterhout 2014, §5.2',
    gallery: 'A-14',
  },
  'commit-beyond-verified': {
    rule:
      'A follower commits entries that its leader has not shown it, up to the end of its own ' +
      'log.',
    paper: 'Ongaro and Ousterhout 2014, Figure 2, AppendEntries, 5.',
    gallery: 'A-24',
  },
  'truncate-on-stale-append': {
    rule: 'An append cuts off everything behind its entries, also what was acknowledged since.',
    paper: 'Ongaro and Ousterhout 2014, §5.3',
    gallery: 'A-23',
  },
  'vote-by-length': {
    rule: 'The longer log wins a vote, whatever the term of its last entry.',
    paper: 'Ongaro and Ousterhout 2014, §5.4.1',
    gallery: 'A-25',
  },
  'no-prevote': {
    rule: 'Elections have neither PreVote nor loyalty to a leader: one bad link elects for ever.',
    paper: 'Ongaro 2014 (thesis), 9.6',
    gallery: 'A-28',
  },
  'no-checkquorum': {
    rule: 'A leader that no majority hears never makes room for another.',
    paper: 'Ongaro 2014 (thesis), 6.2',
    gallery: 'A-29',
  },
  'rejoin-as-new': {
    rule: 'A replica that lost its disk votes and acknowledges as if it had promised nothing.',
    paper: 'Ongaro and Ousterhout 2014, §5.2, Figure 2, State',
  },
  'readindex-without-noop': {
    rule: 'A new leader answers reads before an entry of its own term is committed.',
    paper: 'Ongaro 2014 (thesis), 6.4, step 1',
    gallery: 'A-19',
  },
  'lease-forgotten': {
    rule: 'A voter that was restarted forgets the lease that it granted, and elects another.',
    paper: 'Ongaro 2014 (thesis), 6.4.1, 4.2.3',
    gallery: 'A-10',
  },
  'single-change-2015': {
    rule: 'A new leader changes the group before an entry of its own term is committed.',
    paper: 'Ongaro 2014 (thesis), 4.1, erratum of 2015',
    gallery: 'A-16',
  },
  'joint-union-majority': {
    rule: 'A joint configuration is decided by a majority of all who are in it.',
    paper: 'Ongaro 2014 (thesis), 4.3',
    gallery: 'A-17',
  },
  'joint-new-majority': {
    rule: 'A joint configuration is decided by the majority of the new group alone.',
    paper: 'Ongaro 2014 (thesis), 4.3',
  },
  'change-at-commit': {
    rule: 'A configuration counts once it is known to be committed, not once it is in the log.',
    paper: 'Ongaro 2014 (thesis), 4.1',
  },
  'removed-disrupts': {
    rule: 'Whoever was removed goes on to campaign, and voters obey any higher term.',
    paper: 'Ongaro 2014 (thesis), 4.2.3',
    gallery: 'A-30',
  },
  'timeout-now-unchecked': {
    rule: 'A leader tells another server to lead without looking whether it has the whole log.',
    paper: 'Ongaro 2014 (thesis), 3.10',
  },
  'lease-survives-transfer': {
    rule: 'A leader that has handed over goes on to read by its lease.',
    paper: 'Ongaro 2014 (thesis), 6.4.1, 3.10',
    gallery: 'A-22',
  },
  'follower-reads-alone': {
    rule: 'A follower answers reads by what it knows to be committed, and asks nobody.',
    paper: 'Ongaro 2014 (thesis), 6.4',
  },
  'snapshot-without-configuration': {
    rule:
      "A snapshot is installed without the group's configuration: its reader goes on counting " +
      'by an older group.',
    paper: 'Ongaro and Ousterhout 2014, §7',
    gallery: 'A-50',
  },
  'stale-leader-read': {
    rule: 'A leader answers reads without asking whether it still leads.',
    paper: 'Ongaro and Ousterhout 2014, §8',
    gallery: 'A-18',
  },
};
