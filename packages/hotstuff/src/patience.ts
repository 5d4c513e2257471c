/** How long a leader may take, and which time does not count against it. */
import { type Batch, type Instant, requestKey } from '@quorumlab/core';
import type { Group } from './group.ts';
import { type Context, highBlockOf, type Replica, stableHeight } from './state.ts';

/** Whether nobody may order requests behind the highest certified block: too many are unproven. */
export const isFull = (group: Group, replica: Replica): boolean =>
  (replica.tree.get(highBlockOf(replica))?.height ?? 0) >= stableHeight(replica) + group.window;

/** Whether the window is full, and only votes for a checkpoint that is committed make room. */
export const awaitsCheckpoint = (group: Group, replica: Replica): boolean =>
  isFull(group, replica) &&
  replica.committed.height >= stableHeight(replica) + group.checkpointEvery;

/**
 * Time as it counts against a leader: without that in which the window was full and the block of
 * its checkpoint committed here. Before that block is, it takes a leader to commit it.
 */
export const countedTime = (replica: Replica, now: Instant): number =>
  (replica.excusedSince ?? now) - replica.excused;

/**
 * Notices that time counts no longer, or again. Only a checkpoint is waited for: requests are
 * ordered again once it is stable. Or only a state helps that others have. Or this replica is back
 * from a crash and has not heard from a quorum since.
 */
export function noteExcuses(replica: Replica, ctx: Context): void {
  const lags = replica.fetching > 0 || replica.ahead !== null;
  const excused =
    awaitsCheckpoint(ctx.group, replica) || lags || replica.heard.size < replica.voters.quorum;
  if (excused === (replica.excusedSince !== null)) return;
  if (replica.excusedSince !== null) replica.excused += ctx.now - replica.excusedSince;
  replica.excusedSince = excused ? ctx.now : null;
}

/**
 * How many times longer everything may take. It doubles where so many reigns have ended without a
 * commit that honest leaders who follow each other must have been among them. It follows from views
 * alone, so replicas that agree on these agree on it, after a restart too.
 */
export function longer(
  group: Group,
  { view, committed }: Pick<Replica, 'view' | 'committed'>,
): number {
  const inARow = group.reign === 1 ? group.leadersInARow : 1;
  // A state that came may be of a later view than this replica has heard of.
  const since = Math.min(view, committed.view);
  const reigns = Math.floor(view / group.reign) - Math.floor(since / group.reign);
  // At most f leaders fail by themselves, and each spoils only a row that it is in.
  return 2 ** Math.min(Math.floor(reigns / (inARow * group.weak)), 16);
}

/**
 * How long a request may wait under this leader: grows while that does not help, and falls back no
 * further than commits have shown to be enough.
 */
export const timeoutOf = (group: Group, replica: Replica): number =>
  group.requestTimeout * Math.max(longer(group, replica), replica.patience);

/**
 * A block of `view` is about to be committed. As long as it took to get there, the next one may
 * take too: a network may be slower for good.
 */
export function keepPatience(replica: Replica, view: number, { group }: Context): void {
  const { committed } = replica;
  replica.patience = Math.max(replica.patience, longer(group, { view, committed }));
}

/** A batch that is committed in less than a quarter of a timeout shows that half would do. */
export function easePatience(replica: Replica, batch: Batch, { group, now }: Context): void {
  if (replica.patience === 1 || batch.length === 0) return;
  const since = batch.map((request) => replica.waiting.get(requestKey(request))?.counted ?? now);
  const took = countedTime(replica, now) - Math.max(replica.reignSince, Math.min(...since));
  if (4 * took < group.requestTimeout * replica.patience) replica.patience /= 2;
}
