/**
 * Normal-case operation: section 4.2 of Castro and Liskov, "Practical Byzantine Fault Tolerance",
 * OSDI '99. A request becomes part of a batch, the primary gives the batch a number
 * (pre-prepare), a quorum agrees to the number (prepare), and a quorum knows that a quorum agreed
 * (commit): then it can be executed, because no later view can give the number away again.
 */
import {
  acceptable,
  admit,
  assert,
  type Batch,
  type Certificate,
  certify,
  type Digest,
  forget,
  isChange,
  isUnmixed,
  nextFair,
  type Request,
  requestKey,
  type Signed,
} from '@quorumlab/core';
import { batchAt, bodyOf, digestOf, nullBatch } from './batches.ts';
import { outside, tooEarly } from './early.ts';
import { isAsked, isFilled } from './filling.ts';
import { type Group, isMember } from './group.ts';
import { startViewChange } from './leave-view.ts';
import { configure } from './membership.ts';
import type { Commit, PrePrepare, Prepare, Relay } from './messages.ts';
import { want, watch } from './missing.ts';
import { notePace } from './pace.ts';
import { armRequestTimer, calm, noteExcuses, waited } from './patience.ts';
import {
  type Context,
  countedTime,
  epochOf,
  isCurrent,
  prepared,
  progressAt,
  type Replica,
  type Waiting,
} from './state.ts';
import { executeTentatively } from './tentative.ts';
import { accuse, certified, count, isVoter, primaryOf, quorumOf, votesOf } from './votes.ts';
import { betweenWatermarks, isEnding, lowWatermark } from './watermarks.ts';

/** Section 4.1: a client asks. The primary orders the request, a backup relays it and waits. */
export function propose(replica: Replica, request: Signed<Request>, ctx: Context): void {
  if (!keepWaiting(replica, request, ctx)) return;
  if (!replica.active) return; // Relayed to the next primary when its view begins.
  if (primaryOf(replica, replica.view) === ctx.self) return maybeOrder(replica, ctx);
  ctx.line('4.1-relay');
  ctx.send(primaryOf(replica, replica.view), { kind: 'relay', requests: [request] });
}

/** Section 4.1: a backup passes on what clients sent to it. */
export function relay(replica: Replica, message: Signed<Relay>, ctx: Context): void {
  if (!isMember(ctx.group, message.from) || !acceptable(message.requests)) return;
  // Only a primary takes relayed requests: so a relay is never relayed again.
  if (primaryOf(replica, replica.view) !== ctx.self) return;
  for (const request of message.requests) keepWaiting(replica, request, ctx);
  maybeOrder(replica, ctx);
}

/**
 * Whether `request` waits here, now or already; false if it has been executed or there is no room.
 */
export function keepWaiting(replica: Replica, request: Signed<Request>, ctx: Context): boolean {
  const known = replica.waiting.has(requestKey(request));
  const counted = countedTime(replica, ctx.now);
  if (!admit(replica, { request, since: ctx.now, counted, ordered: -1 })) return false;
  if (known) return true;
  if (isChange(ctx.group, request)) replica.changesWait = true;
  armRequestTimer(replica, ctx);
  watch(replica, ctx);
  return true;
}

/**
 * The primary gives out numbers while few enough batches are under way: what arrives meanwhile
 * shares the next.
 */
export function maybeOrder(replica: Replica, ctx: Context): void {
  const { group } = ctx;
  if (!replica.active || primaryOf(replica, replica.view) !== ctx.self) return;
  while (replica.next - 1 - replica.lastExecuted < group.maxOutstanding) {
    if (!betweenWatermarks(group, replica, replica.next)) return; // Waits for a checkpoint.
    const filled = isFilled(group, replica, replica.next);
    const batch = filled ? nullBatch : nextBatch(group, replica);
    if (batch.length === 0 && !(filled && isAsked(replica)) && !isEnding(replica)) return;
    order(replica, batch, ctx);
  }
}

/** What waits, in fair shares, as much as fits. A change of the group is alone in its batch. */
function nextBatch(group: Group, replica: Replica): Batch {
  const { view } = replica;
  const isFree = ({ ordered }: Waiting): boolean => ordered !== view;
  const chosen = replica.changesWait
    ? changeOrOthers(group, replica, isFree)
    : nextFair(replica, group.maxBatch, isFree);
  for (const waiting of chosen) waiting.ordered = view;
  return chosen.map(({ request }) => request);
}

/** Every other number is for what else waits: neither holds up the other. */
function changeOrOthers(
  group: Group,
  replica: Replica,
  isFree: (waiting: Waiting) => boolean,
): Waiting[] {
  const isAbout = ({ request }: Waiting): boolean => isChange(group, request);
  replica.changesWait = [...replica.waiting.values()].some(isAbout);
  const change = (): Waiting[] => nextFair(replica, 1, (each) => isFree(each) && isAbout(each));
  const others = (): Waiting[] =>
    nextFair(replica, group.maxBatch, (each) => isFree(each) && !isAbout(each));
  const [first, second] = replica.next % 2 === 0 ? [change, others] : [others, change];
  const chosen = first();
  return chosen.length > 0 ? chosen : second();
}

function order(replica: Replica, batch: Batch, ctx: Context): void {
  const { view, next: sequence } = replica;
  ctx.line('4.2-pre-prepare');
  const digest = digestOf(batch, ctx);
  replica.next += 1;
  ctx.put('prePrepares', sequence, { view, digest, batch });
  progressAt(replica, sequence, ctx);
  watch(replica, ctx);
  const epoch = epochOf(replica).number;
  ctx.broadcast({ kind: 'pre-prepare', epoch, view, sequence, digest, batch });
  maybePrepared(replica, sequence, ctx);
}

/** Whether the primary says it, as far as it is known who that is. */
export const isOfPrimary = (replica: Replica, { epoch, view, from }: Signed<PrePrepare>): boolean =>
  epoch > epochOf(replica).number || from === primaryOf(replica, view);

/** ⟨⟨PRE-PREPARE, v, n, d⟩σp, m⟩ */
export function prePrepare(replica: Replica, message: Signed<PrePrepare>, ctx: Context): void {
  const { group } = ctx;
  const { epoch, view, sequence, digest, batch, from } = message;
  if (from === ctx.self || !isOfPrimary(replica, message)) return; // Its own it has logged.
  if (tooEarly(replica, message, ctx)) return;
  if (!isCurrent(replica, message)) return; // "it is in view v"
  if (outside(replica, message, ctx)) return; // "n is between h and H"
  const logged = replica.prePrepares.get(sequence);
  if (logged?.view === view && !group.rules.acceptsSecondPrePrepare) {
    // "it has not accepted a pre-prepare for view v and n containing a different digest"
    if (logged.digest !== digest) return badPrimary(replica, message, ctx);
    if (batchAt(replica, sequence) !== null) return;
  }
  if (batch.length > 0 && isFilled(group, replica, sequence)) return; // See `filling.ts`.
  // "the signatures are correct": the host checked them; "d is the digest for m".
  if (!acceptable(batch) || digestOf(batch, ctx) !== digest) return;
  if (!isUnmixed(group, batch)) return;
  ctx.line('4.2-prepare');
  ctx.put('prePrepares', sequence, { view, digest, batch });
  progressAt(replica, sequence, ctx).prePrepare = message;
  armRequestTimer(replica, ctx);
  watch(replica, ctx);
  if (isVoter(group, replica, ctx.self))
    ctx.broadcast({ kind: 'prepare', epoch, view, sequence, digest });
  maybePrepared(replica, sequence, ctx);
}

/** Two batches under one number: proof against the primary, and reason enough to leave its view. */
function badPrimary(replica: Replica, message: Signed<PrePrepare>, ctx: Context): void {
  const first = replica.progress.get(message.sequence)?.prePrepare ?? replica.enteredBy;
  if (first !== null && first !== undefined) accuse(first, message, ctx);
  startViewChange(replica, replica.view + 1, ctx);
}

/** ⟨PREPARE, v, n, d, i⟩ */
export function prepare(replica: Replica, message: Signed<Prepare>, ctx: Context): void {
  const { group } = ctx;
  const { view, sequence, from } = message;
  if (tooEarly(replica, message, ctx)) return;
  if (!isCurrent(replica, message)) return; // "their view number equals the replica's current view"
  // Only backups prepare.
  if (!isVoter(group, replica, from) || from === primaryOf(replica, view)) return;
  if (outside(replica, message, ctx)) return;
  if (finished(replica, sequence)) return;
  const { prepares } = progressAt(replica, sequence, ctx);
  if (count(prepares, message, ctx)) maybePrepared(replica, sequence, ctx);
}

function maybePrepared(replica: Replica, sequence: number, ctx: Context): void {
  const { group } = ctx;
  const logged = replica.prePrepares.get(sequence);
  const batch = batchAt(replica, sequence);
  if (logged === undefined || logged.view !== replica.view || batch === null) return;
  if (prepared(replica, sequence)) return;
  const { view, digest } = logged;
  const matching = votesOf(group, progressAt(replica, sequence, ctx).prepares, digest);
  if (matching.length < quorumOf(group, replica) - 1) return;
  ctx.line('4.2-commit');
  const place = { epoch: epochOf(replica).number, view, sequence, digest };
  const proof = certified<Prepare>(group, { kind: 'prepare', ...place }, matching);
  ctx.put('prepared', sequence, { proof, batch });
  const commit: Commit = { kind: 'commit', ...place };
  if (isVoter(group, replica, ctx.self)) ctx.broadcast(commit);
  if (group.rules.executesWhenPrepared && sequence > replica.lastExecuted) {
    return decided(replica, { body: commit, seals: [] }, batch, ctx);
  }
  maybeCommitted(replica, sequence, digest, ctx);
  executeTentatively(replica, ctx);
}

/** ⟨COMMIT, v, n, D(m), i⟩ */
export function commit(replica: Replica, message: Signed<Commit>, ctx: Context): void {
  const { sequence, digest, from } = message;
  if (tooEarly(replica, message, ctx)) return;
  if (!isCurrent(replica, message)) return; // "the view number equals the replica's current view"
  if (!isVoter(ctx.group, replica, from)) return;
  if (outside(replica, message, ctx)) return; // "between h and H"
  if (finished(replica, sequence)) return;
  const { commits } = progressAt(replica, sequence, ctx);
  if (count(commits, message, ctx)) maybeCommitted(replica, sequence, digest, ctx);
}

/**
 * committed-local(m, v, n, i): a quorum's Commits. The paper also asks for prepared(m, v, n, i); a
 * replica that the primary left out takes the quorum's word, f+1 honest members of which are
 * prepared, and gets the batch from them (gallery B-16a).
 */
function maybeCommitted(replica: Replica, sequence: number, voted: Digest, ctx: Context): void {
  const { group } = ctx;
  if (sequence <= replica.lastExecuted || replica.committed.has(sequence)) {
    if (finished(replica, sequence)) replica.progress.delete(sequence);
    return;
  }
  const matching = votesOf(group, progressAt(replica, sequence, ctx).commits, voted);
  if (matching.length < quorumOf(group, replica)) return;
  const digest = group.rules.executes(replica.prePrepares.get(sequence)?.digest, voted);
  const batch = bodyOf(replica, sequence, digest, ctx);
  if (batch === undefined) {
    const holders = matching.map(({ from }) => from);
    return want(replica, { sequence, digest }, holders, ctx);
  }
  ctx.line('4.2-committed-local');
  const { view } = replica;
  const epoch = epochOf(replica).number;
  const body: Commit = { kind: 'commit', epoch, view, sequence, digest };
  decided(replica, certify(body, matching), batch, ctx);
}

/** The batch of `digest` has come: what waited for it at `sequence` goes on. */
export function retry(replica: Replica, sequence: number, digest: Digest, ctx: Context): void {
  if (!replica.active) return;
  maybePrepared(replica, sequence, ctx);
  maybeCommitted(replica, sequence, digest, ctx);
}

/** Whether nothing about `sequence` is left to do in this view: its votes can be let go. */
const finished = (replica: Replica, sequence: number): boolean =>
  replica.committed.has(sequence) && prepared(replica, sequence);

/** Logs what a quorum committed and executes everything that is next in order. */
export function decided(
  replica: Replica,
  proof: Certificate<Commit>,
  batch: Batch,
  ctx: Context,
): void {
  const { sequence, view } = proof.body;
  assert(sequence > replica.lastExecuted, 'a number is decided once');
  replica.committed.set(sequence, { since: ctx.now, commit: proof, batch });
  watch(replica, ctx);
  if (isCurrent(replica, proof.body) && replica.prePrepares.get(sequence)?.view === view) {
    const wait = waited(replica, sequence, batch, ctx);
    notePace(ctx.group, replica, wait);
    calm(ctx.group, replica, wait);
  }
  if (finished(replica, sequence)) replica.progress.delete(sequence);
  execute(replica, ctx);
}

/** "after executing all requests with lower sequence numbers" */
export function execute(replica: Replica, ctx: Context): void {
  for (;;) {
    const next = replica.committed.get(replica.lastExecuted + 1);
    if (next === undefined) break;
    replica.lastExecuted += 1;
    replica.executedAt = ctx.now;
    replica.executedCounted = countedTime(replica, ctx.now);
    ctx.line('4.2-execute');
    ctx.voters(next.commit.seals.map(({ from }) => from));
    const batch = ctx.group.rules.executesLocalCopy
      ? next.batch.map((each) => replica.waiting.get(requestKey(each))?.request ?? each)
      : next.batch;
    const configured = configure(replica, replica.lastExecuted, batch, ctx);
    const proof = ctx.group.mac ? undefined : next.commit;
    ctx.decide(replica.lastExecuted - 1, batch, proof, configured);
    const now = countedTime(replica, ctx.now);
    for (const request of next.batch) forget(replica, request, now);
    // What is agreed on again after a restart was ordered long ago, so any progress will do.
    if (ctx.group.rules.progressRestartsTimer || replica.lastExecuted <= replica.logged)
      replica.viewCounted = countedTime(replica, ctx.now);
    // The stable checkpoint has gone on without this replica: nobody needs the proof from it.
    if (replica.lastExecuted <= lowWatermark(replica))
      replica.committed.delete(replica.lastExecuted);
  }
  executeTentatively(replica, ctx);
  noteExcuses(replica, ctx);
  if (isEnding(replica)) armRequestTimer(replica, ctx);
  maybeOrder(replica, ctx);
}

/** What came before its time is heard again: its view has begun, or the watermarks have moved. */
export function hearEarly(replica: Replica, ctx: Context): void {
  const early = [...replica.early.values()].flat();
  replica.early.clear();
  for (const message of early) {
    if (message.epoch === epochOf(replica).number && message.view < replica.view) continue;
    if (message.kind === 'pre-prepare') prePrepare(replica, message, ctx);
    else if (message.kind === 'prepare') prepare(replica, message, ctx);
    else commit(replica, message, ctx);
  }
}
