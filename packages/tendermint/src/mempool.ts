/**
 * Requests that wait to be decided. Proposers take turns, so all are told of what one is asked: at
 * once while the round waits for a proposal, and otherwise beside the precommit, in one message,
 * so that the next proposer has it in time.
 */
import {
  acceptable,
  admit,
  type Batch,
  bytesOf,
  isChange,
  maxBatchBytes,
  nextFair,
  type Request,
  requestKey,
  type Signed,
} from '@quorumlab/core';
import { type Group, isMember } from './group.ts';
import { acquaintances } from './membership.ts';
import type { Relay } from './messages.ts';
import type { Context, Replica, Waiting } from './state.ts';

/** Most relays at once. The rest follows in the next height. */
const maxRelays = 4;

/** A client asks. */
export function propose(replica: Replica, request: Signed<Request>, ctx: Context): void {
  const relayed = acquaintances(ctx.group, replica).length === 1;
  if (!admit(replica, { request, since: ctx.now, counted: ctx.now, relayed })) return;
  replica.mayTell = true;
  noteChange(replica, request, ctx);
}

/** Another replica passes on what clients sent to it. */
export function relay(replica: Replica, message: Signed<Relay>, ctx: Context): void {
  if (!isMember(ctx.group, message.from) || !acceptable(message.requests)) return;
  admitAll(replica, message.requests, ctx);
}

/** Keeps what others know too: it is not passed on from here. */
export function admitAll(replica: Replica, requests: Batch, ctx: Context): void {
  for (const request of requests)
    if (admit(replica, { request, since: ctx.now, counted: ctx.now, relayed: true }))
      noteChange(replica, request, ctx);
}

function noteChange(replica: Replica, request: Request, ctx: Context): void {
  if (isChange(ctx.group, request)) replica.changesWait = true;
}

/**
 * getValue(), line 18: waiting requests in fair shares, as many as fit. A change of the group is
 * alone, and takes every other height at most.
 */
export function nextBatch(group: Group, replica: Replica): Batch {
  const { maxBatch } = group;
  if (!replica.changesWait) return taken(replica, maxBatch, () => true);
  const { waiting, height } = replica;
  const isOther = ({ request }: Waiting): boolean => !isChange(group, request);
  replica.changesWait = [...waiting.values()].some((each) => !isOther(each));
  if (height % 2 === 0 && replica.changesWait) return taken(replica, 1, (each) => !isOther(each));
  const others = taken(replica, maxBatch, isOther);
  return others.length > 0 ? others : taken(replica, 1, () => true);
}

const taken = (replica: Replica, most: number, isFree: (waiting: Waiting) => boolean): Batch =>
  nextFair(replica, most, isFree).map(({ request }) => request);

/** Tells the others of requests that came here, and of which nobody else knows. */
export function handOver(replica: Replica, ctx: Context): void {
  const { height, step, heard, round } = replica;
  if (!replica.mayTell) return;
  const isProposed = step !== 'propose' || (heard.get(round)?.proposal ?? null) !== null;
  // Once a height beside the precommit: what comes later waits for the next height.
  if (isProposed && (step !== 'precommit' || replica.handedOver === height)) return;
  if (replica.proposed?.round === round && step === 'propose') return; // Its own is on its way.
  replica.mayTell = false;
  const left = [...waitingWhere(replica, ({ relayed }) => !relayed)];
  if (isProposed) replica.handedOver = height;
  for (let i = 0; i < maxRelays && left.length > 0; i++) {
    const chosen = left.splice(0, sizeOfBatch(ctx.group, left));
    for (const waiting of chosen) waiting.relayed = true;
    ctx.line('relay');
    toOthers(
      replica,
      chosen.map(({ request }) => request),
      ctx,
    );
  }
}

/** What has waited since `until` or longer may be known to nobody else: a batch of it, again. */
export function relayOldest(replica: Replica, until: number, ctx: Context): void {
  const old = [...waitingWhere(replica, ({ since }) => since <= until)];
  const chosen = old.slice(0, sizeOfBatch(ctx.group, old));
  if (chosen.length === 0) return;
  toOthers(
    replica,
    chosen.map(({ request }) => request),
    ctx,
  );
}

function toOthers(replica: Replica, requests: Batch, ctx: Context): void {
  for (const to of acquaintances(ctx.group, replica))
    if (to !== ctx.self) ctx.send(to, { kind: 'relay', requests });
}

function* waitingWhere(
  replica: Replica,
  chosen: (waiting: Waiting) => boolean,
): Generator<Waiting, void> {
  for (const each of replica.waiting.values()) if (chosen(each)) yield each;
}

/** How many of `waiting`, from the first on, fit into one batch. */
function sizeOfBatch(group: Group, waiting: readonly Waiting[]): number {
  let bytes = 0;
  for (const [i, { request }] of waiting.entries()) {
    bytes += bytesOf(request);
    if (bytes > maxBatchBytes || i === group.maxBatch) return i;
  }
  return waiting.length;
}

/** The requests of `batch` are under way: nobody has to be told of them. */
export function noteProposed(replica: Replica, batch: Batch): void {
  for (const request of batch) {
    const waiting = replica.waiting.get(requestKey(request));
    if (waiting !== undefined) waiting.relayed = true;
  }
}
