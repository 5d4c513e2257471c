/**
 * How long a replica waits before it asks for another primary: sections 4.4 and 4.5.2 of the paper.
 * Time in which no primary could have helped does not count.
 */
import { type Batch, oldestCounted, type PrincipalId, requestKey } from '@quorumlab/core';
import type { Group } from './group.ts';
import { startViewChange } from './leave-view.ts';
import { demandOf } from './pace.ts';
import { type Context, countedTime, type Replica } from './state.ts';
import { isVoter, primaryOf, quorumOf } from './votes.ts';
import { highWatermark, isEnding, lowWatermark } from './watermarks.ts';

/**
 * Whether it is no fault of the primary that nothing is executed here. The log is full: its
 * checkpoint is on the way. A quorum has executed more: only the state, or batches with their
 * certificates, can help. Or this replica has just started and not heard from a quorum since.
 */
function isExcused(group: Group, replica: Replica): boolean {
  const { lastExecuted, heard } = replica;
  return (
    isFull(group, replica) ||
    lastExecuted < lowWatermark(replica) ||
    heard.size < quorumOf(group, replica)
  );
}

/**
 * Whether only a checkpoint is waited for, and everybody can do their part for it: whoever has
 * left the view executes nothing more of it, and may be the one that a quorum lacks.
 */
const isFull = (group: Group, replica: Replica): boolean =>
  group.rules.keepsWatermarks &&
  replica.active &&
  replica.viewChanges.size === 0 &&
  replica.lastExecuted >= highWatermark(group, replica);

/** Notices that time counts no longer, or again. */
export function noteExcuses(replica: Replica, ctx: Context): void {
  const excused = isExcused(ctx.group, replica);
  if (excused === (replica.excusedSince !== null)) return;
  if (replica.excusedSince !== null) replica.excused += ctx.now - replica.excusedSince;
  replica.excusedSince = excused ? ctx.now : null;
}

/** `from` has said something. */
export function noteHeard(replica: Replica, from: PrincipalId, ctx: Context): void {
  if (replica.heard.size >= quorumOf(ctx.group, replica)) return;
  if (!isVoter(ctx.group, replica, from)) return;
  replica.heard.add(from);
  noteExcuses(replica, ctx);
}

/** How long the new view may take to begin. */
export const timeoutOf = (group: Group, replica: Replica): number =>
  group.rules.timeout(group.requestTimeout, replica.attempts);

/** How long a request may wait in this view. */
const patienceOf = (group: Group, replica: Replica): number =>
  group.rules.timeout(demandOf(group, replica), replica.attempts);

/**
 * "A backup starts a timer when it receives a request and the timer is not already running." It
 * looks for the oldest wait when it fires.
 */
export function armRequestTimer(replica: Replica, ctx: Context): void {
  if (replica.requestTimer || !replica.active) return;
  if (primaryOf(replica, replica.view) === ctx.self) return;
  if (!isVoter(ctx.group, replica, ctx.self)) return;
  replica.requestTimer = true;
  ctx.setTimer('request', patienceOf(ctx.group, replica));
}

/**
 * Section 4.4: the timer is bound to the oldest wait, so a primary that does a little just before
 * every timeout is replaced all the same (gallery B-15).
 */
export function requestTimeout(replica: Replica, ctx: Context): void {
  replica.requestTimer = false;
  if (!replica.active) return;
  const oldest = oldestWait(replica);
  if (oldest === undefined) return;
  const since = Math.max(oldest, replica.viewCounted);
  const left = since + patienceOf(ctx.group, replica) - countedTime(replica, ctx.now);
  if (left <= 0 && replica.excusedSince === null) {
    ctx.line('4.4-timeout');
    return startViewChange(replica, replica.view + 1, ctx);
  }
  replica.requestTimer = true;
  ctx.setTimer(
    'request',
    replica.excusedSince === null ? left : Math.max(left, ctx.group.statusPeriod),
  );
}

/**
 * Since when a request, or an accepted batch that has not been executed, has been waiting, in
 * counted time; or the next number, where an epoch is to end.
 */
function oldestWait(replica: Replica): number | undefined {
  let oldest = oldestCounted(replica);
  if (isEnding(replica))
    oldest = Math.min(oldest ?? replica.executedCounted, replica.executedCounted);
  for (const [sequence, order] of replica.prePrepares) {
    if (sequence <= replica.lastExecuted || order.view !== replica.view) continue;
    const since = replica.progress.get(sequence)?.counted;
    if (since !== undefined && (oldest === undefined || since < oldest)) oldest = since;
  }
  return oldest;
}

/** How long the batch of `sequence` has been waited for in this view, in counted time. */
export function waited(replica: Replica, sequence: number, batch: Batch, ctx: Context): number {
  const now = countedTime(replica, ctx.now);
  let since = replica.progress.get(sequence)?.counted ?? now;
  for (const request of batch)
    since = Math.min(since, replica.waiting.get(requestKey(request))?.counted ?? now);
  return now - Math.max(since, replica.viewCounted);
}

/**
 * Section 4.5.2: a view that works takes the timeout back, but not below twice of what it takes
 * there. So a group that is slow changes views until its patience is enough, and then no more.
 */
export function calm(group: Group, replica: Replica, wait: number): void {
  const { timeout } = group.rules;
  const first = demandOf(group, replica);
  while (replica.attempts > 0 && timeout(first, replica.attempts - 1) >= 2 * wait)
    replica.attempts -= 1;
}
