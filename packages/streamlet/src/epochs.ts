/**
 * Epochs without a clock that all share: one ends where a block of it is notarized, or where a
 * quorum says that its time is over.
 */
import { isBusy } from './chain.ts';
import type { Group } from './group.ts';
import { relayOldest } from './mempool.ts';
import type { ClockReport } from './messages.ts';
import {
  type Context,
  maxEpochsAhead,
  maxEpochsBehind,
  type Replica,
  stableHeight,
} from './state.ts';

/** Whether what is said of `epoch` may be remembered. */
export const isNear = (group: Group, replica: Replica, epoch: number): boolean =>
  epoch >= replica.epoch - maxEpochsBehind &&
  (!group.rules.boundsEpochs || epoch <= replica.epoch + maxEpochsAhead);

/** The epoch that `count` members say is over, with all before it. */
function overFor({ over }: Replica, count: number): number {
  let latest = 0;
  for (const epoch of over.values())
    if (epoch > latest && saysOver(over, epoch) >= count) latest = epoch;
  return latest;
}

/** How many members say that `epoch` is over, or a later one. */
function saysOver(over: Replica['over'], epoch: number): number {
  let count = 0;
  for (const each of over.values()) if (each >= epoch) count++;
  return count;
}

/** The next epoch begins, or the latest of which this replica has heard that it has begun. */
export function maybeEnter(replica: Replica, ctx: Context): boolean {
  const next = Math.max(replica.lastNotarized, overFor(replica, ctx.group.quorum)) + 1;
  if (next <= replica.epoch) return false;
  ctx.line('epoch');
  replica.epoch = next;
  replica.ticking = false;
  ctx.clearTimer('epoch');
  ctx.clearTimer('repeat');
  for (const old of replica.heard.keys())
    if (old < next - maxEpochsBehind) replica.heard.delete(old);
  return true;
}

/** A lost message is said again so often that a few of them fit into an epoch. */
export const repeatAfter = ({ epochTime }: Group): number => Math.ceil(epochTime / 4);

/** One honest member's epoch is over: so will everybody's be. */
export function maybeJoin(replica: Replica, ctx: Context): boolean {
  const over = overFor(replica, ctx.group.rules.joinsAt(ctx.group.f));
  if (over < replica.epoch || (replica.over.get(ctx.self) ?? 0) >= over) return false;
  ctx.line('join');
  sayOver(replica, over, ctx);
  return true;
}

/** Its time is over: say so, and again until a quorum has said it. */
export function epochTimeout(replica: Replica, ctx: Context): void {
  if (!replica.ticking) return;
  replica.ticking = false;
  if (!isBusy(replica)) return;
  ctx.line('over');
  relayOldest(replica, ctx);
  sayOver(replica, Math.max(replica.epoch, replica.over.get(ctx.self) ?? 0), ctx);
}

function sayOver(replica: Replica, over: number, ctx: Context): void {
  replica.over.set(ctx.self, over);
  ctx.broadcast(clockOf(replica));
}

/** Where this replica stands. */
export const clockOf = (replica: Replica): ClockReport => ({
  kind: 'clock',
  over: Math.max(replica.over.get(replica.self) ?? 0, replica.epoch - 1),
  final: replica.final.height,
  stable: stableHeight(replica),
  tip: replica.tip,
});

/** While anything waits to become final, epochs end. */
export function maybeTick(replica: Replica, ctx: Context): boolean {
  if (replica.ticking || !isBusy(replica)) return false;
  replica.ticking = true;
  const behind = replica.epoch - replica.final.epoch;
  ctx.setTimer('epoch', ctx.group.rules.epochTime(ctx.group.epochTime, behind));
  ctx.setTimer('repeat', repeatAfter(ctx.group));
  return true;
}
