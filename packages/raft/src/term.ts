import { assert, type Counter, type ReplicaId } from '@quorumlab/core';
import type { Group } from './group.ts';
import type { Message } from './messages.ts';
import type { Context, Raft, Replica } from './state.ts';

/** §5.1: whoever hears of a higher term adopts it, and follows without having voted in it. */
export function updateTerm(replica: Replica, term: number, ctx: Context): void {
  if (term <= replica.currentTerm) return;
  ctx.line('servers-2');
  ctx.save({ currentTerm: term, votedFor: null });
  becomeFollower(replica, null, ctx);
}

/** Follows `leader`, or nobody yet. What only a candidate or a leader knows is forgotten. */
export function becomeFollower(replica: Replica, leader: ReplicaId | null, ctx: Context): void {
  if (replica.role === 'leader') {
    ctx.clearTimer('heartbeat');
    ctx.clearTimer('check-quorum');
    setElectionTimer(ctx);
    replica.nextIndex.clear();
    replica.matchIndex.clear();
    replica.pipelines.clear();
    replica.followers = [];
    replica.catchUp = null;
    replica.transfer = null;
    replica.hasYielded = false;
    replica.asking.clear();
    ctx.clearTimer('catch-up');
    ctx.clearTimer('transfer');
    replica.uncommitted.clear();
    replica.uncommittedBytes = 0;
    // Clients ask the next leader again; this one can no longer tell how new its state is.
    replica.reads = [];
    replica.readRound = null;
    replica.roundsSent = [];
  }
  replica.role = 'follower';
  replica.leader = leader;
  replica.votes.clear();
}

/** §5.2: the host draws each timeout at random, so that split votes are rare. */
export function setElectionTimer(ctx: Context, since = 0): void {
  const { group } = ctx;
  assert(since < group.electionTimeout, 'the election timeout has passed already');
  ctx.setTimer('election', [group.electionTimeout - since, 2 * group.electionTimeout - since]);
}

/** How long ago a leader was heard, if that is less than the smallest election timeout. */
export function recentContact(
  group: Group,
  replica: Replica,
  ctx: Pick<Context, 'now'>,
): number | undefined {
  if (replica.lastContact === null) return undefined;
  const since = ctx.now - replica.lastContact;
  return since < group.electionTimeout ? since : undefined;
}

/** The highest term that a message would have its receiver take over, into its log as well. */
function highestTerm(message: Message): number {
  // A pre-vote is given for a term that nobody has begun.
  if (message.kind === 'pre-vote-reply' && message.granted) return 0;
  const term = 'term' in message ? message.term : 0;
  if (message.kind === 'append-entries') return Math.max(term, message.entries.at(-1)?.term ?? 0);
  if (message.kind === 'rejoin-reply') return Math.max(term, message.lastTerm, message.ownTerm);
  return message.kind === 'install-snapshot' ? Math.max(term, message.lastTerm) : term;
}

/** What one liar could use up. */
export const counter: Counter<Raft> = {
  name: 'term',
  said: highestTerm,
  known: ({ currentTerm }) => currentTerm,
};
