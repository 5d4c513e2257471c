/** Requests that wait at a replica of a Byzantine protocol until somebody has them executed. */
import {
  maxBatchBytes,
  mempoolBytes,
  mempoolBytesOfClient,
  placeBytes,
  requestOverheadBytes,
} from './limits.ts';
import { signed } from './message.ts';
import { asksForSession, bytesOf, type Request, request, requestBytes } from './request.ts';
import { bounded, type Field, list } from './schema.ts';
import type { Instant, PrincipalId, Signed } from './vocabulary.ts';

/** Most requests that wait at a replica. */
export const maxWaiting = 10_000;

/**
 * Most requests of one client that wait at a replica. An honest one has a few under way, each with
 * many operations; one that has more in line makes each batch longer that others wait for.
 */
export const maxWaitingOfClient = 64;

/** What waits of somebody. */
export interface WaitingShare {
  requests: number;
  bytes: number;
}

/** What waits of one client. */
export interface ClientShare extends WaitingShare {
  readonly keys: Set<string>;
  /** What it has had of batches, on a scale that it shares with the others: see `fair.ts`. */
  served: number;
}

/** What one decision orders: requests with their clients' signatures, or none. */
export type Batch = readonly Signed<Request>[];

/** The encoding of a batch of `most` requests. */
export const batchField = (most: number): Field<Batch> =>
  bounded(list(signed(request), most), maxBatchBytes + most * requestOverheadBytes);

const sizes = new WeakMap<Batch, number>();

/** Fewer operations are counted faster than they are looked up, and cost no collector anything. */
const fewOperations = 8;

/** At least the bytes that `batch` takes when it is encoded: remembered as long as the batch is. */
export function batchSize(batch: Batch): number {
  const [first] = batch;
  if (first === undefined) return 0;
  if (batch.length === 1 && first.operations.length < fewOperations) return requestBytes(first);
  let size = sizes.get(batch);
  if (size === undefined) {
    size = 0;
    for (const each of batch) size += requestBytes(each);
    sizes.set(batch, size);
  }
  return size;
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
  /**
   * Since when it counts against whoever should order it, on the clock of its protocol: since it
   * came, or since an earlier one of its client was executed, whose turn came first.
   */
  counted: number;
}

/** The requests that wait, each with what the protocol notes about it: part of a volatile state. */
export interface Mempool<W extends WaitingRequest> {
  /**
   * At most {@link maxWaiting} in {@link mempoolBytes}, and {@link maxWaitingOfClient} in
   * {@link mempoolBytesOfClient} a client; oldest first.
   */
  readonly waiting: Map<string, W>;
  readonly waitingOf: Map<PrincipalId, ClientShare>;
  /** All of them together. */
  readonly waitingInAll: WaitingShare;
  /** What whoever was served last had been served before: where a client begins that is new. */
  served: number;
  /** The last {@link maxWaiting} executed requests, oldest first. */
  readonly executed: Set<string>;
}

/** One in which nothing waits. */
export const emptyMempool = <W extends WaitingRequest>(): Mempool<W> => ({
  waiting: new Map(),
  waitingOf: new Map(),
  waitingInAll: { requests: 0, bytes: 0 },
  served: 0,
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
  if (mempool.waiting.has(requestKey(request))) return true;
  const displaced = displacedBy(mempool, request);
  if (displaced === undefined) return false;
  for (const each of displaced) remove(mempool, each);
  add(mempool, waiting);
  return true;
}

/**
 * Whether one of `requests` is not here yet and would be kept: asked before their signatures are
 * checked.
 */
export const hasNews = (mempool: Mempool<WaitingRequest>, requests: Batch): boolean =>
  requests.some(
    (each) => !mempool.waiting.has(requestKey(each)) && displacedBy(mempool, each) !== undefined,
  );

/** Whether `request` waits here, or would. */
export const hasRoomFor = (mempool: Mempool<WaitingRequest>, request: Request): boolean =>
  mempool.waiting.has(requestKey(request)) || displacedBy(mempool, request) !== undefined;

const mostInAll: WaitingShare = { requests: maxWaiting, bytes: mempoolBytes };
const mostOfClient: WaitingShare = { requests: maxWaitingOfClient, bytes: mempoolBytesOfClient };
const noShare: ClientShare = { requests: 0, bytes: 0, keys: new Set(), served: 0 };

const weightOf = ({ requests, bytes }: WaitingShare): number => bytes + requests * placeBytes;

/**
 * What has to leave so that there is room for `request`; nothing: it is not kept. A client's later
 * requests give way to an earlier one, so that none can keep its own first request from a primary.
 * Where all room is taken those of the client that has most give way, as long as it still has more
 * than the other: so whoever has many keys keeps nobody out.
 */
function displacedBy(
  mempool: Mempool<WaitingRequest>,
  request: Request,
): readonly Request[] | undefined {
  if (mempool.executed.has(requestKey(request))) return undefined; // The session table answers.
  const { waitingOf, waitingInAll } = mempool;
  const own = waitingOf.get(request.client) ?? noShare;
  const grown = withOne(own, request, 1);
  const isOwn = !fits(grown, mostOfClient);
  if (!isOwn && fits(withOne(waitingInAll, request, 1), mostInAll)) return [];
  const from = isOwn ? own : heaviest(waitingOf.values());
  const displaced: Request[] = [];
  let left: WaitingShare = isOwn ? grown : from;
  let inAll = withOne(waitingInAll, request, 1);
  for (let last = latestOf(mempool, from); last; last = latestOf(mempool, from, last.sequence)) {
    left = withOne(left, last, -1);
    inAll = withOne(inAll, last, -1);
    const mayLeave = isOwn ? last.sequence > request.sequence : weightOf(left) >= weightOf(grown);
    if (!mayLeave) return undefined;
    displaced.push(last);
    if (fits(inAll, mostInAll) && (!isOwn || fits(left, mostOfClient))) return displaced;
  }
  return undefined;
}

const fits = ({ requests, bytes }: WaitingShare, most: WaitingShare): boolean =>
  requests <= most.requests && bytes <= most.bytes;

const withOne = (
  { requests, bytes }: WaitingShare,
  request: Request,
  sign: 1 | -1,
): WaitingShare => ({
  requests: requests + sign,
  bytes: bytes + sign * requestBytes(request),
});

function heaviest(shares: Iterable<ClientShare>): ClientShare {
  let most = noShare;
  for (const each of shares) if (weightOf(each) > weightOf(most)) most = each;
  return most;
}

/** The last request of a client, or the last one before `below`. */
function latestOf(
  { waiting }: Mempool<WaitingRequest>,
  { keys }: ClientShare,
  below = Number.POSITIVE_INFINITY,
): Request | undefined {
  let latest: Request | undefined;
  for (const key of keys) {
    const { request } = waiting.get(key) as WaitingRequest;
    const { sequence } = request;
    if (sequence < below && sequence > (latest?.sequence ?? -1)) latest = request;
  }
  return latest;
}

/** What waits of one client, in the order in which the client has asked. */
export const inOrder = <W extends WaitingRequest>(
  mempool: Mempool<W>,
  { keys }: Pick<ClientShare, 'keys'>,
): W[] =>
  [...keys]
    .map((key) => mempool.waiting.get(key) as W)
    .sort((one, other) => one.request.sequence - other.request.sequence);

function add<W extends WaitingRequest>(mempool: Mempool<W>, waiting: W): void {
  const { request } = waiting;
  const { waitingOf, waitingInAll, served } = mempool;
  const key = requestKey(request);
  const share = waitingOf.get(request.client) ?? { ...noShare, keys: new Set(), served };
  waitingOf.set(request.client, share);
  mempool.waiting.set(key, waiting);
  share.keys.add(key);
  for (const each of [share, waitingInAll]) Object.assign(each, withOne(each, request, 1));
}

/** Removes what waits under the key of `request`: it may be another request. */
function remove(mempool: Mempool<WaitingRequest>, request: Request): void {
  const { waitingOf, waitingInAll } = mempool;
  const key = requestKey(request);
  const waiting = mempool.waiting.get(key);
  if (waiting === undefined) return;
  mempool.waiting.delete(key);
  const share = waitingOf.get(request.client) as ClientShare;
  share.keys.delete(key);
  for (const each of [share, waitingInAll]) Object.assign(each, withOne(each, waiting.request, -1));
  if (share.requests === 0) waitingOf.delete(request.client);
}

/**
 * `request` was executed: nobody waits for it any more, and it is not admitted again. Later ones of
 * its client count from `counted`, which is now, on the clock of {@link WaitingRequest.counted}.
 */
export function forget(mempool: Mempool<WaitingRequest>, request: Request, counted: number): void {
  remove(mempool, request);
  for (const key of mempool.waitingOf.get(request.client)?.keys ?? []) {
    const other = mempool.waiting.get(key) as WaitingRequest;
    if (other.request.sequence > request.sequence) other.counted = counted;
  }
  // It changed nothing, and no session keeps its reply: a client that missed it asks again.
  if (asksForSession(request)) return;
  mempool.executed.add(requestKey(request));
  if (mempool.executed.size <= maxWaiting) return;
  for (const oldest of mempool.executed) {
    mempool.executed.delete(oldest);
    break;
  }
}

/** Since when the one that has waited longest counts; nothing: none waits. */
export function oldestCounted({ waiting }: Mempool<WaitingRequest>): number | undefined {
  let oldest: number | undefined;
  for (const { counted } of waiting.values())
    if (oldest === undefined || counted < oldest) oldest = counted;
  return oldest;
}

/** Nobody waits any more: what was executed came as a snapshot, and clients repeat the rest. */
export function forgetWaiting(mempool: Mempool<WaitingRequest>): void {
  mempool.waiting.clear();
  mempool.waitingOf.clear();
  mempool.waitingInAll.requests = 0;
  mempool.waitingInAll.bytes = 0;
}
