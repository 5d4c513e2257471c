/**
 * Truncation and state transfer. The word of f+1 members for the state after a block, one of whom
 * is honest and has it, makes everything below it dispensable: the blocks are let go, and whoever
 * lacks them gets the state instead, checked against the certificate. The words go to the leader,
 * who hands out the certificate, so that also this costs a number of messages that is linear in n.
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
import { type Place, place } from './blocks.ts';
import { isCheckpoint } from './certificates.ts';
import { isMember, leaderOf } from './group.ts';
import { acquaintances, judgesOf, nameAt, votersNamed } from './membership.ts';
import type { Checkpoint, StableCheckpoint } from './messages.ts';
import { watch } from './missing.ts';
import { type Context, type Replica, stableHeight } from './state.ts';

/** The application's state after `slot` is on disk: say so to the leader. */
export function snapshotTaken(replica: Replica, slot: Slot, state: Digest, ctx: Context): void {
  const height = slot + 1;
  if (height <= replica.snapshot.height) return;
  const at = placeAt(replica, height);
  // It took so long to write that the group is further: on a restart the later state is fetched.
  if (at === undefined) return;
  const { view, block } = at;
  ctx.save({ snapshot: at });
  reach(replica, ctx);
  if (height % ctx.group.checkpointEvery !== 0 || height <= stableHeight(replica)) return;
  ctx.line('checkpoint');
  // It is of those who go on from here, so the validators of the next height say and judge it.
  const set = nameAt(replica, height + 1);
  const checkpoint: Checkpoint = { kind: 'checkpoint', set, height, view, block, state };
  ctx.put('checkpoints', height, checkpoint);
  replica.checkpointSince = ctx.now;
  watch(replica, ctx);
  if (isOwn(replica, checkpoint, ctx))
    ctx.send(leaderOf(ctx.group, replica, replica.view), checkpoint);
}

/** Whether this replica is one of those who say so of the state. */
export const isOwn = (replica: Replica, { set }: Checkpoint, { group, self }: Context): boolean =>
  votersNamed(group, replica, set)?.members.includes(self) === true;

/** The block at a height that is committed, unless it was let go for a later checkpoint. */
function placeAt(replica: Replica, height: number): Place | undefined {
  const hash = replica.chain.get(height);
  const node = hash === undefined ? undefined : replica.tree.get(hash);
  if (node !== undefined) return { height, view: node.view, block: node.hash };
  const stable = replica.stableCheckpoint?.body;
  assert(
    stable !== undefined && height <= stable.height,
    `the state after height ${height} was taken before its block`,
  );
  return height === stable.height ? { height, view: stable.view, block: stable.block } : undefined;
}

/** ⟨CHECKPOINT, h, b, d⟩ */
export function checkpoint(replica: Replica, message: Signed<Checkpoint>, ctx: Context): void {
  const { group } = ctx;
  const { height, from } = message;
  if (!isMember(group, from)) return;
  if (height % group.checkpointEvery !== 0 || height <= stableHeight(replica)) return;
  // Two windows hold so many; one more is the latest of a sender far ahead of us.
  const most = (2 * group.window) / group.checkpointEvery + 1;
  const earlier = keepLatest(replica.checkpointVotes, message, (each) => each.height, most);
  if (earlier === undefined) maybeStable(replica, message, ctx);
  else if (isOther(earlier, message)) ctx.accuse(earlier, message);
}

const isOther = (one: Checkpoint, two: Checkpoint): boolean =>
  one.state !== two.state || one.block !== two.block || one.set !== two.set;

/**
 * stable: f+1 members have the same state after the same block. A quorum would be too many: who
 * lacks the state votes for blocks all the same, so the chain may grow while only f+1 execute it.
 */
function maybeStable(
  replica: Replica,
  { kind, set, height, view, block, state }: Checkpoint,
  ctx: Context,
): void {
  const { group } = ctx;
  const voters = judgesOf(group, replica, height + 1, set);
  if (voters === undefined) return;
  const body: Checkpoint = { kind, set, height, view, block, state };
  const votes = latestOf(
    replica.checkpointVotes,
    (each) => each.height === height && each.view === view && !isOther(each, body),
  ).filter(({ from }) => voters.counted.includes(from));
  if (votes.length < group.weak) return;
  const proof = certify<Checkpoint>(body, votes);
  learnCheckpoint(replica, proof, ctx);
  if (leaderOf(group, replica, replica.view) !== ctx.self) return;
  for (const to of acquaintances(group, replica))
    if (to !== ctx.self) ctx.send(to, { kind: 'stable-checkpoint', checkpoint: proof });
}

/** The certificate of a checkpoint, from the leader or from one that has let go of the blocks. */
export function stableCheckpoint(
  replica: Replica,
  message: Signed<StableCheckpoint>,
  ctx: Context,
): void {
  const { group } = ctx;
  const { checkpoint: proof, from } = message;
  const { height } = proof.body;
  if (!isMember(group, from) || height <= stableHeight(replica)) return;
  if (height % group.checkpointEvery !== 0 || !isCheckpoint(group, replica, proof)) return;
  learnCheckpoint(replica, proof, ctx);
}

/** Takes the certificate at once if the state is here, and otherwise waits for blocks first. */
function learnCheckpoint(replica: Replica, proof: Certificate<Checkpoint>, ctx: Context): void {
  if (replica.snapshot.height >= proof.body.height) return becomeStable(replica, proof, ctx);
  if (replica.ahead !== null && replica.ahead.body.height >= proof.body.height) return;
  if (replica.ahead === null) replica.checkpointSince = ctx.now;
  replica.ahead = proof;
  watch(replica, ctx);
  // Blocks that are under way are quicker than a snapshot, unless there are many.
  if (proof.body.height > replica.committed.height + ctx.group.checkpointEvery) adopt(replica, ctx);
}

/** What was ahead may have been reached by now, and the application's state written. */
function reach(replica: Replica, ctx: Context): void {
  const proof = replica.ahead;
  if (proof === null || proof.body.height > replica.snapshot.height) return;
  replica.ahead = null;
  if (proof.body.height > stableHeight(replica)) becomeStable(replica, proof, ctx);
}

/** The blocks below the checkpoint do not come any more: get the state instead. */
export function adopt(replica: Replica, ctx: Context): void {
  const proof = replica.ahead;
  if (proof === null) return;
  replica.ahead = null;
  if (proof.body.height <= stableHeight(replica)) return;
  becomeStable(replica, proof, ctx);
  fetchState(replica, ctx);
}

/** Lets go of every block up to the checkpoint, and of what is on no branch behind it. */
function becomeStable(replica: Replica, proof: Certificate<Checkpoint>, ctx: Context): void {
  const { height, view, block, state } = proof.body;
  const own = replica.checkpoints.get(height);
  assert(
    own === undefined || own.state === state,
    `the state at height ${height} is not the one that f+1 members certified: ` +
      'the application is not deterministic, or its disk is damaged',
  );
  ctx.line('stable');
  const below = height + 1;
  ctx.save({ stableCheckpoint: proof });
  ctx.drop('blocks', { below: view + 1 });
  ctx.drop('checkpoints', { below });
  for (const [hash, node] of replica.tree)
    if (node.height <= height || node.view <= view) replica.tree.delete(hash);
  place(replica.tree, { height, view, block });
  replica.wanted.clear();
  replica.news = true;
  if (replica.committed.height < height) place(replica.tree, replica.committed);
  for (const at of replica.chain.keys()) if (at <= height) replica.chain.delete(at);
  retainLatest(replica.checkpointVotes, (each) => each.height > height);
}

/** Asks for the state of the stable checkpoint unless it is there. */
export function fetchState(replica: Replica, ctx: Context): void {
  const proof = replica.stableCheckpoint;
  if (proof === null || proof.body.height <= replica.committed.height) return;
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
  const proof = replica.stableCheckpoint;
  // A later state than the one that came has become stable meanwhile.
  if (height <= replica.committed.height || proof?.body.height !== height)
    return fetchState(replica, ctx);
  ctx.line('state-installed');
  const { view, block } = proof.body;
  replica.committed = { height, view, block };
  replica.announced = Math.max(replica.announced, height);
  ctx.save({ snapshot: replica.committed });
  reach(replica, ctx);
  place(replica.tree, replica.committed);
  replica.wanted.clear();
  replica.news = true;
  // Some of what waits here is part of the state now; clients repeat the rest.
  forgetWaiting(replica);
}
