/**
 * Garbage collection: section 4.3 of the paper. When a quorum has the same state after the same
 * number, nobody needs the messages before it to prove anything any more.
 */
import {
  assert,
  type Certificate,
  type Digest,
  forgetWaiting,
  keepLatest,
  latestOf,
  retainLatest,
  type Signed,
  type Slot,
} from '@quorumlab/core';
import { putAway } from './archive.ts';
import { begin } from './begin-view.ts';
import {
  type Configuration,
  configurationField,
  configurationIn,
  type Epoch,
  epochAfter,
  frozen,
  named,
} from './epochs.ts';
import { type Group, isMember } from './group.ts';
import { acquaintances, enterEpoch } from './membership.ts';
import type {
  Checkpoint,
  Epochs,
  Handover,
  Reached as Named,
  StableCheckpoint,
  StatusReport,
} from './messages.ts';
import { watch } from './missing.ts';
import { validCheckpoint } from './new-view.ts';
import { execute, hearEarly, maybeOrder } from './normal-case.ts';
import { noteExcuses } from './patience.ts';
import { type Context, epochOf, type OwnCheckpoint, type Replica } from './state.ts';
import { accuse, certified, isVoter, quorumOf } from './votes.ts';
import { highWatermark, lowWatermark } from './watermarks.ts';

/** The application's state after `slot` is on disk: ⟨CHECKPOINT, n, d, i⟩. */
export function snapshotTaken(
  replica: Replica,
  slot: Slot,
  digest: Digest,
  state: Uint8Array | undefined,
  ctx: Context,
): void {
  const sequence = slot + 1;
  if (sequence <= replica.snapshot) return;
  const configuration = configurationIn(state);
  ctx.save({ snapshot: sequence, snapshotConfiguration: configuration });
  if (sequence % ctx.group.checkpointEvery !== 0 || sequence <= lowWatermark(replica)) return;
  sayCheckpoint(replica, sequence, { digest, configuration }, ctx);
}

function sayCheckpoint(replica: Replica, sequence: number, own: OwnCheckpoint, ctx: Context): void {
  ctx.line('4.3-checkpoint');
  ctx.put('checkpoints', sequence, own);
  replica.checkpointSince = ctx.now;
  watch(replica, ctx);
  const vote = checkpointOf(replica, sequence, own, ctx);
  if (isVoter(ctx.group, replica, ctx.self)) ctx.broadcast(vote);
  maybeStable(replica, vote, ctx);
}

/** What is said of an own checkpoint. */
export const checkpointOf = (
  replica: Replica,
  sequence: number,
  { digest, configuration }: OwnCheckpoint,
  ctx: Context,
): Checkpoint => ({
  kind: 'checkpoint',
  epoch: epochOf(replica).number,
  sequence,
  digest,
  group: groupDigest(configuration, ctx),
});

const groupDigest = (configuration: Configuration | null, { digest }: Hashing): Digest | null =>
  configuration === null ? null : digest(configurationField, configuration);

/** A host that lends its digest: a context, or what guards are given. */
type Hashing = Pick<Context, 'digest'>;

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
  else accuse(earlier, message, ctx);
}

/** stable: a quorum has the same state after the same number. */
function maybeStable(replica: Replica, vote: Checkpoint, ctx: Context): void {
  const { group } = ctx;
  const { epoch, sequence, digest } = vote;
  if (epoch !== epochOf(replica).number) return;
  const same = sameVotes(replica, vote, ctx);
  const far =
    sequence > highWatermark(group, replica) ||
    sequence > replica.lastExecuted + group.checkpointEvery;
  if (same.length >= quorumOf(group, replica) && (far || replica.lastExecuted >= sequence)) {
    const body: Checkpoint = { kind: 'checkpoint', epoch, sequence, digest, group: vote.group };
    const configuration = configurationAt(replica, body, ctx);
    if (configuration !== undefined)
      return adopt(replica, { checkpoint: certified(group, body, same), configuration }, ctx);
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

/** The votes of those who have the state that `vote` names. */
const sameVotes = (replica: Replica, vote: Checkpoint, { group }: Context): Signed<Checkpoint>[] =>
  latestOf(
    replica.checkpointVotes,
    (each) =>
      each.sequence === vote.sequence &&
      each.digest === vote.digest &&
      each.epoch === vote.epoch &&
      each.group === vote.group &&
      isVoter(group, replica, each.from),
  );

/** The configuration that `checkpoint` names, if it is here; nothing: it has to be shown. */
function configurationAt(
  replica: Replica,
  { sequence, group }: Checkpoint,
  ctx: Context,
): Configuration | null | undefined {
  const own = replica.checkpoints.get(sequence)?.configuration ?? null;
  const known = [own, named(replica.configuration), replica.stableConfiguration, null];
  return known.find((each) => groupDigest(each, ctx) === group);
}

/** What a replica says about where it stands. */
export const statusOf = (replica: Replica): StatusReport => ({
  kind: 'status',
  epoch: epochOf(replica).number,
  view: replica.view,
  active: replica.active,
  stable: lowWatermark(replica),
  executed: replica.lastExecuted,
});

/** A stable checkpoint, and the configuration that it names; null: nobody has asked for changes. */
export interface Reached {
  readonly checkpoint: Certificate<Checkpoint>;
  readonly configuration: Configuration | null;
}

/** Whether it is proven, of this epoch, and shows the configuration that it names. */
export function isShown(
  group: Group,
  replica: Replica,
  { checkpoint, configuration }: Reached,
  hashing: Hashing,
): boolean {
  return (
    validCheckpoint(group, replica, checkpoint) &&
    groupDigest(configuration, hashing) === checkpoint.body.group
  );
}

/** The proof of a stable checkpoint from a replica that has discarded what came before it. */
export function stableCheckpoint(
  replica: Replica,
  message: Signed<StableCheckpoint>,
  ctx: Context,
): void {
  if (!isMember(ctx.group, message.from)) return;
  if (message.checkpoint.body.sequence <= lowWatermark(replica)) return;
  if (!isShown(ctx.group, replica, message, ctx)) return;
  adopt(replica, message, ctx);
}

/**
 * For one in an earlier epoch: how each one after it began. The members of each sign who follows
 * them, so it does not matter who shows it.
 */
export function epochs(replica: Replica, message: Signed<Epochs>, ctx: Context): void {
  const before = epochOf(replica);
  for (const handover of message.handovers)
    if (isNextEpoch(ctx.group, replica, handover, ctx)) becomeStable(replica, handover, ctx);
  if (epochOf(replica) !== before) goOn(replica, before, ctx);
}

/** Whether it shows the epoch after the one in force. */
export function isNextEpoch(
  group: Group,
  replica: Replica,
  handover: Handover,
  hashing: Hashing,
): boolean {
  const { checkpoint, configuration } = handover;
  const { sequence, epoch } = checkpoint.body;
  const next = epochAfter(configuration, sequence);
  return (
    next.number === epoch + 1 &&
    next.after === sequence &&
    sequence > lowWatermark(replica) &&
    isShown(group, replica, handover, hashing)
  );
}

/**
 * Moves the low watermark to a proven checkpoint; gets the state if this replica does not have it.
 */
function adopt(replica: Replica, reached: Reached, ctx: Context): void {
  const before = epochOf(replica);
  becomeStable(replica, reached, ctx);
  goOn(replica, before, ctx);
}

function goOn(replica: Replica, before: Epoch, ctx: Context): void {
  if (!isCatchingUp(replica, ctx)) fetchState(replica, ctx);
  if (epochOf(replica) !== before) return begin(replica, ctx);
  maybeOrder(replica, ctx);
  hearEarly(replica, ctx);
}

/**
 * h := n: discards every message about numbers up to n, and older checkpoints. One that names
 * another epoch ends this one.
 */
export function becomeStable(
  replica: Replica,
  { checkpoint: proof, configuration }: Reached,
  ctx: Context,
): void {
  const { epoch, sequence, digest } = proof.body;
  const own = replica.checkpoints.get(sequence);
  assert(
    own === undefined || own.digest === digest,
    `the state after ${sequence} is not the one that a quorum certified: ` +
      'the application is not deterministic, or its disk is damaged',
  );
  ctx.line('4.3-stable');
  const below = sequence + 1;
  const stableConfiguration = configuration === null ? null : frozen(configuration);
  ctx.save({ stableCheckpoint: proof, stableConfiguration });
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
  if (stableConfiguration !== null && epochAfter(stableConfiguration, sequence).number > epoch)
    enterEpoch(replica, { checkpoint: proof, configuration: stableConfiguration }, ctx);
  noteExcuses(replica, ctx);
  watch(replica, ctx);
}

/** Whether batches come that lead to the stable checkpoint too: they are quicker than the state. */
export const isCatchingUp = ({ executedAt }: Replica, ctx: Context): boolean =>
  executedAt !== null && ctx.now - executedAt < ctx.group.statusPeriod;

/** Section 4.6: asks for the state of the stable checkpoint unless it is there. */
export function fetchState(replica: Replica, ctx: Context): void {
  if (ctx.group.mac) return fetchNewest(replica, ctx);
  const proof = replica.stableCheckpoint;
  if (proof === null || proof.body.sequence <= replica.lastExecuted) return;
  if (replica.fetching >= proof.body.sequence) return;
  ctx.line('4.3-fetch');
  replica.fetching = proof.body.sequence;
  // Who signed has it, and others may have it too: the more are asked, the less a liar delays.
  const holders = new Set([
    ...proof.seals.map(({ from }) => from),
    ...acquaintances(ctx.group, replica),
  ]);
  holders.delete(ctx.self);
  ctx.fetchSnapshot(proof.body.sequence - 1, proof.body.digest, [...holders]);
}

/** With MACs: the state of the newest checkpoint that f+1 have, if it is not there. */
function fetchNewest(replica: Replica, ctx: Context): void {
  let newest: Named | null = replica.stableCheckpoint?.body ?? null;
  for (const vote of latestOf(replica.checkpointVotes, () => true)) {
    if (vote.sequence <= (newest?.sequence ?? 0)) continue;
    if (sameVotes(replica, vote, ctx).length >= ctx.group.weak) newest = vote;
  }
  if (newest !== null) fetchNamed(replica, newest, ctx);
}

/** Asks for the state of a checkpoint that an honest replica has, unless it is there. */
export function fetchNamed(replica: Replica, { sequence, digest }: Named, ctx: Context): void {
  if (sequence <= replica.lastExecuted || replica.fetching >= sequence) return;
  ctx.line('4.3-fetch');
  replica.fetching = sequence;
  const holders = acquaintances(ctx.group, replica).filter((each) => each !== ctx.self);
  ctx.fetchSnapshot(sequence - 1, digest, holders);
}

/** The state that was asked for is in place: go on behind it. */
export function snapshotInstalled(
  replica: Replica,
  slot: Slot,
  digest: Digest,
  state: Uint8Array | undefined,
  ctx: Context,
): void {
  const sequence = slot + 1;
  replica.fetching = 0;
  if (sequence <= replica.lastExecuted) return fetchState(replica, ctx);
  ctx.line('4.3-installed');
  replica.lastExecuted = sequence;
  replica.executedAt = ctx.now;
  replica.configuration = configurationIn(state) ?? ctx.group.first;
  const snapshotConfiguration = named(replica.configuration);
  ctx.save({ snapshot: sequence, snapshotConfiguration });
  for (const n of replica.committed.keys()) if (n <= sequence) replica.committed.delete(n);
  // Some of what waits here is part of the state now; clients repeat the rest.
  forgetWaiting(replica);
  if (ctx.group.mac && sequence > lowWatermark(replica)) {
    // Whoever was the first to have this state had a stable checkpoint a window below it.
    ctx.drop('checkpoints', { below: Math.max(0, sequence - ctx.group.window) });
    sayCheckpoint(replica, sequence, { digest, configuration: snapshotConfiguration }, ctx);
  }
  execute(replica, ctx);
  // Whoever has executed more sends it. If nobody can, the status timer asks for a later state.
  ctx.broadcast(statusOf(replica));
  watch(replica, ctx);
}
