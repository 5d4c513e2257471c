/**
 * Zab with one rule wrong at a time, by the names of the bug gallery. They prove that the tests
 * test: each must be caught by schedules that the right one survives. Never use one in earnest.
 *
 * @packageDocumentation
 */
import { committedIndex, type Flaw, type Protocol, withContext } from '@quorumlab/core';
import { deliver } from './delivery.ts';
import { type Group, groupOf, type Options } from './group.ts';
import { holds, lastCounter, lastZxid, reaches } from './history.ts';
import { zab } from './protocol.ts';
import { rules } from './rules.ts';
import type { Context, Learner, Replica, Zab } from './state.ts';

/** Whoever lost its disk starts as if it had never run. */
function rejoinAsNew({ rejoin: _, ...right }: Protocol<Zab>): Protocol<Zab> {
  return right;
}

/** Proposals that came while NEWLEADER was under way are sent to nobody who acknowledges it. */
function skipping(right: Protocol<Zab>): Protocol<Zab> {
  return {
    ...right,
    on: {
      ...right.on,
      'ack-ld'(leader, message, ctx) {
        const learner = leader.learners.get(message.from);
        if (learner?.stage === 'told') learner.next = lastCounter(leader) + 1;
        right.on['ack-ld'](leader, message, ctx);
      },
    },
  };
}

const isSynced = ({ stage }: Learner): boolean => stage === 'synced';

/** What followers hold of older epochs is counted, transaction by transaction, as it comes. */
function countingReported(group: Group, right: Protocol<Zab>): Protocol<Zab> {
  return {
    ...right,
    on: {
      ...right.on,
      'ack-e'(leader, message, ctx) {
        right.on['ack-e'](leader, message, ctx);
        if (leader.phase !== 'synchronization' || leader.epoch !== message.epoch) return;
        if (!holds(leader, message.held)) return;
        leader.acked.set(message.from, message.held.counter);
        const highest = committedIndex(group.quorum, leader.acked) ?? 0;
        leader.committed = Math.max(leader.committed, highest);
        deliver(leader, leader.committed, ctx);
      },
    },
  };
}

/** What a leader proposes is counted before it is on its disk, and a crash takes it. */
function notWritten(replica: Replica, ctx: Context): Context {
  return {
    ...ctx,
    // Set past the context, so it is not written: this is the flaw.
    put: (_table, counter, row) =>
      void (replica.history as Map<number, typeof row>).set(counter, row),
  };
}

/** What TRUNC cuts off is gone in memory only. */
function notCut(replica: Replica, ctx: Context): Context {
  return {
    ...ctx,
    drop(table, rows) {
      if ('below' in rows) return ctx.drop(table, rows);
      for (const counter of replica.history.keys())
        if (counter >= rows.from) (replica.history as Map<number, unknown>).delete(counter);
    },
  };
}

/** A leader that is asked by another for its readers answers from what it knows. */
function unconfirmed(right: Protocol<Zab>): Protocol<Zab> {
  return {
    ...right,
    on: {
      ...right.on,
      sync(leader, { from, epoch, life, question }, ctx) {
        if (leader.role !== 'leading' || leader.phase !== 'broadcast') return;
        const zxid = lastZxid(leader);
        ctx.send(from, { kind: 'sync-reply', epoch, life, question, zxid });
      },
    },
  };
}

export { exhibits } from './exhibits.ts';

/** Flawed variants by name; each takes the options of the right protocol. */
export const mutants = {
  'epoch-before-history': (options) => zab(options, { isCurrentWithDiff: () => true }),

  'longest-history': (options) =>
    zab(options, { isAsGood: (one, other) => one.zxid.counter >= other.zxid.counter }),

  'zxid-alone': (options) =>
    zab(options, { isAsGood: (one, other) => reaches(one.zxid, other.zxid) }),

  'join-hole': (options) => skipping(zab(options, { isProposedTo: isSynced, follows: () => true })),

  'fifo-assumed': (options) => zab(options, { follows: () => true }),

  'old-epoch-commit': (options) => countingReported(groupOf(options, rules), zab(options)),

  'counts-before-fsync': (options) => {
    const right = zab(options);
    return {
      ...right,
      propose: (leader, command, ctx) => right.propose(leader, command, notWritten(leader, ctx)),
    };
  },

  'uncut-log': (options) => withContext(zab(options), notCut),

  'stale-leader-read': (options) => ({
    ...zab(options),
    read(leader, id, ctx) {
      if (leader.role === 'leading' && leader.phase === 'broadcast')
        ctx.allowRead(id, leader.committed - 1);
    },
  }),

  'unconfirmed-sync': (options) => unconfirmed(zab({ ...options, followerReads: true })),

  'informs-early': (options) => zab(options, { informedUpTo: lastCounter }),

  'rejoin-as-new': (options) => rejoinAsNew(zab(options)),
} satisfies Readonly<Record<string, (options: Options) => Protocol<Zab>>>;

/** The names of the mutants. */
export type Mutant = keyof typeof mutants;

/** What is wrong with each, by its name. */
export const flaws: Readonly<Record<Mutant, Flaw>> = {
  'epoch-before-history': {
    rule: 'A follower makes the epoch its current one before it has all of its history.',
    paper: 'Junqueira et al. 2011, §4.2, step f.2.1; ZOOKEEPER-3911, 4643, 4646, 4785',
    gallery: 'A-32',
  },
  'longest-history': {
    rule: 'The longest history leads and becomes that of the epoch, whatever its epoch.',
    paper: 'Junqueira et al. 2011, §4.2, step ℓ.1.2',
    gallery: 'A-33',
  },
  'zxid-alone': {
    rule: 'The last zxid alone decides who leads, and not first the epoch that is current.',
    paper: 'Junqueira et al. 2011, §4.2, step ℓ.1.2',
  },
  'join-hole': {
    rule:
      'Proposals go to followers from ACK-LD on in place of from NEWLEADER on, and nobody looks ' +
      'for the hole.',
    paper: 'Junqueira et al. 2011, §4.2, steps ℓ.3.1 and ℓ.3.4',
    gallery: 'A-34',
  },
  'fifo-assumed': {
    rule: 'A follower takes proposals as they come, over channels that keep no order.',
    paper: 'Junqueira et al. 2011, §4.2, step f.3.2',
  },
  'old-epoch-commit': {
    rule:
      'A leader commits transactions of older epochs one by one, before its own epoch is ' +
      'established.',
    paper: 'Junqueira et al. 2011, §4.2, step ℓ.2.2',
  },
  'counts-before-fsync': {
    rule: 'A leader counts itself among those that have a proposal before it is on its disk.',
    paper: 'Junqueira et al. 2011, §4.2, step ℓ.3.2',
  },
  'uncut-log': {
    rule: 'What is cut off a follower’s history stays on its disk, and is back after a restart.',
    paper: 'ZooKeeper, Learner.syncWithLeader',
  },
  'stale-leader-read': {
    rule: 'A leader answers reads without asking whether it still leads.',
    paper: 'ZooKeeper, sync',
  },
  'unconfirmed-sync': {
    rule: 'A leader answers SYNC of others without asking whether it still leads, as ZooKeeper’s.',
    paper: 'ZooKeeper, sync',
  },
  'informs-early': {
    rule: 'Observers are told of proposals as followers are, and deliver them.',
    paper: 'ZooKeeper, Leader.inform',
  },
  'rejoin-as-new': {
    rule: 'A replica that lost its disk promises and acknowledges as if it had done neither.',
    paper: 'Junqueira et al. 2011, §4.2, Table 1',
  },
};
