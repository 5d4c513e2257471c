import { assert, type ReplicaId } from '@quorumlab/core';
import type { Group, RaftContext, RaftReplica } from './state.ts';

/** §5.1: whoever hears of a higher term adopts it, and follows without having voted in it. */
export function updateTerm(
  group: Group,
  replica: RaftReplica,
  term: number,
  ctx: RaftContext,
): void {
  if (term <= replica.currentTerm) return;
  ctx.line('servers-2');
  ctx.save({ currentTerm: term, votedFor: null });
  becomeFollower(group, replica, null, ctx);
}

/** Follows `leader`, or nobody yet. What only a candidate or a leader knows is forgotten. */
export function becomeFollower(
  group: Group,
  replica: RaftReplica,
  leader: ReplicaId | null,
  ctx: RaftContext,
): void {
  if (replica.role === 'leader') {
    ctx.clearTimer('heartbeat');
    ctx.clearTimer('check-quorum');
    setElectionTimer(group, ctx);
    replica.nextIndex.clear();
    replica.matchIndex.clear();
    replica.pipelines.clear();
    replica.uncommitted.clear();
    replica.uncommittedBytes = 0;
    // Clients ask the next leader again; this one can no longer tell how new its state is.
    replica.reads = [];
    replica.readRound = null;
  }
  replica.role = 'follower';
  replica.leader = leader;
  replica.votes.clear();
}

/** §5.2: the host draws each timeout at random, so that split votes are rare. */
export function setElectionTimer(group: Group, ctx: RaftContext, since = 0): void {
  assert(since < group.electionTimeout, 'the election timeout has passed already');
  ctx.setTimer('election', [group.electionTimeout - since, 2 * group.electionTimeout - since]);
}

/** How long ago a leader was heard, if that is less than the smallest election timeout. */
export function recentContact(
  group: Group,
  replica: RaftReplica,
  ctx: Pick<RaftContext, 'now'>,
): number | undefined {
  if (replica.lastContact === null) return undefined;
  const since = ctx.now - replica.lastContact;
  return since < group.electionTimeout ? since : undefined;
}
