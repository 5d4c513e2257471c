/** Who leads, who follows, and when one becomes the other. */
import { assert, type ReplicaId } from '@quorumlab/core';
import type { Group } from './group.ts';
import type { Context, Replica } from './state.ts';

/** Rule 1: the host draws each timeout at random, so that candidates seldom meet. */
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
  // A lease that was granted lasts, whatever else was heard since.
  if (replica.leader === null && group.leaseLength === 0) return undefined;
  const since = ctx.now - replica.lastContact;
  return since < group.electionTimeout ? since : undefined;
}

/** Rule 6: its ballot has no future. What only a candidate or a leader knows is forgotten. */
export function stepDown(replica: Replica, ctx: Context): void {
  if (replica.ballot === 0) return;
  if (replica.role === 'leader') {
    ctx.line('step-down');
    ctx.clearTimer('heartbeat');
    ctx.clearTimer('check-quorum');
    setElectionTimer(ctx);
    replica.leader = null;
  }
  replica.role = 'follower';
  forgetBallot(replica);
}

/** Empties everything that belongs to an own ballot. Clients ask the next leader again. */
export function forgetBallot(replica: Replica): void {
  replica.ballot = 0;
  replica.asked.clear();
  replica.promises.clear();
  replica.reported.clear();
  replica.recoverTo = -1;
  replica.knownTo = 0;
  replica.prepared = null;
  replica.nextSlot = 0;
  replica.open.clear();
  replica.waiting = [];
  replica.waitingKeys.clear();
  replica.waitingBytes = 0;
  replica.round = 0;
  replica.contacts.clear();
  replica.roundsSent = [];
  // A replica that no longer leads can no longer tell how new its state is.
  replica.reads = [];
  replica.readRound = null;
}

/** `from` leads the ballot that this replica has promised. */
export function follow(replica: Replica, from: ReplicaId, ctx: Context): void {
  replica.leader = from;
  replica.lastContact = ctx.now;
}
