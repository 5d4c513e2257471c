import { describe, expect, it } from 'vitest';
import {
  acceptable,
  admit,
  bytesOf,
  emptyMempool,
  firstClient,
  forget,
  forgetWaiting,
  hasNews,
  maxBatchBytes,
  maxWaiting,
  maxWaitingOfClient,
  mempoolBytes,
  mempoolBytesOfClient,
  oldestCounted,
  operationBytes,
  type Request,
  requestBytes,
  requestKey,
  type Signature,
  type Signed,
  seal,
} from './index.ts';

const content = new Uint8Array(maxBatchBytes + 1);

function requestOf(client: number, sequence: number, bytes = 1): Signed<Request> {
  const request: Request = {
    kind: 'request',
    client: firstClient + client,
    sequence,
    acknowledged: 0,
    operations: [content.subarray(0, bytes)],
  };
  return seal(request, request.client, new Uint8Array(64) as Signature);
}

const who = (client: number) => ({ client: firstClient + client, from: firstClient + client });
const waiting = (request: Signed<Request>) => ({ request, since: 0, counted: 0 });

describe('a mempool', () => {
  it('keeps a request once, and not again after it was executed', () => {
    const mempool = emptyMempool();
    const request = requestOf(0, 1);
    expect(admit(mempool, waiting(request))).toBe(true);
    expect(admit(mempool, waiting(request))).toBe(true);
    expect(mempool.waiting.size).toBe(1);
    forget(mempool, request, 0);
    expect(mempool.waiting.size).toBe(0);
    expect(mempool.waitingOf.size).toBe(0);
    expect(admit(mempool, waiting(request))).toBe(false);
  });

  it('keeps a question for a session again after it was answered: no session does', () => {
    const mempool = emptyMempool();
    const question = { ...requestOf(0, 1), operations: [] };
    for (let times = 0; times < 3; times++) {
      expect(admit(mempool, waiting(question))).toBe(true);
      forget(mempool, question, 0);
    }
    expect(mempool.executed.size).toBe(0);
  });

  it('takes a change of the group for no question: it is not kept again', () => {
    const mempool = emptyMempool();
    const change = { ...requestOf(0, 1), operations: [], configuration: Uint8Array.of(1) };
    expect(admit(mempool, waiting(change))).toBe(true);
    forget(mempool, change, 0);
    expect(admit(mempool, waiting(change))).toBe(false);
  });

  it('lets one client use its share to the last byte, and all of them the whole', () => {
    const mempool = emptyMempool();
    const size = mempoolBytesOfClient / 16;
    const full = requestOf(0, 0, size - requestBytes(requestOf(0, 0, 0)));
    const put = (client: number, sequence: number) =>
      admit(mempool, waiting({ ...full, ...who(client), sequence }));
    const all = mempoolBytes / mempoolBytesOfClient;
    for (let client = 0; client < all; client++)
      for (let sequence = 0; sequence <= 16; sequence++)
        expect(put(client, sequence)).toBe(sequence < 16);
    expect(mempool.waitingInAll).toEqual({ requests: 16 * all, bytes: mempoolBytes });
    // Another client takes the place of one of theirs.
    expect(put(all, 0)).toBe(true);
    expect(mempool.waitingInAll).toEqual({ requests: 16 * all, bytes: mempoolBytes });
    // What is executed may be another request, of another size, under the key of one that waits.
    forget(mempool, requestOf(0, 3), 0);
    expect(mempool.waitingInAll.bytes).toBe(mempoolBytes - size);
    expect(put(0, 3)).toBe(false);
    expect(put(0, 16)).toBe(true);
    forgetWaiting(mempool);
    expect(mempool).toMatchObject({ waiting: new Map(), waitingOf: new Map() });
    expect(mempool.waitingInAll).toEqual({ requests: 0, bytes: 0 });
  });

  it('refuses what its client has not signed and what no batch could hold', () => {
    const mempool = emptyMempool();
    const forged = { ...requestOf(0, 1), from: firstClient + 1 };
    const large = requestOf(0, 1, maxBatchBytes + 1);
    expect(admit(mempool, waiting(forged))).toBe(false);
    expect(admit(mempool, waiting(large))).toBe(false);
    expect(mempool.waiting.size).toBe(0);
    expect(bytesOf(large)).toBe(maxBatchBytes + 1);
    expect(acceptable([requestOf(0, 1, maxBatchBytes), requestOf(0, 2)])).toBe(false);
    expect(acceptable([requestOf(0, 1, maxBatchBytes - operationBytes), requestOf(0, 2)])).toBe(
      true,
    );
    expect(acceptable([requestOf(0, 1), forged])).toBe(false);
  });

  it('has room for others when one client fills its share, and an end', () => {
    const mempool = emptyMempool();
    for (let sequence = 0; sequence < maxWaitingOfClient; sequence++)
      expect(admit(mempool, waiting(requestOf(0, sequence)))).toBe(true);
    expect(admit(mempool, waiting(requestOf(0, maxWaitingOfClient)))).toBe(false);
    for (let client = 1; mempool.waiting.size < maxWaiting; client++)
      expect(admit(mempool, waiting(requestOf(client, 0)))).toBe(true);
    // Whoever has most gives way, until nobody has more than whoever comes.
    for (let client = maxWaiting; client < maxWaiting + maxWaitingOfClient - 1; client++)
      expect(admit(mempool, waiting(requestOf(client, 0)))).toBe(true);
    expect(admit(mempool, waiting(requestOf(2 * maxWaiting, 0)))).toBe(false);
    expect(mempool.waiting.size).toBe(maxWaiting);
    expect(mempool.waiting.has(requestKey(requestOf(0, 0)))).toBe(true);
    expect(mempool.waitingOf.get(firstClient)?.requests).toBe(1);
    forgetWaiting(mempool);
    expect(admit(mempool, waiting(requestOf(0, 0)))).toBe(true);
  });

  it('gives the place of the last of a client to an earlier one, and to no later one', () => {
    const mempool = emptyMempool();
    for (let sequence = 1; sequence <= maxWaitingOfClient; sequence++)
      admit(mempool, waiting(requestOf(0, 2 * sequence)));
    const earlier = requestOf(0, 3);
    const later = requestOf(0, 2 * maxWaitingOfClient + 1);
    expect(hasNews(mempool, [later])).toBe(false);
    expect(admit(mempool, waiting(later))).toBe(false);
    expect(hasNews(mempool, [later, earlier])).toBe(true);
    expect(admit(mempool, waiting(earlier))).toBe(true);
    expect(mempool.waiting.has(requestKey(requestOf(0, 2 * maxWaitingOfClient)))).toBe(false);
    expect(mempool.waiting.size).toBe(maxWaitingOfClient);
  });

  it('counts no wait in which earlier requests of the same client had their turn', () => {
    const mempool = emptyMempool();
    const all = [requestOf(0, 1), requestOf(0, 2), requestOf(0, 7), requestOf(1, 3)];
    for (const request of all) admit(mempool, waiting(request));
    forget(mempool, requestOf(0, 2), 100);
    const counted = [...mempool.waiting.values()].map(({ request, counted }) => [
      request.sequence,
      counted,
    ]);
    expect(counted).toEqual([
      [1, 0],
      [7, 100],
      [3, 0],
    ]);
    expect(oldestCounted(mempool)).toBe(0);
    expect(oldestCounted(emptyMempool())).toBe(undefined);
  });

  it('is bounded in bytes too, for one client and for all', () => {
    const mempool = emptyMempool();
    const size = 500_000;
    for (let client = 0; client < 20; client++)
      for (let sequence = 0; sequence < 40; sequence++)
        admit(mempool, waiting(requestOf(client, sequence, size)));
    expect(mempool.waitingInAll.bytes).toBeLessThanOrEqual(mempoolBytes);
    for (const { bytes } of mempool.waitingOf.values())
      expect(bytes).toBeLessThanOrEqual(mempoolBytesOfClient);
    const shares = [...mempool.waitingOf.values()].map(({ requests }) => requests);
    expect(shares).toHaveLength(20);
    expect(Math.max(...shares) - Math.min(...shares)).toBeLessThanOrEqual(1);
    for (const { request } of [...mempool.waiting.values()]) forget(mempool, request, 0);
    expect(mempool.waitingInAll).toEqual({ requests: 0, bytes: 0 });
    expect(mempool.waitingOf.size).toBe(0);
  });

  it('remembers a bounded number of executed requests, the newest', () => {
    const mempool = emptyMempool();
    for (let sequence = 0; sequence <= maxWaiting; sequence++)
      forget(mempool, requestOf(0, sequence), 0);
    expect(mempool.executed.size).toBe(maxWaiting);
    expect(admit(mempool, waiting(requestOf(0, 0)))).toBe(true);
    expect(admit(mempool, waiting(requestOf(0, 1)))).toBe(false);
  });
});
