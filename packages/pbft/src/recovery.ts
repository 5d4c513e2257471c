/**
 * What the paper leaves to "retransmission": replicas that miss something say where they stand, and
 * the others send them what they lack. The same reports bring a restarted replica back.
 */
import {
  acceptable,
  type Batch,
  bytesOf,
  type Digest,
  type Instant,
  maxBatchBytes,
  type ReplicaId,
  type Signed,
} from '@quorumlab/core';
import { neverAnswered } from './answered.ts';
import { batchAt, bodyOf, digestOf } from './batches.ts';
import { checkpointOf, fetchState, isCatchingUp, statusOf } from './checkpoint.ts';
import { type Group, isMember } from './group.ts';
import { startViewChange } from './leave-view.ts';
import { maybeMacBegin, maybeMacNewView, repeatAcks } from './mac-view-change.ts';
import { acquaintances } from './membership.ts';
import {
  type BatchBody,
  type Committed,
  epochsAtOnce,
  type FetchBatch,
  type Handover,
  type Message,
  type StatusReport,
} from './messages.ts';
import { watch } from './missing.ts';
import { decided, retry } from './normal-case.ts';
import { isReignOver } from './pace.ts';
import { armRequestTimer, noteExcuses } from './patience.ts';
import {
  type Context,
  countedTime,
  epochOf,
  inView,
  prepared,
  progressAt,
  type Replica,
} from './state.ts';
import { maybeBegin, maybeNewView } from './view-change.ts';
import { isVoter, primaryOf, signedByQuorum } from './votes.ts';
import { betweenWatermarks, isEnding, lowWatermark } from './watermarks.ts';

/** Most numbers one tick repeats to everybody, and most that one answer explains. */
const pushed = 16;
const answeredAtMost = 64;
/** After so many more batches a replica that catches up asks for the next ones. */
export const askedAfter = 32;

/**
 * A replica begins again with what was on its disk. One that has never run, or has lost its disk,
 * has nothing to repeat: its first report of its own accord shows the others what it lacks.
 */
export function start(replica: Replica, ctx: Context): void {
  noteExcuses(replica, ctx);
  ctx.setTimer('idle', ctx.group.statusPeriod);
  const fresh = replica.view === 0 && replica.prePrepares.size === 0 && replica.snapshot === 0;
  if (fresh && replica.stableCheckpoint === null) return;
  ctx.line('restart');
  fetchState(replica, ctx);
  replica.viewSince = ctx.now;
  replica.viewCounted = countedTime(replica, ctx.now);
  replica.checkpointSince = ctx.now;
  if (isVoter(ctx.group, replica, ctx.self))
    for (const [sequence, own] of replica.checkpoints)
      ctx.broadcast(checkpointOf(replica, sequence, own, ctx));
  if (!replica.active && replica.viewChange !== null) ctx.broadcast(replica.viewChange);
  if (!replica.active && replica.newView !== null) ctx.broadcast(replica.newView);
  for (const sequence of undecided(replica)) {
    progressAt(replica, sequence, ctx);
    // Its own votes count again once it has heard them again.
    for (const vote of ownVotes(ctx.group, replica, sequence, ctx.self)) ctx.send(ctx.self, vote);
    armRequestTimer(replica, ctx);
  }
  if (isEnding(replica)) armRequestTimer(replica, ctx);
  ctx.broadcast(statusOf(replica));
  watch(replica, ctx);
}

/** The numbers that were ordered in this view and are not executed, ascending. */
function undecided(replica: Replica): number[] {
  if (!replica.active) return [];
  return [...replica.prePrepares]
    .filter(([n, { view }]) => view === replica.view && n > replica.lastExecuted)
    .map(([n]) => n)
    .filter((n) => !replica.committed.has(n))
    .sort((one, other) => one - other);
}

/** What this replica has said about `sequence` in its view, to be said again word for word. */
function ownVotes(group: Group, replica: Replica, sequence: number, self: ReplicaId): Message[] {
  const order = replica.prePrepares.get(sequence);
  const batch = batchAt(replica, sequence);
  if (order === undefined || batch === null || !inView(replica, order.view)) return [];
  if (!isVoter(group, replica, self)) return [];
  const { view, digest } = order;
  const place = { epoch: epochOf(replica).number, view, sequence, digest };
  const votes: Message[] = [];
  if (primaryOf(replica, view) !== self) votes.push({ kind: 'prepare', ...place });
  // What a new-view orders has no pre-prepare of its own.
  else if (!replica.newView?.orders.some((each) => each.sequence === sequence))
    votes.push({ kind: 'pre-prepare', ...place, batch });
  if (prepared(replica, sequence)) votes.push({ kind: 'commit', ...place });
  return votes;
}

/**
 * With MACs: what this replica has said about `sequence` in `view`, which it may have left. Nobody
 * can show it for it, and those who stay may need it; its report has told of it.
 */
function votesIn(replica: Replica, view: number, sequence: number, ctx: Context): Message[] {
  if (!isVoter(ctx.group, replica, ctx.self)) return [];
  if (inView(replica, view)) return ownVotes(ctx.group, replica, sequence, ctx.self);
  const order = replica.prePrepares.get(sequence);
  if (order?.view !== view || batchAt(replica, sequence) === null) return [];
  const place = { epoch: epochOf(replica).number, view, sequence, digest: order.digest };
  const votes: Message[] = [];
  if (primaryOf(replica, view) !== ctx.self) votes.push({ kind: 'prepare', ...place });
  if (replica.prepared.get(sequence)?.proof.body.view === view)
    votes.push({ kind: 'commit', ...place });
  return votes;
}

/** The timer 'status': while something is missing, ask for it, but not before it is late. */
export function statusTimeout(replica: Replica, ctx: Context): void {
  const { group } = ctx;
  replica.statusTimer = false;
  const since = missingSince(group, replica);
  if (since === undefined) return;
  watch(replica, ctx);
  if (since > ctx.now - group.statusPeriod) return;
  ctx.line('status');
  if (!isCatchingUp(replica, ctx)) fetchState(replica, ctx);
  for (const sequence of undecided(replica).slice(0, pushed))
    for (const vote of ownVotes(group, replica, sequence, ctx.self)) ctx.broadcast(vote);
  if (!replica.active && replica.viewChange !== null) ctx.broadcast(replica.viewChange);
  if (replica.active && primaryOf(replica, replica.view) !== ctx.self) relayOldest(replica, ctx);
  for (const [digest, sequence] of [...replica.wanted].slice(0, pushed))
    ctx.broadcast({ kind: 'fetch-batch', sequence, digest });
  // What was asked about a view-change, or its answer, may have been lost.
  replica.asked.clear();
  if (ctx.group.mac) {
    repeatAcks(replica, ctx);
    maybeMacBegin(replica, ctx);
  } else maybeBegin(replica, ctx);
  ctx.broadcast(statusOf(replica));
}

/**
 * The timer 'idle': what a replica does not know that it lacks, it cannot miss. So each says where
 * it stands to f+1 others, each time others: whoever is behind hears of it from an honest one, also
 * where nothing is asked for any more, after a cut or a lost last message.
 */
export function idleTimeout(replica: Replica, ctx: Context): void {
  const { group } = ctx;
  ctx.setTimer('idle', group.requestTimeout);
  ctx.line('idle');
  if (isReignOver(replica, ctx)) startViewChange(replica, replica.view + 1, ctx);
  const others = acquaintances(group, replica).filter((each) => each !== ctx.self);
  for (let i = 0; i < Math.min(group.weak, others.length); i++) {
    replica.told = others.find((each) => each > replica.told) ?? (others[0] as ReplicaId);
    ctx.send(replica.told, statusOf(replica));
  }
}

/**
 * Requests that are late may have been lost on their way to the primary: a batch of them, again.
 */
function relayOldest(replica: Replica, ctx: Context): void {
  const { group } = ctx;
  const requests: Batch[number][] = [];
  let bytes = 0;
  for (const { request, since } of replica.waiting.values()) {
    bytes += bytesOf(request);
    if (since > ctx.now - group.statusPeriod || bytes > maxBatchBytes) break;
    requests.push(request);
    if (requests.length === group.maxBatch) break;
  }
  if (requests.length > 0) ctx.send(primaryOf(replica, replica.view), { kind: 'relay', requests });
}

/** Since when something has been missing here; nothing: a replica that needs nobody's help. */
function missingSince(group: Group, replica: Replica): number | undefined {
  if (!replica.active || replica.fetching > 0 || replica.wanted.size > 0) return replica.viewSince;
  if (lowWatermark(replica) > replica.lastExecuted) return replica.executedAt ?? replica.viewSince;
  if (replica.checkpoints.size > 0 || replica.behind > replica.lastExecuted)
    return replica.checkpointSince;
  let oldest = Number.POSITIVE_INFINITY;
  for (const { since } of replica.waiting.values()) {
    oldest = since;
    break;
  }
  for (const [sequence, { since, prepares, commits }] of replica.progress) {
    if (sequence <= replica.lastExecuted || replica.committed.has(sequence)) continue;
    // One liar's votes do not make a number exist.
    const votes = Math.max(prepares.votes.size, commits.votes.size);
    if (votes >= group.weak || replica.prePrepares.get(sequence)?.view === replica.view)
      oldest = Math.min(oldest, since);
  }
  // Something later is decided: there is a gap.
  for (const [sequence, { since }] of replica.committed)
    if (sequence > replica.lastExecuted) oldest = Math.min(oldest, since);
  // f+1 speak in views, or of numbers, that this replica has not reached.
  if (replica.early.size >= group.weak || replica.above.size >= group.weak)
    oldest = Math.min(oldest, replica.viewSince);
  return oldest === Number.POSITIVE_INFINITY ? undefined : oldest;
}

/** Whether it is time to answer: whoever has used the last answer gets the next one at once. */
export function mayAnswer(
  group: Group,
  replica: Replica,
  { from, executed }: Signed<StatusReport>,
  now: Instant,
): boolean {
  const last = replica.answered.get(from);
  if (last === undefined || executed >= last.executed + askedAfter) return true;
  return now - last.at >= group.statusPeriod / 2;
}

/** A replica says where it stands: send it what it lacks, once in half a period at most. */
export function status(replica: Replica, message: Signed<StatusReport>, ctx: Context): void {
  const { from, executed } = message;
  if (!isMember(ctx.group, from) || from === ctx.self) return;
  if (!mayAnswer(ctx.group, replica, message, ctx.now)) return;
  const lags = executed < lowWatermark(replica);
  replica.answered.set(from, { at: ctx.now, executed, lags, bodies: 0, proofs: 0 });
  explainEpochs(replica, message, ctx);
  const { stableCheckpoint: checkpoint, stableConfiguration: configuration } = replica;
  if (message.stable < lowWatermark(replica) && checkpoint !== null) {
    if (!ctx.group.mac) ctx.send(from, { kind: 'stable-checkpoint', checkpoint, configuration });
    // It has seen a quorum for it, so it says what it would have said of it itself.
    else if (isVoter(ctx.group, replica, ctx.self)) ctx.send(from, checkpoint.body);
  }
  if (isVoter(ctx.group, replica, ctx.self))
    for (const [sequence, own] of replica.checkpoints)
      if (sequence > message.stable) ctx.send(from, checkpointOf(replica, sequence, own, ctx));
  explainView(replica, message, ctx);
  explainDecisions(replica, message, ctx);
  repeatVotes(replica, message, ctx);
  if (message.stable > lowWatermark(replica) || message.executed > replica.lastExecuted)
    ctx.send(from, statusOf(replica));
}

/** For one in an earlier epoch: how each one after it began. */
function explainEpochs(
  replica: Replica,
  { from, epoch }: Signed<StatusReport>,
  ctx: Context,
): void {
  const handovers: Handover[] = [];
  for (let n = epoch + 1; n <= epochOf(replica).number; n++) {
    const handover = replica.handovers.get(n);
    if (handover === undefined || handovers.length === epochsAtOnce) break;
    handovers.push(handover);
  }
  if (handovers.length === 0) return;
  ctx.line('show-epochs');
  ctx.send(from, { kind: 'epochs', handovers });
}

/** For one in an older view, or still waiting for this one to begin. */
function explainView(
  replica: Replica,
  { from, epoch, view, active }: Signed<StatusReport>,
  ctx: Context,
): void {
  if (epoch !== epochOf(replica).number) return;
  if (view > replica.view || (view === replica.view && active)) return;
  if (replica.viewChange !== null && replica.viewChange.view >= view)
    ctx.send(from, replica.viewChange);
  if (replica.newView !== null && primaryOf(replica, replica.view) === ctx.self)
    ctx.send(from, replica.newView);
}

/** For one that has executed less: batches with their commit certificates. */
function explainDecisions(
  replica: Replica,
  { from, executed }: Signed<StatusReport>,
  ctx: Context,
): void {
  let bytes = 0;
  // What is below the stable checkpoint comes with the state, unless it has been kept.
  const kept = replica.archive.has(executed + 1);
  const low = kept ? executed : Math.max(executed, lowWatermark(replica));
  const last = Math.min(low + answeredAtMost, replica.lastExecuted);
  for (let n = low + 1; n <= last; n++) {
    const known = replica.committed.get(n) ?? replica.archive.get(n);
    if (known === undefined) continue;
    for (const request of known.batch) bytes += bytesOf(request);
    const { commit, batch } = known;
    if (ctx.group.mac)
      ctx.send(from, { kind: 'executed', sequence: n, digest: commit.body.digest, batch });
    else ctx.send(from, { kind: 'committed', commit, batch });
    if (bytes > maxBatchBytes) return;
  }
}

/** For one in the same view: what this replica has said about numbers that the other lacks. */
function repeatVotes(
  replica: Replica,
  { from, epoch, view, active, executed }: Signed<StatusReport>,
  ctx: Context,
): void {
  if (epoch !== epochOf(replica).number || !active) return;
  const low = Math.max(executed, lowWatermark(replica));
  if (ctx.group.mac) {
    for (let n = low + 1; n <= low + answeredAtMost; n++)
      for (const vote of votesIn(replica, view, n, ctx)) ctx.send(from, vote);
    return;
  }
  if (!inView(replica, view)) return;
  for (let n = low + 1; n <= low + answeredAtMost; n++)
    if (!replica.committed.has(n))
      for (const vote of ownVotes(ctx.group, replica, n, ctx.self)) ctx.send(from, vote);
}

/**
 * Whether the batch of `sequence` can be used: below the stable checkpoint only what is soon to be
 * executed, because the state contains the rest.
 */
export function isMissing(group: Group, replica: Replica, sequence: number): boolean {
  if (sequence <= replica.lastExecuted || replica.committed.has(sequence)) return false;
  const low = sequence <= lowWatermark(replica) ? replica.lastExecuted : lowWatermark(replica);
  return sequence <= low + group.window;
}

/** A batch with a quorum's Commits, for a replica that missed them. */
export function committed(replica: Replica, message: Signed<Committed>, ctx: Context): void {
  const { group } = ctx;
  const { commit, batch } = message;
  const { sequence, digest } = commit.body;
  if (!isMissing(group, replica, sequence)) return;
  if (!signedByQuorum(group, replica, commit) || !acceptable(batch)) return;
  if (digestOf(batch, ctx) !== digest) return;
  ctx.line('status-committed');
  replica.wanted.delete(digest);
  const before = replica.lastExecuted;
  decided(replica, commit, batch, ctx);
  const isUsed = Math.floor(before / askedAfter) < Math.floor(replica.lastExecuted / askedAfter);
  if (isUsed && isMember(group, message.from)) ctx.send(message.from, statusOf(replica));
}

/** Section 4.4: "the missing information" of a new view. */
export function fetchBatch(replica: Replica, message: Signed<FetchBatch>, ctx: Context): void {
  const { group } = ctx;
  const { from, sequence, digest } = message;
  if (!isMember(group, from) || from === ctx.self) return;
  const answered =
    replica.answered.get(from) ?? neverAnswered(group, replica.lastExecuted, ctx.now);
  // A peer needs no batch twice: a window of them, then it waits for the next report.
  if (answered.bodies >= group.window) return;
  const batch = bodyOf(replica, sequence, digest, ctx);
  if (batch === undefined) return;
  replica.answered.set(from, { ...answered, bodies: answered.bodies + 1 });
  ctx.send(from, { kind: 'batch', sequence, batch });
}

/** A batch that was asked for: its digest proves it. */
export function batch(replica: Replica, message: Signed<BatchBody>, ctx: Context): void {
  if (replica.wanted.size === 0) return;
  const digest = digestOf(message.batch, ctx);
  const sequence = replica.wanted.get(digest);
  if (sequence === undefined || !acceptable(message.batch)) return;
  ctx.line('4.4-batch');
  replica.wanted.delete(digest);
  if (replica.bodies.size < 4 * ctx.group.window) replica.bodies.set(digest, message.batch);
  useBatch(replica, sequence, { digest, batch: message.batch }, ctx);
  if (ctx.group.mac) maybeMacNewView(replica, ctx);
  else maybeNewView(replica, ctx);
}

/** Continues what waited for the batch: a Prepare for the new view, an execution. */
function useBatch(
  replica: Replica,
  sequence: number,
  { digest, batch: body }: { readonly digest: Digest; readonly batch: Batch },
  ctx: Context,
): void {
  if (!betweenWatermarks(ctx.group, replica, sequence)) return;
  const order = replica.prePrepares.get(sequence);
  const isLacking = order?.digest === digest && batchAt(replica, sequence) === null;
  if (order !== undefined && isLacking && inView(replica, order.view)) {
    const { view } = order;
    ctx.put('prePrepares', sequence, { view, digest, batch: body });
    const { number: epoch } = epochOf(replica);
    if (primaryOf(replica, view) !== ctx.self && isVoter(ctx.group, replica, ctx.self))
      ctx.broadcast({ kind: 'prepare', epoch, view, sequence, digest });
  }
  retry(replica, sequence, digest, ctx);
}
