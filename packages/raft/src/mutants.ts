/**
 * Raft with one rule wrong at a time, by the names of the bug gallery. They prove that the tests
 * test: each must be caught by schedules that the right one survives. Never use one in earnest.
 *
 * @packageDocumentation
 */
import type { Handlers, Protocol } from '@quorumlab/core';
import { type RaftOptions, raft } from './raft.ts';
import { lastIndex, type Raft, type RaftContext, type RaftReplica } from './state.ts';

/** `right` with each handler given a context changed by `change`. */
function withContext(
  right: Protocol<Raft>,
  change: (replica: RaftReplica, ctx: RaftContext) => RaftContext,
): Protocol<Raft> {
  const on = Object.fromEntries(
    Object.entries(right.on).map(([kind, handle]) => [
      kind,
      // Each handler still gets just the kind of message that it is made for.
      (replica: RaftReplica, message: never, ctx: RaftContext) =>
        (handle as (r: RaftReplica, m: never, c: RaftContext) => void)(
          replica,
          message,
          change(replica, ctx),
        ),
    ]),
  ) as Handlers<Raft>;
  return {
    ...right,
    on,
    timeout: (replica, timer, ctx) => right.timeout?.(replica, timer, change(replica, ctx)),
  };
}

/** The vote is kept in memory only: a restarted voter has forgotten it. */
function forgetVotes(replica: RaftReplica, ctx: RaftContext): RaftContext {
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

/** Flawed variants by name; each takes the options of the right protocol. */
export const mutants: Readonly<Record<string, (options: RaftOptions) => Protocol<Raft>>> = {
  /** Entries of older terms are committed by counting (§5.4.2, Figure 8). */
  'figure-8': (options) => raft(options, { mayCommit: () => true }),

  /** The vote is not durable, so a crash between two candidates makes two leaders (§5.2). */
  'double-vote': (options) => withContext(raft(options), forgetVotes),

  /** A follower commits entries that its leader never showed it (Figure 2, AppendEntries, 5.). */
  'commit-beyond-verified': (options) => raft(options, { verified: lastIndex }),

  /** A late AppendEntries cuts off entries that were acknowledged since (§5.3). */
  'truncate-on-stale-append': (options) => truncating(raft(options)),

  /** The longer log wins, whatever its last term (§5.4.1). */
  'vote-by-length': (options) =>
    raft(options, { upToDate: (voter, { index }) => index >= lastIndex(voter) }),

  /** Neither PreVote nor loyalty: one bad link elects for ever (thesis 9.6). */
  'no-prevote': (options) => raft({ ...options, preVote: false, checkQuorum: false }),

  /** A leader that no majority hears never makes room (thesis 6.2). */
  'no-checkquorum': (options) => raft({ ...options, checkQuorum: false }),

  /** A replica without its disk votes and acknowledges as if it had promised nothing. */
  'rejoin-as-new': (options) => rejoinAsNew(raft(options)),

  /** A new leader reads before it knows what is committed (thesis 6.4, step 1). */
  'readindex-without-noop': (options) => raft(options, { mayRead: () => true }),

  /** A leader answers reads without asking whether it still leads (§8). */
  'stale-leader-read': (options) => ({
    ...raft(options),
    read(leader, id, ctx) {
      if (leader.role === 'leader') ctx.allowRead(id, leader.commitIndex - 1);
    },
  }),
};
