/**
 * Normal case: section 5.1 of the paper. The primary gives a batch the next position, and what f+1
 * members have voted for is executed: two such sets share a member, and nobody can have voted for
 * two things.
 */
import {
  acceptable,
  admit,
  type Batch,
  bytesOf,
  type Digest,
  forget,
  maxBatchBytes,
  nextFair,
  type Request,
  requestKey,
  type Signed,
} from '@quorumlab/core';
import { maySpeak, say } from './counter.ts';
import { boundaryOf, digestOf, type Group, isMember, nothing, primaryOf } from './group.ts';
import type { BatchBody, Commit, Prepare, Relay } from './messages.ts';
import { type Context, type Heard, heardOf, lowOf, ownOf, type Replica } from './state.ts';

/** A client asks. */
export function propose(replica: Replica, request: Signed<Request>, ctx: Context): void {
  const primary = primaryOf(ctx.group, replica.view);
  const known = replica.waiting.has(requestKey(request));
  if (!admit(replica, { request, since: ctx.now, counted: ctx.now, ordered: -1 })) return;
  if (known || primary === ctx.self) return;
  ctx.line('relay');
  ctx.send(primary, { kind: 'relay', requests: [request] });
}

/** A backup passes on what clients sent to it. */
export function relay(replica: Replica, message: Signed<Relay>, ctx: Context): void {
  if (!isMember(ctx.group, message.from) || !acceptable(message.requests)) return;
  if (primaryOf(ctx.group, replica.view) !== ctx.self) return;
  for (const request of message.requests)
    admit(replica, { request, since: ctx.now, counted: ctx.now, ordered: -1 });
}

/** Most bytes of batches whose prepare has not come. */
const mostBodies = 8 * maxBatchBytes;

/** A batch: it is kept, also where its prepare has not come yet; the oldest gives way. */
export function batch(replica: Replica, message: Signed<BatchBody>, ctx: Context): void {
  if (isMember(ctx.group, message.from) && acceptable(message.batch))
    keepBody(replica, digestOf(ctx.group, message.batch), message.batch, ctx);
}

/** Keeps a batch under its digest. */
function keepBody(replica: Replica, digest: Digest, body: Batch, ctx: Context): void {
  replica.asked.delete(digest);
  if (replica.bodies.has(digest)) return;
  replica.bodies.set(digest, body);
  replica.bodyBytes += bytesIn(body);
  for (const [oldest, old] of replica.bodies) {
    const isFull = replica.bodyBytes > mostBodies || replica.bodies.size > 4 * ctx.group.window;
    if (!isFull) return;
    replica.bodies.delete(oldest);
    replica.bodyBytes -= bytesIn(old);
  }
}

const bytesIn = (body: Batch): number => body.reduce((sum, each) => sum + bytesOf(each), 0);

/** The batch that `digest` stands for, if it is here. */
export function bodyOf(
  group: Group,
  replica: Replica,
  sequence: number,
  digest: Digest,
): Batch | undefined {
  const stored = replica.batches.get(sequence);
  if (stored?.digest === digest) return stored.batch;
  return replica.bodies.get(digest) ?? (digestOf(group, nothing) === digest ? nothing : undefined);
}

/** Asks all for a batch, once until the next tick. */
export function want(replica: Replica, sequence: number, digest: Digest, ctx: Context): void {
  if (replica.asked.has(digest) || replica.asked.size >= 2 * ctx.group.window) return;
  replica.asked.add(digest);
  for (const to of ctx.group.members)
    if (to !== ctx.self) ctx.send(to, { kind: 'fetch-batch', sequence, digest });
}

const keyOf = ({ view, sequence }: Prepare): string => `${view}/${sequence}`;

/** Whether `heard` may vote about `sequence` in `view`, by what it has said before. */
const mayVote = (group: Group, heard: Heard, view: number, sequence: number): boolean =>
  heard.view === view && heard.checkpoint >= boundaryOf(group, sequence);

/** ⟨PREPARE, v, m, UI⟩ in its turn: it is good if its view's primary may say it, and once. */
export function takePrepare(
  replica: Replica,
  heard: Heard,
  message: Signed<Prepare>,
  ctx: Context,
): void {
  const { group } = ctx;
  const { view, sequence, digest, from } = message;
  if (from !== primaryOf(group, view) || !heard.begun || sequence === 0) return;
  if (!mayVote(group, heard, view, sequence) || heard.prepares.has(keyOf(message))) return;
  // What members have committed to is ordered again, and below that nothing new.
  if (group.rules.carriesCommits && (heard.orders.get(sequence) ?? digest) !== digest) return;
  heard.prepares.set(keyOf(message), message);
  note(replica, heard, message, message.number);
}

/** ⟨COMMIT, v, UI, UI⟩ in its turn: a vote for a prepare that is good. */
export function takeCommit(
  replica: Replica,
  heard: Heard,
  message: Signed<Commit>,
  ctx: Context,
): void {
  const { group } = ctx;
  const { prepare, number, from } = message;
  if (prepare.from !== primaryOf(group, prepare.view) || from === prepare.from) return;
  const good = heardOf(replica, prepare.from).prepares.get(keyOf(prepare));
  if (good !== undefined && good.number === prepare.number && good.digest !== prepare.digest)
    ctx.accuse(good, prepare);
  if (good?.digest !== prepare.digest) return;
  if (mayVote(group, heard, prepare.view, prepare.sequence)) note(replica, heard, prepare, number);
}

function note(replica: Replica, heard: Heard, vote: Prepare, number: number): void {
  const { sequence, view, digest } = vote;
  if (sequence <= lowOf(replica)) return;
  const votes = heard.votes.get(sequence) ?? [];
  if (votes.some((each) => each.view === view)) return;
  votes.push({ number, view, digest });
  heard.votes.set(sequence, votes);
}

/** A backup commits to what its primary has prepared, once it has the batch. */
export function maybeCommit(replica: Replica, ctx: Context): boolean {
  const { group } = ctx;
  const { view } = replica;
  const primary = primaryOf(group, view);
  if (primary === ctx.self || !maySpeak(replica)) return false;
  const own = ownOf(replica);
  const low = lowOf(replica);
  for (const prepare of heardOf(replica, primary).prepares.values()) {
    const { sequence, digest } = prepare;
    if (prepare.view !== view || sequence <= low || sequence > low + group.window) continue;
    if (own.votes.get(sequence)?.some((each) => each.view === view)) continue;
    if (!mayVote(group, own, view, sequence)) continue;
    const body = bodyOf(group, replica, sequence, digest);
    if (body === undefined) {
      want(replica, sequence, digest, ctx);
      continue;
    }
    ctx.line('commit');
    ctx.put('batches', sequence, { digest, batch: body });
    say(replica, { kind: 'commit', prepare }, ctx);
    return true;
  }
  return false;
}

/** The primary gives out the next position: first to what has to be ordered again. */
export function maybePrepare(replica: Replica, ctx: Context): boolean {
  const { group } = ctx;
  const { view } = replica;
  if (primaryOf(group, view) !== ctx.self || !maySpeak(replica)) return false;
  const own = ownOf(replica);
  if (own.view !== view || !own.begun) return false;
  const low = lowOf(replica);
  let open = 0;
  for (let sequence = low + 1; sequence <= low + group.window; sequence++) {
    if (own.prepares.has(`${view}/${sequence}`)) {
      if (sequence > replica.lastExecuted) open += 1;
      continue;
    }
    const again = own.orders.get(sequence);
    if (again === undefined && (sequence <= replica.lastExecuted || open >= group.maxOutstanding))
      return false;
    if (!mayVote(group, own, view, sequence)) return false;
    if (again === undefined) return prepareNext(replica, sequence, ctx);
    const body = bodyOf(group, replica, sequence, again);
    if (body === undefined) {
      want(replica, sequence, again, ctx);
      return false;
    }
    return prepare(replica, sequence, body, ctx);
  }
  return false;
}

function prepareNext(replica: Replica, sequence: number, ctx: Context): boolean {
  const { view } = replica;
  const chosen = nextFair(replica, ctx.group.maxBatch, ({ ordered }) => ordered !== view);
  if (chosen.length === 0) return false;
  for (const waiting of chosen) waiting.ordered = view;
  const body = chosen.map(({ request }) => request);
  return prepare(replica, sequence, body, ctx);
}

function prepare(replica: Replica, sequence: number, body: Batch, ctx: Context): boolean {
  const { view } = replica;
  ctx.line('prepare');
  const digest = digestOf(ctx.group, body);
  ctx.put('batches', sequence, { digest, batch: body });
  ctx.broadcast({ kind: 'batch', batch: body });
  say(replica, { kind: 'prepare', view, sequence, digest }, ctx);
  return true;
}

/** Executes what f+1 have voted for, in order. */
export function maybeExecute(replica: Replica, ctx: Context): boolean {
  const sequence = replica.lastExecuted + 1;
  const found = decidedAt(replica, sequence, ctx);
  if (found === undefined) return false;
  const body = bodyOf(ctx.group, replica, sequence, found.digest);
  if (body === undefined) {
    want(replica, sequence, found.digest, ctx);
    return false;
  }
  ctx.line('execute');
  replica.lastExecuted = sequence;
  replica.viewSince = ctx.now;
  replica.attempts = 0;
  // Others may still ask for it.
  if (replica.batches.get(sequence)?.digest !== found.digest)
    ctx.put('batches', sequence, { digest: found.digest, batch: body });
  ctx.voters(found.voters);
  ctx.decide(sequence - 1, body);
  for (const request of body) forget(replica, request, ctx.now);
  return true;
}

/** What f+1 members have voted for at `sequence`, in one view. */
function decidedAt(replica: Replica, sequence: number, ctx: Context) {
  const counts = new Map<string, { digest: Digest; voters: number[] }>();
  for (const [member, { votes }] of replica.heard)
    for (const { view, digest } of votes.get(sequence) ?? []) {
      const key = `${view}/${digest}`;
      const found = counts.get(key) ?? { digest, voters: [] };
      counts.set(key, found);
      found.voters.push(member);
    }
  for (const found of counts.values()) if (found.voters.length >= ctx.group.quorum) return found;
  return undefined;
}
