/**
 * Truncation and state transfer. When a quorum has the same state after the same block, the blocks
 * below the last but one such are let go; whoever lacks them gets the state instead, checked
 * against the certificate.
 */
import {
  assert,
  type Certificate,
  certify,
  type Digest,
  forgetWaiting,
  keepLatest,
  latestOf,
  retainLatest,
  type Signed,
  type Slot,
} from '@quorumlab/core';
import { finalAt, isQuorum } from './chain.ts';
import { clockOf } from './epochs.ts';
import { type Group, isMember } from './group.ts';
import type { Checkpoint, ClockReport, StableCheckpoint } from './messages.ts';
import { finalizeAll } from './notarized.ts';
import { type Context, type Replica, refOf, stableHeight } from './state.ts';

/** The application's state after `slot` is on disk: say so to all. */
export function snapshotTaken(replica: Replica, slot: Slot, state: Digest, ctx: Context): void {
  const ref = finalAt(replica, slot + 1);
  if (ref === undefined || ref.height <= replica.snapshot.height) return;
  ctx.save({ snapshot: ref });
  if (ref.height % ctx.group.checkpointEvery !== 0 || ref.height <= stableHeight(replica)) return;
  ctx.line('checkpoint');
  ctx.put('checkpoints', ref.height, { ref, state });
  ctx.broadcast({ kind: 'checkpoint', ...ref, state });
}

/** ⟨CHECKPOINT, block, state⟩ */
export function checkpoint(replica: Replica, message: Signed<Checkpoint>, ctx: Context): void {
  const { kind, epoch, height, id, state, from } = message;
  if (!isMember(ctx.group, from) || height % ctx.group.checkpointEvery !== 0) return;
  if (height <= stableHeight(replica)) return;
  // A window holds window / K checkpoints. One more is the latest of a sender far ahead of us.
  const most = ctx.group.window / ctx.group.checkpointEvery + 1;
  const earlier = keepLatest(replica.checkpointVotes, message, (each) => each.height, most);
  if (earlier !== undefined) return ctx.accuse(earlier, message);
  const isSame = (each: Checkpoint): boolean =>
    each.height === height && each.epoch === epoch && each.id === id && each.state === state;
  const same = latestOf(replica.checkpointVotes, isSame);
  const isFinal = height <= replica.final.height;
  const isFar = height >= replica.final.height + ctx.group.checkpointEvery;
  // Between the two its blocks are on their way, and one's own checkpoint counts again then.
  if (same.length < ctx.group.quorum || !(isFinal || isFar)) return;
  adopt(replica, certify<Checkpoint>({ kind, epoch, height, id, state }, same), ctx);
}

/** Whether a certificate proves a checkpoint of this group. */
export const isCheckpoint = (group: Group, proof: Certificate<Checkpoint>): boolean =>
  proof.body.height % group.checkpointEvery === 0 && isQuorum(group, proof);

/** The proof of a stable checkpoint from a replica that has let go of what came before it. */
export function stableCheckpoint(
  replica: Replica,
  message: Signed<StableCheckpoint>,
  ctx: Context,
): void {
  const { checkpoint: proof, from } = message;
  if (!isMember(ctx.group, from) || proof.body.height <= stableHeight(replica)) return;
  if (isCheckpoint(ctx.group, proof)) adopt(replica, proof, ctx);
}

/** Takes the proof; gets the state if this replica does not have it. */
function adopt(replica: Replica, proof: Certificate<Checkpoint>, ctx: Context): void {
  const { height, state } = proof.body;
  const own = replica.checkpoints.get(height);
  assert(
    own === undefined || own.state === state,
    `the state after height ${height} is not the one that a quorum certified: ` +
      'the application is not deterministic, or its disk is damaged',
  );
  ctx.line('stable');
  // An interval more than is needed here: others may be on their way.
  const before = replica.stableCheckpoint?.body.epoch ?? 0;
  ctx.save({ stableCheckpoint: proof });
  letGo(replica, Math.min(before, replica.snapshot.epoch), ctx);
  ctx.drop('checkpoints', { below: height + 1 });
  retainLatest(replica.checkpointVotes, (each) => each.height > height);
  finalizeAll(replica, ctx);
  fetchState(replica, ctx);
}

/**
 * Lets go of what is of epochs before `epoch`. Not of the longest chain's end, which may be of an
 * earlier one: who forgets how long it was would vote for a shorter one, and be convicted.
 */
function letGo(replica: Replica, epoch: number, ctx: Context): void {
  const below = Math.min(epoch, replica.tip?.body.epoch ?? epoch);
  if (below <= 0) return;
  ctx.drop('blocks', { below });
  ctx.drop('notarized', { below });
}

/** Asks for the state of the stable checkpoint unless it is there. */
export function fetchState(replica: Replica, ctx: Context): void {
  const proof = replica.stableCheckpoint;
  if (proof === null || proof.body.height <= replica.final.height) return;
  if ((replica.fetching?.height ?? 0) >= proof.body.height) return;
  ctx.line('state-fetch');
  replica.fetching = refOf(proof);
  // Who signed has it, and others may have it too: the more are asked, the less a liar delays.
  const holders = new Set([...proof.seals.map(({ from }) => from), ...ctx.group.members]);
  holders.delete(ctx.self);
  ctx.fetchSnapshot(proof.body.height - 1, proof.body.state, [...holders]);
}

/** The state that was asked for is in place: go on behind its block. */
export function snapshotInstalled(replica: Replica, slot: Slot, ctx: Context): void {
  const ref = replica.fetching;
  replica.fetching = null;
  if (ref === null || ref.height !== slot + 1 || ref.height <= replica.final.height)
    return fetchState(replica, ctx);
  ctx.line('state-installed');
  ctx.save({ snapshot: ref });
  // What is known of earlier epochs does not lead up to this block.
  letGo(replica, ref.epoch, ctx);
  replica.final = ref;
  replica.lastNotarized = Math.max(replica.lastNotarized, ref.epoch);
  // Some of what waits here is part of the state now; clients repeat the rest.
  forgetWaiting(replica);
  finalizeAll(replica, ctx);
  fetchState(replica, ctx);
  ctx.broadcast(clockOf(replica));
}

/** Whether one whose stable checkpoint is at height `stable` lacks a proof, or votes for one. */
export function lacksCheckpoint(replica: Replica, stable: number): boolean {
  if (stable < stableHeight(replica)) return true;
  for (const height of replica.checkpoints.keys()) if (height > stable) return true;
  return false;
}

/** For one whose stable checkpoint is an earlier one: the proof, and own later checkpoints. */
export function explainCheckpoints(
  replica: Replica,
  { from, stable }: Signed<ClockReport>,
  ctx: Context,
): void {
  if (stable < stableHeight(replica) && replica.stableCheckpoint !== null)
    ctx.send(from, { kind: 'stable-checkpoint', checkpoint: replica.stableCheckpoint });
  for (const { ref, state } of replica.checkpoints.values())
    if (ref.height > stable) ctx.send(from, { kind: 'checkpoint', ...ref, state });
}
