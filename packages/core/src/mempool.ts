/** Requests that wait at a replica of a Byzantine protocol until somebody has them executed. */
import {
  maxBatchBytes,
  mempoolBytes,
  mempoolBytesOfClient,
  requestOverheadBytes,
} from './limits.ts';
import { asksForSession, type Request, request, requestBytes, signed } from './message.ts';
import type { Instant, PrincipalId, Signed } from './protocol.ts';
import { bounded, type Field, list } from './schema.ts';

/** Most requests that wait at a replica. */
export const maxWaiting = 10_000;

/** Most requests of one client that wait at a replica: one client cannot keep others out. */
export const maxWaitingOfClient = 1024;

/** What waits of somebody. */
export interface WaitingShare {
  requests: number;
  bytes: number;
}

/** What one decision orders: requests with their clients' signatures, or none. */
export type Batch = readonly Signed<Request>[];

/** The encoding of a batch of `most` requests. */
export const batchField = (most: number): Field<Batch> =>
  bounded(list(signed(request), most), maxBatchBytes + most * requestOverheadBytes);

/** How many bytes of operations `request` brings. */
export function bytesOf({ operations }: Request): number {
  let sum = 0;
  for (const operation of operations) sum += operation.length;
  return sum;
}

/** Whether each request was signed by the client whose it says it is, and all fit into a batch. */
export function acceptable(requests: Batch): boolean {
  let bytes = 0;
  for (const each of requests) {
    if (each.from !== each.client) return false;
    bytes += bytesOf(each);
  }
  return bytes <= maxBatchBytes;
}

/** A client's request that has not been executed. */
export interface WaitingRequest {
  readonly request: Signed<Request>;
  readonly since: Instant;
}

/** The requests that wait, each with what the protocol notes about it: part of a volatile state. */
export interface Mempool<W extends WaitingRequest> {
  /**
   * At most {@link maxWaiting} in {@link mempoolBytes}, and {@link maxWaitingOfClient} in
   * {@link mempoolBytesOfClient} a client; oldest first.
   */
  readonly waiting: Map<string, W>;
  readonly waitingOf: Map<PrincipalId, WaitingShare>;
  /** All of them together. */
  readonly waitingInAll: WaitingShare;
  /** The last {@link maxWaiting} executed requests, oldest first. */
  readonly executed: Set<string>;
}

/** One in which nothing waits. */
export const emptyMempool = <W extends WaitingRequest>(): Mempool<W> => ({
  waiting: new Map(),
  waitingOf: new Map(),
  waitingInAll: { requests: 0, bytes: 0 },
  executed: new Set(),
});

/**
 * Requests are told apart by client and sequence. A client that signs two under one sequence gets
 * one of them executed; which one says what was ordered, never this key (gallery B-58).
 */
export const requestKey = ({ client, sequence }: Request): string => `${client}/${sequence}`;

/**
 * Whether `waiting` is kept, now or already under its key: false if it has been executed, if
 * somebody else than its client has signed it, if no batch could hold it, or if there is no room.
 */
export function admit<W extends WaitingRequest>(mempool: Mempool<W>, waiting: W): boolean {
  const { request } = waiting;
  if (!acceptable([request])) return false;
  const key = requestKey(request);
  if (mempool.waiting.has(key)) return true;
  if (mempool.executed.has(key)) return false; // The session table of the host answers.
  const bytes = requestBytes(request);
  const ofClient = mempool.waitingOf.get(request.client) ?? { requests: 0, bytes: 0 };
  const { waitingInAll } = mempool;
  if (!hasRoom(waitingInAll, bytes, { requests: maxWaiting, bytes: mempoolBytes })) return false;
  const most = { requests: maxWaitingOfClient, bytes: mempoolBytesOfClient };
  if (!hasRoom(ofClient, bytes, most)) return false;
  mempool.waiting.set(key, waiting);
  mempool.waitingOf.set(request.client, ofClient);
  for (const share of [ofClient, waitingInAll]) {
    share.requests += 1;
    share.bytes += bytes;
  }
  return true;
}

const hasRoom = (share: WaitingShare, bytes: number, most: WaitingShare): boolean =>
  share.requests < most.requests && share.bytes + bytes <= most.bytes;

/** `request` was executed: nobody waits for it any more, and it is not admitted again. */
export function forget<W extends WaitingRequest>(mempool: Mempool<W>, request: Request): void {
  const key = requestKey(request);
  const waiting = mempool.waiting.get(key);
  if (waiting !== undefined) {
    mempool.waiting.delete(key);
    const ofClient = mempool.waitingOf.get(request.client) as WaitingShare;
    // What waited may be another request under the same key.
    const bytes = requestBytes(waiting.request);
    for (const share of [ofClient, mempool.waitingInAll]) {
      share.requests -= 1;
      share.bytes -= bytes;
    }
    if (ofClient.requests === 0) mempool.waitingOf.delete(request.client);
  }
  // It changed nothing, and no session keeps its reply: a client that missed it asks again.
  if (asksForSession(request)) return;
  mempool.executed.add(key);
  if (mempool.executed.size <= maxWaiting) return;
  for (const oldest of mempool.executed) {
    mempool.executed.delete(oldest);
    break;
  }
}

/** Nobody waits any more: what was executed came as a snapshot, and clients repeat the rest. */
export function forgetWaiting<W extends WaitingRequest>(mempool: Mempool<W>): void {
  mempool.waiting.clear();
  mempool.waitingOf.clear();
  mempool.waitingInAll.requests = 0;
  mempool.waitingInAll.bytes = 0;
}
