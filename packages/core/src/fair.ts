/**
 * Which requests a batch takes where several clients wait: fair queuing by start times (Goyal, Vin
 * and Cheng, SIGCOMM '96). Each client has a scale of what it has been served, and whoever has had
 * least is next: so each of k clients that always wait gets a k-th part, whatever the others send,
 * and one that asks for little is not kept waiting by one that asks for much.
 */
import { maxBatchBytes, placeBytes } from './limits.ts';
import { type ClientShare, inOrder, type Mempool, type WaitingRequest } from './mempool.ts';
import { bytesOf, requestBytes } from './request.ts';

/**
 * Most places of one client in a batch, also if nobody else waits when it is put together: all who
 * come next wait for it. Each place is a request of up to a thousand operations.
 */
export const maxPlacesOfClient = 8;

interface Lane<W> {
  readonly share: ClientShare;
  readonly waiting: readonly W[];
  next: number;
}

/**
 * The next requests that `isFree` chooses, at most `most` and what a batch holds. They count as
 * served from now on, and go on waiting: their protocol notes where they went.
 */
export function nextFair<W extends WaitingRequest>(
  mempool: Mempool<W>,
  most: number,
  isFree: (waiting: W) => boolean,
): W[] {
  const lanes = lanesOf(mempool, isFree);
  const taken: W[] = [];
  let bytes = 0;
  for (let lane = lanes.shift(); lane !== undefined; lane = lanes.shift()) {
    const waiting = lane.waiting[lane.next] as W;
    bytes += bytesOf(waiting.request);
    if (bytes > maxBatchBytes) break;
    taken.push(waiting);
    mempool.served = lane.share.served;
    lane.share.served += requestBytes(waiting.request) + placeBytes;
    lane.next += 1;
    if (taken.length === most) break;
    if (lane.next < lane.waiting.length) insert(lanes, lane);
  }
  return taken;
}

/** One lane a client, whoever has had least first. */
function lanesOf<W extends WaitingRequest>(
  mempool: Mempool<W>,
  isFree: (waiting: W) => boolean,
): Lane<W>[] {
  const lanes: Lane<W>[] = [];
  for (const share of mempool.waitingOf.values()) {
    const waiting = inOrder(mempool, share).filter(isFree).slice(0, maxPlacesOfClient);
    if (waiting.length > 0) lanes.push({ share, waiting, next: 0 });
  }
  return lanes.sort((one, other) => one.share.served - other.share.served);
}

/** Puts `lane` behind all that have had as much or less. */
function insert(lanes: Lane<unknown>[], lane: Lane<unknown>): void {
  let low = 0;
  for (let high = lanes.length; low < high; ) {
    const middle = (low + high) >> 1;
    if ((lanes[middle] as Lane<unknown>).share.served <= lane.share.served) low = middle + 1;
    else high = middle;
  }
  lanes.splice(low, 0, lane);
}
