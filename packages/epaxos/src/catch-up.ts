/** How a replica learns what it has missed: from others' progress, by questions, by a snapshot. */
import type { Signed } from '@quorumlab/core';
import { tell } from './commit.ts';
import { each, isSane, runsOf } from './dependencies.ts';
import type { Group } from './group.ts';
import { isCommitted, isDropped, isSettled, isWithin, watch } from './instances.ts';
import {
  type Ask,
  type InstanceId,
  namesLimit,
  type Progress,
  type SnapshotOffer,
} from './messages.ts';
import { type Context, isPeer, othersOf, type Replica } from './state.ts';
/** Whether others have executed a checkpoint that this replica has not. */
export const isBehind = ({ cut }: Replica, checkpoints: number): boolean =>
  checkpoints > cut.checkpoints;

/** Asks `members` for these instances, and for a snapshot if they have dropped what comes next. */
export function askForInstances(
  { cut: { checkpoints } }: Replica,
  instances: readonly InstanceId[],
  members: readonly number[],
  ctx: Context,
): void {
  ctx.line('ask');
  for (const to of members)
    ctx.send(to, { kind: 'ask', checkpoints, instances: instances.slice(0, namesLimit) });
}

/** Tells all others what is committed here. */
export function sayProgress(replica: Replica, ctx: Context): void {
  const { group } = ctx;
  ctx.line('progress');
  const { cut, instances, covered } = replica;
  const known: InstanceId[] = [];
  for (const [id, { phase }] of instances)
    if (phase === 'committed' && id >= cut.below && !covered.has(id)) known.push(id);
  if (cut.checkpoints > 0) known.push(cut.checkpoint);
  const committed = runsOf(known, group.n);
  for (const to of othersOf(ctx))
    ctx.send(to, { kind: 'progress', checkpoints: cut.checkpoints, committed });
}

/** `upon receiving ⟨progress, checkpoints, what is committed⟩`. */
export function onProgress(replica: Replica, message: Signed<Progress>, ctx: Context): void {
  const { from, checkpoints } = message;
  if (!isPeer(from, ctx)) return;
  const missing = missingOf(ctx.group, replica, message);
  for (const id of missing) watch(replica, id, ctx);
  if (checkpoints > replica.cut.checkpoints + 1 || missing.length > 0)
    askForInstances(replica, missing, [from], ctx);
}

/** What another replica knows to be committed and this one does not. */
export function missingOf(group: Group, replica: Replica, { committed }: Progress): InstanceId[] {
  if (!isSane(committed)) return [];
  const missing: InstanceId[] = [];
  for (const id of each(committed, group.n))
    if (isWithin(group, replica, id) && !isSettled(replica, id) && !isCommitted(replica, id))
      missing.push(id);
  return missing;
}

/** `upon receiving ⟨ask, checkpoints, instances⟩`. */
export function onAsk(replica: Replica, message: Signed<Ask>, ctx: Context): void {
  const { from, checkpoints, instances } = message;
  if (!isPeer(from, ctx)) return;
  const isLost =
    checkpoints + 1 < replica.cut.checkpoints || instances.some((id) => isDropped(replica, id));
  if (isLost && checkpoints < replica.cut.checkpoints) offer(replica, from, ctx);
  ctx.line('answer');
  for (const id of instances) if (isCommitted(replica, id)) tell(replica, id, from, ctx);
}

/** Offers the newest snapshot, in place of what is dropped. */
export function offer({ snapshot }: Replica, to: number, ctx: Context): void {
  if (snapshot === null) return;
  ctx.line('snapshot-offer');
  const { slot, digest, cut } = snapshot;
  ctx.send(to, { kind: 'snapshot-offer', slot, checkpoints: cut.checkpoints, digest });
}

/** Whether an offer is of use: it is of a later checkpoint than the last one here. */
export const isNewOffer = (replica: Replica, { slot, checkpoints }: SnapshotOffer): boolean =>
  checkpoints > replica.cut.checkpoints && slot >= replica.slot;

/** `upon receiving ⟨snapshot-offer, slot, digest⟩`. */
export function onOffer(replica: Replica, message: Signed<SnapshotOffer>, ctx: Context): void {
  const { from, slot, digest } = message;
  if (!isPeer(from, ctx) || !isNewOffer(replica, message)) return;
  ctx.line('snapshot-fetch');
  replica.fetching = { slot, digest };
  ctx.fetchSnapshot(slot, digest, [from]);
}
