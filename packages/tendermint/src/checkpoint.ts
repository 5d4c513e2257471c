/**
 * Truncation and state transfer. When a quorum has the same state after the same height, what was
 * decided a window below it is let go; whoever lacks that gets the state instead, checked against
 * the certificate.
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
  type ValidatorSet,
} from '@quorumlab/core';
import { type Group, isMember } from './group.ts';
import { acquaintances } from './membership.ts';
import type { Checkpoint, StableCheckpoint, StatusReport } from './messages.ts';
import { enterHeight } from './rounds.ts';
import { type Context, type Replica, stableHeight, validRoundOf } from './state.ts';
import { nameAt } from './validators.ts';
import { judgesOf, signedBy, votesAt, weigh } from './votes.ts';

/**
 * What this replica says of the state after `height`: it is of those who go on from there, so the
 * validators of the next height say it, and judge it. Nothing: this replica is none of them.
 */
export function ownCheckpoint(
  group: Group,
  replica: Replica,
  height: number,
  state: Digest,
): Checkpoint | undefined {
  if (!votesAt(group, replica, height + 1, replica.self)) return undefined;
  return { kind: 'checkpoint', height, set: nameAt(replica.validators, height + 1), state };
}

/** The application's state after `slot` is on disk: say so to all. */
export function snapshotTaken(replica: Replica, slot: Slot, state: Digest, ctx: Context): void {
  const height = slot + 1;
  if (height <= replica.snapshot) return;
  ctx.save({ snapshot: height });
  if (height % ctx.group.checkpointEvery !== 0 || height <= stableHeight(replica)) return;
  ctx.line('checkpoint');
  ctx.put('checkpoints', height, state);
  replica.checkpointSince = ctx.now;
  const own = ownCheckpoint(ctx.group, replica, height, state);
  if (own !== undefined) ctx.broadcast(own);
}

/** ⟨CHECKPOINT, h, d⟩ */
export function checkpoint(replica: Replica, message: Signed<Checkpoint>, ctx: Context): void {
  const { group } = ctx;
  const { height, from } = message;
  if (!isMember(group, from) || height % group.checkpointEvery !== 0) return;
  if (height <= stableHeight(replica)) return;
  // A window holds window / K checkpoints. One more is the latest of a sender far ahead of us.
  const most = group.window / group.checkpointEvery + 1;
  const earlier = keepLatest(replica.checkpointVotes, message, (each) => each.height, most);
  if (earlier !== undefined) return ctx.accuse(earlier, message);
  maybeStable(replica, message, ctx);
}

/** stable: a quorum has the same state after the same height. */
function maybeStable(replica: Replica, vote: Checkpoint, ctx: Context): void {
  const { group } = ctx;
  const { height, set, state } = vote;
  const power = judgesOf(group, replica, height + 1, set);
  if (power === undefined) return;
  const same = latestOf(
    replica.checkpointVotes,
    (each) => each.height === height && each.set === set && each.state === state,
  );
  const weight = weigh(power, same);
  const isDecided = height < replica.height;
  const isFar =
    height > stableHeight(replica) + group.window ||
    height >= replica.height + group.checkpointEvery;
  if (weight >= power.quorum && (isFar || isDecided)) {
    const voters = same.filter(({ from }) => power.weights.has(from));
    return adopt(replica, certify({ kind: 'checkpoint', height, set, state }, voters), ctx);
  }
  // f+1 are there, so it is true, and this replica is late. Its next report asks for the rest.
  if (weight < power.weak || isDecided || height <= replica.behind) return;
  replica.behind = height;
  replica.checkpointSince = ctx.now;
  if (isFar) for (const { from } of same) ctx.send(from, statusOf(replica));
}

/** Where this replica stands. */
export const statusOf = (replica: Replica): StatusReport => ({
  kind: 'status',
  height: replica.height,
  round: replica.round,
  validRound: validRoundOf(replica),
  stable: stableHeight(replica),
  set: (replica.validators.at(-1) as ValidatorSet).since,
});

/** Whether a certificate proves a checkpoint of this group. */
export function isCheckpoint(
  group: Group,
  replica: Replica,
  proof: Certificate<Checkpoint>,
): boolean {
  const { height, set } = proof.body;
  const power = judgesOf(group, replica, height + 1, set);
  if (height % group.checkpointEvery !== 0 || power === undefined) return false;
  return signedBy(power, proof, power.quorum);
}

/** The proof of a stable checkpoint from a replica that has let go of what came before it. */
export function stableCheckpoint(
  replica: Replica,
  message: Signed<StableCheckpoint>,
  ctx: Context,
): void {
  const { checkpoint: proof, from } = message;
  if (!isMember(ctx.group, from) || proof.body.height <= stableHeight(replica)) return;
  if (isCheckpoint(ctx.group, replica, proof)) adopt(replica, proof, ctx);
}

/** Takes the proof; gets the state if this replica does not have it. */
function adopt(replica: Replica, proof: Certificate<Checkpoint>, ctx: Context): void {
  const { height, state } = proof.body;
  const own = replica.checkpoints.get(height);
  assert(
    own === undefined || own === state,
    `the state after height ${height} is not the one that a quorum certified: ` +
      'the application is not deterministic, or its disk is damaged',
  );
  ctx.line('stable');
  ctx.save({ stableCheckpoint: proof });
  // A window more than is needed here: others may be on their way. And what led from the state on
  // this disk to the height that this replica is at, or a restart would take it back.
  const below = Math.min(replica.snapshot + 1, height - ctx.group.window + 1);
  if (below > 1) {
    ctx.drop('blocks', { below });
    ctx.drop('commits', { below });
  }
  ctx.drop('checkpoints', { below: height + 1 });
  retainLatest(replica.checkpointVotes, (each) => each.height > height);
  if (!isCatchingUp(replica, ctx)) fetchState(replica, ctx);
}

/** Whether decisions come that lead to the stable checkpoint too: quicker than the state. */
export const isCatchingUp = ({ decidedAt }: Replica, ctx: Context): boolean =>
  decidedAt !== null && ctx.now - decidedAt < ctx.group.statusPeriod;

/** Asks for the state of the stable checkpoint unless it is there. */
export function fetchState(replica: Replica, ctx: Context): void {
  const proof = replica.stableCheckpoint;
  if (proof === null || proof.body.height < replica.height) return;
  if (replica.fetching >= proof.body.height) return;
  ctx.line('state-fetch');
  replica.fetching = proof.body.height;
  // Who signed has it, and others may have it too: the more are asked, the less a liar delays.
  const holders = new Set([
    ...proof.seals.map(({ from }) => from),
    ...acquaintances(ctx.group, replica),
  ]);
  holders.delete(ctx.self);
  ctx.fetchSnapshot(proof.body.height - 1, proof.body.state, [...holders]);
}

/** The state that was asked for is in place: go on behind it. */
export function snapshotInstalled(replica: Replica, slot: Slot, ctx: Context): void {
  const height = slot + 1;
  replica.fetching = 0;
  if (height < replica.height) return fetchState(replica, ctx);
  ctx.line('state-installed');
  ctx.save({ snapshot: height });
  // What is known of earlier heights does not lead up to this one.
  ctx.drop('blocks', { below: height + 1 });
  ctx.drop('commits', { below: height + 1 });
  replica.decidedAt = ctx.now;
  // Some of what waits here is part of the state now; clients repeat the rest.
  forgetWaiting(replica);
  enterHeight(replica, height + 1, ctx);
  // Whoever has decided more sends it. If nobody can, the status timer asks for a later state.
  ctx.broadcast(statusOf(replica));
}
