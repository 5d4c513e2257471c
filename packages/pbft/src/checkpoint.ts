/**
 * Garbage collection: section 4.3 of the paper. When a quorum has the same state after the same
 * number, nobody needs the messages before it to prove anything any more.
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
import { putAway } from './archive.ts';
import { isMember } from './group.ts';
import type { Checkpoint, StableCheckpoint } from './messages.ts';
import { watch } from './missing.ts';
import { validCheckpoint } from './new-view.ts';
import { execute, hearEarly, maybeOrder } from './normal-case.ts';
import { noteExcuses } from './patience.ts';
import type { Context, Replica } from './state.ts';
import { lowWatermark } from './watermarks.ts';

/** The application's state after `slot` is on disk: ⟨CHECKPOINT, n, d, i⟩. */
export function snapshotTaken(replica: Replica, slot: Slot, digest: Digest, ctx: Context): void {
  const sequence = slot + 1;
  if (sequence <= replica.snapshot) return;
  ctx.save({ snapshot: sequence });
  if (sequence % ctx.group.checkpointEvery !== 0 || sequence <= lowWatermark(replica)) return;
  ctx.line('4.3-checkpoint');
  ctx.put('checkpoints', sequence, digest);
  replica.checkpointSince = ctx.now;
  watch(replica, ctx);
  ctx.broadcast({ kind: 'checkpoint', sequence, digest });
  maybeStable(replica, { kind: 'checkpoint', sequence, digest }, ctx);
}

/** ⟨CHECKPOINT, n, d, i⟩ */
export function checkpoint(replica: Replica, message: Signed<Checkpoint>, ctx: Context): void {
  const { group } = ctx;
  const { sequence, from } = message;
  if (!isMember(group, from)) return;
  if (sequence % group.checkpointEvery !== 0 || sequence <= lowWatermark(replica)) return;
  // A window holds window / K checkpoints. One more is the latest of a sender far ahead of us.
  const most = group.window / group.checkpointEvery + 1;
  const earlier = keepLatest(replica.checkpointVotes, message, (each) => each.sequence, most);
  if (earlier === undefined) maybeStable(replica, message, ctx);
  else if (earlier.digest !== message.digest) ctx.accuse(earlier, message);
}

/** stable: a quorum has the same state after the same number. */
function maybeStable(replica: Replica, vote: Checkpoint, ctx: Context): void {
  const { group } = ctx;
  const { sequence, digest } = vote;
  const same = latestOf(
    replica.checkpointVotes,
    (each) => each.sequence === sequence && each.digest === digest,
  );
  const far =
    sequence > lowWatermark(replica) + group.window ||
    sequence > replica.lastExecuted + group.checkpointEvery;
  if (same.length >= group.quorum && (far || replica.lastExecuted >= sequence)) {
    const body: Checkpoint = { kind: 'checkpoint', sequence, digest };
    return adopt(replica, certify(body, same), ctx);
  }
  if (same.length < group.weak || replica.lastExecuted >= sequence) return;
  // f+1 are there, so it is true; we are late. The next status report asks for what we lack.
  watch(replica, ctx);
  if (sequence <= replica.behind) return;
  replica.behind = sequence;
  replica.checkpointSince = ctx.now;
  if (!far) return;
  for (const { from } of same) ctx.send(from, statusOf(replica));
}

/** What a replica says about where it stands. */
export const statusOf = (
  replica: Replica,
): { kind: 'status'; view: number; active: boolean; stable: number; executed: number } => ({
  kind: 'status',
  view: replica.view,
  active: replica.active,
  stable: lowWatermark(replica),
  executed: replica.lastExecuted,
});

/** The proof of a stable checkpoint from a replica that has discarded what came before it. */
export function stableCheckpoint(
  replica: Replica,
  message: Signed<StableCheckpoint>,
  ctx: Context,
): void {
  if (!isMember(ctx.group, message.from)) return;
  if (message.checkpoint.body.sequence <= lowWatermark(replica)) return;
  if (!validCheckpoint(ctx.group, message.checkpoint)) return;
  adopt(replica, message.checkpoint, ctx);
}

/**
 * Moves the low watermark to a proven checkpoint; gets the state if this replica does not have it.
 */
function adopt(replica: Replica, proof: Certificate<Checkpoint>, ctx: Context): void {
  becomeStable(replica, proof, ctx);
  if (!isCatchingUp(replica, ctx)) fetchState(replica, ctx);
  maybeOrder(replica, ctx);
  hearEarly(replica, ctx);
}

/** h := n: discards every message about numbers up to n, and older checkpoints. */
export function becomeStable(replica: Replica, proof: Certificate<Checkpoint>, ctx: Context): void {
  const { sequence, digest } = proof.body;
  const own = replica.checkpoints.get(sequence);
  assert(
    own === undefined || own === digest,
    `the state after ${sequence} is not the one that a quorum certified: ` +
      'the application is not deterministic, or its disk is damaged',
  );
  ctx.line('4.3-stable');
  const below = sequence + 1;
  ctx.save({ stableCheckpoint: proof });
  putAway(ctx.group, replica, sequence, ctx.now);
  ctx.drop('prePrepares', { below });
  ctx.drop('prepared', { below });
  ctx.drop('checkpoints', { below });
  for (const n of replica.progress.keys()) if (n < below) replica.progress.delete(n);
  // What is decided here and soon to be executed is as good as the state that contains it.
  const { lastExecuted } = replica;
  for (const n of replica.committed.keys())
    if (n < below && (n <= lastExecuted || n > lastExecuted + ctx.group.window))
      replica.committed.delete(n);
  for (const [wanted, n] of replica.wanted) if (n < below) replica.wanted.delete(wanted);
  replica.bodies.clear();
  for (const [key, { body }] of replica.proofs)
    if (body.sequence < below) replica.proofs.delete(key);
  replica.above.clear();
  retainLatest(replica.checkpointVotes, (each) => each.sequence >= below);
  replica.next = Math.max(replica.next, below);
  noteExcuses(replica, ctx);
  watch(replica, ctx);
}

/** Whether batches come that lead to the stable checkpoint too: they are quicker than the state. */
export const isCatchingUp = ({ executedAt }: Replica, ctx: Context): boolean =>
  executedAt !== null && ctx.now - executedAt < ctx.group.statusPeriod;

/** Section 4.6: asks for the state of the stable checkpoint unless it is there. */
export function fetchState(replica: Replica, ctx: Context): void {
  const proof = replica.stableCheckpoint;
  if (proof === null || proof.body.sequence <= replica.lastExecuted) return;
  if (replica.fetching >= proof.body.sequence) return;
  ctx.line('4.3-fetch');
  replica.fetching = proof.body.sequence;
  // Who signed has it, and others may have it too: the more are asked, the less a liar delays.
  const holders = new Set([...proof.seals.map(({ from }) => from), ...ctx.group.members]);
  holders.delete(ctx.self);
  ctx.fetchSnapshot(proof.body.sequence - 1, proof.body.digest, [...holders]);
}

/** The state that was asked for is in place: go on behind it. */
export function snapshotInstalled(replica: Replica, slot: Slot, ctx: Context): void {
  const sequence = slot + 1;
  replica.fetching = 0;
  if (sequence <= replica.lastExecuted) return fetchState(replica, ctx);
  ctx.line('4.3-installed');
  replica.lastExecuted = sequence;
  replica.executedAt = ctx.now;
  ctx.save({ snapshot: sequence });
  for (const n of replica.committed.keys()) if (n <= sequence) replica.committed.delete(n);
  // Some of what waits here is part of the state now; clients repeat the rest.
  forgetWaiting(replica);
  execute(replica, ctx);
  // Whoever has executed more sends it. If nobody can, the status timer asks for a later state.
  ctx.broadcast(statusOf(replica));
  watch(replica, ctx);
}
