/**
 * Phase 0: how the search for a leader begins. Whoever loses its leader, or leads no more, begins a
 * round; `election.ts` has how it ends.
 */
import { maxInteger, type ReplicaId } from '@quorumlab/core';
import { ownCredentials } from './credentials.ts';
import type { Notification } from './messages.ts';
import type { Context, Replica, Vote } from './state.ts';

/** Safety does not need rounds: at the largest number of the wire they stay what they are. */
const nextRound = ({ round }: Replica): number => Math.min(round + 1, maxInteger);

/** What it nominates unless it hears better: itself. */
export const ownVote = (replica: Replica, self: ReplicaId): Vote => ({
  leader: self,
  ...ownCredentials(replica),
});

/** What it says to those that look. */
export function notification({ role, round, vote }: Replica): Notification {
  const { leader, currentEpoch, zxid } = vote;
  return { kind: 'notification', state: role, round, leader, currentEpoch, zxid };
}

/** Tells all others whom it nominates; an observer asks them whom to follow. */
export function notifyAll(replica: Replica, ctx: Context): void {
  const message = notification(replica);
  for (const member of ctx.group.voters) if (member !== ctx.self) ctx.send(member, message);
}

/** It has no leader, and leads nobody: it nominates itself. */
export function look(replica: Replica, ctx: Context): void {
  ctx.line('look');
  leave(replica, ctx);
  replica.role = 'looking';
  replica.phase = 'election';
  replica.round = nextRound(replica);
  replica.vote = ownVote(replica, ctx.self);
  replica.votes.clear();
  replica.votes.set(ctx.self, replica.vote);
  replica.settled.clear();
  ctx.setTimer('election', 2 * ctx.group.heartbeat);
  notifyAll(replica, ctx);
}

/** Forgets what only a leader or a follower knows. */
function leave(replica: Replica, ctx: Context): void {
  for (const timer of ['grace', 'join', 'ping', 'quorum'] as const) ctx.clearTimer(timer);
  replica.leader = null;
  replica.epoch = 0;
  replica.beat = 0;
  replica.committed = replica.delivered;
  replica.early.clear();
  replica.epochs.clear();
  replica.promises.clear();
  replica.synced.clear();
  replica.acked.clear();
  replica.learners.clear();
  replica.uncommitted.clear();
  replica.uncommittedBytes = 0;
  replica.writing = false;
  // Clients ask the next leader again; this one can no longer tell how new its state is.
  replica.reads = [];
  replica.asking.clear();
  replica.syncing = null;
  replica.unasked = [];
  replica.question = null;
}
