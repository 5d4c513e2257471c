/** How a command becomes a proposal of its epoch: step ℓ.3.1. */
import { type Request, requestKey, type Signed, uncommittedBytes } from '@quorumlab/core';
import { sendTo } from './channel.ts';
import type { Group } from './group.ts';
import { lastCounter, lastZxid } from './history.ts';
import { transactionBytes } from './messages.ts';
import type { Context, Replica, Zab } from './state.ts';

/** Whether there is room for one transaction more that is not committed. */
export const hasRoom = (group: Group, leader: Replica): boolean =>
  lastCounter(leader) - leader.committed < group.maxUncommitted;

/**
 * Whether there is room for the command, and it is not there already: a client that is tired of
 * waiting asks again, and its answer comes with the first transaction.
 */
function mayAppend(group: Group, leader: Replica, command: Zab['Command']): boolean {
  if (!hasRoom(group, leader) || leader.uncommitted.has(requestKey(command))) return false;
  return leader.uncommittedBytes + transactionBytes(command) <= uncommittedBytes;
}

/** The transaction of `command` is committed. */
export function forget(leader: Replica, command: Zab['Command'] | null): void {
  if (command === null) return;
  leader.uncommitted.delete(requestKey(command));
  leader.uncommittedBytes -= transactionBytes(command);
}

/** Appends a transaction to the history of the epoch, and proposes it to all that follow. */
export function append(leader: Replica, command: Zab['Command'] | null, ctx: Context): void {
  ctx.line('l-3-1');
  ctx.put('history', lastCounter(leader) + 1, { epoch: leader.epoch, command });
  if (command !== null) {
    leader.uncommitted.add(requestKey(command));
    leader.uncommittedBytes += transactionBytes(command);
  }
  countOwn(leader, ctx);
  for (const [follower, learner] of leader.learners)
    if (ctx.group.rules.isProposedTo(learner)) sendTo(leader, follower, ctx);
}

/**
 * The leader's own history counts only as far as it is durable. It learns that as it learns it of
 * others: by an ACK, which the journal holds back until what was written before it is on disk. One
 * such message at a time suffices, so many commands share one, as they share one sync.
 */
export function countOwn(leader: Replica, ctx: Context): void {
  if (leader.writing || (leader.acked.get(ctx.self) ?? 0) >= lastCounter(leader)) return;
  leader.writing = true;
  const { epoch, beat } = leader;
  ctx.send(ctx.self, { kind: 'ack', epoch, zxid: lastZxid(leader), beat });
}

/** A client's command. Clients of a leader that is not established ask again. */
export function propose(leader: Replica, command: Signed<Request>, ctx: Context): void {
  if (leader.role !== 'leading' || leader.phase !== 'broadcast') return;
  if (mayAppend(ctx.group, leader, command)) append(leader, command, ctx);
}
