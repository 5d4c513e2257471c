/**
 * Checkpoints: what the paper leaves out, so that a group runs for ever in bounded memory. A
 * checkpoint is a command that interferes with all others, so each of them is ordered before or
 * after it, on all replicas alike: at a checkpoint all have executed the same, in orders of their
 * own. There snapshots are taken, and what was executed is dropped.
 *
 * Numbers go on: an instance that is opened after checkpoint k has a higher number than all that
 * were executed before k. So whatever is not executed two checkpoints after it was opened is void,
 * which all replicas find alike, and nothing below has to be remembered.
 */
import {
  type Digest,
  decode,
  encode,
  keptBehindBytes,
  SchemaError,
  type Slot,
} from '@quorumlab/core';
import { giveBack } from './commit.ts';
import { each, runsOf } from './dependencies.ts';
import { type Group, leaderOf } from './group.ts';
import { type Cut, cut as cutField, type InstanceId, valueBytes } from './messages.ts';
import type { Context, Replica } from './state.ts';

/** Checkpoint `id` is executed. */
export function cutHere(replica: Replica, id: InstanceId, ctx: Context): void {
  ctx.line('cut');
  const { n } = ctx.group;
  const { cut: before, executed } = replica;
  const highest = Math.max(before.base, ...executed);
  const below = before.base;
  const cut: Cut = {
    checkpoints: before.checkpoints + 1,
    checkpoint: id,
    below,
    base: (Math.floor(highest / n) + 1) * n,
    done: runsOf(
      [...executed].filter((each) => each >= below),
      n,
    ),
  };
  goOnAfter(replica, cut, ctx);
  ctx.decide(replica.slot, [], undefined, { state: encode(cutField, cut) });
  replica.slot++;
  replica.cutSlot = replica.slot;
  replica.cutBytes = 0;
}

/** From now on `cut` is the last checkpoint. */
function goOnAfter(replica: Replica, cut: Cut, ctx: Context): void {
  replica.cut = cut;
  replica.covered = new Set(each(cut.done, ctx.group.n));
  for (const id of replica.covered) replica.executed.add(id);
  replica.nextOwn = Math.max(replica.nextOwn, cut.base + ctx.self);
  for (const id of replica.executed) if (id < cut.below) replica.executed.delete(id);
  for (const known of [replica.driven, replica.unresolved, replica.waitingFor])
    for (const id of known.keys()) if (id < cut.below) known.delete(id);
  for (const id of replica.own.keys())
    if (id < cut.below) {
      ctx.line('void');
      giveBack(replica, id, ctx);
    }
  // Whatever waited for what is void now has nothing to wait for.
  for (const [id, waiting] of replica.blocked)
    if (id < cut.below) {
      replica.blocked.delete(id);
      replica.ready.push(...waiting);
    }
}

/** Whether so much was executed that it is time for a checkpoint, and this replica's turn. */
export function isDue(group: Group, replica: Replica, self: number): boolean {
  const { n, snapshotEvery } = group;
  const turn = (self + n - (replica.cut.checkpoints % n)) % n;
  const late = 1 + turn / n;
  return (
    replica.slot - replica.cutSlot >= snapshotEvery * late ||
    replica.cutBytes >= keptBehindBytes * late
  );
}

/** The application's state up to `slot` is durable with this step: what led to it is dropped. */
export function snapshotTaken(
  replica: Replica,
  slot: Slot,
  digest: Digest,
  ctx: Context,
  configuration: Uint8Array | undefined,
): void {
  const cut = decodeCut(configuration);
  if (cut === undefined || slot <= (replica.snapshot?.slot ?? -1)) return;
  ctx.line('snapshot-take');
  ctx.save({ snapshot: { slot, digest, cut } });
  dropBelow(replica, cut.below, ctx);
}

function decodeCut(configuration: Uint8Array | undefined): Cut | undefined {
  if (configuration === undefined) return undefined;
  try {
    return decode(cutField, configuration);
  } catch (error) {
    // Only a liar's snapshot cannot be read; a member that trusts it has worse to fear.
    if (error instanceof SchemaError) return undefined;
    throw error;
  }
}

function dropBelow(replica: Replica, below: InstanceId, ctx: Context): void {
  for (const [id, value] of replica.values) if (id < below) replica.liveBytes -= valueBytes(value);
  ctx.drop('instances', { below });
  ctx.drop('values', { below });
}

/** The application's state is what the fetched snapshot holds, and durable with this step. */
export function snapshotInstalled(
  replica: Replica,
  slot: Slot,
  digest: Digest,
  ctx: Context,
  configuration: Uint8Array | undefined,
): void {
  replica.fetching = null;
  const cut = decodeCut(configuration);
  // It was executed meanwhile; the service does not go back behind what it has applied.
  if (cut === undefined || slot < replica.slot || cut.checkpoints <= replica.cut.checkpoints)
    return;
  ctx.line('snapshot-install');
  ctx.save({ snapshot: { slot, digest, cut } });
  dropBelow(replica, cut.below, ctx);
  goOnAfter(replica, cut, ctx);
  replica.slot = slot + 1;
  replica.cutSlot = replica.slot;
  replica.cutBytes = 0;
  for (const id of replica.covered)
    if (leaderOf(ctx.group, id) === ctx.self) replica.own.delete(id);
  // What is committed above has to be looked at from here.
  replica.ready.push(...replica.instances.keys());
}
