import { describe, expect, it } from 'vitest';
import {
  acceptable,
  admit,
  bytesOf,
  emptyMempool,
  firstClient,
  forget,
  forgetWaiting,
  maxBatchBytes,
  maxWaiting,
  maxWaitingOfClient,
  mempoolBytes,
  mempoolBytesOfClient,
  type Request,
  type Signature,
  type Signed,
  seal,
} from './index.ts';

function requestOf(client: number, sequence: number, bytes = 1): Signed<Request> {
  const request: Request = {
    kind: 'request',
    client: firstClient + client,
    sequence,
    acknowledged: 0,
    operations: [new Uint8Array(bytes)],
  };
  return seal(request, request.client, new Uint8Array(64) as Signature);
}

const waiting = (request: Signed<Request>) => ({ request, since: 0 });

describe('a mempool', () => {
  it('keeps a request once, and not again after it was executed', () => {
    const mempool = emptyMempool();
    const request = requestOf(0, 1);
    expect(admit(mempool, waiting(request))).toBe(true);
    expect(admit(mempool, waiting(request))).toBe(true);
    expect(mempool.waiting.size).toBe(1);
    forget(mempool, request);
    expect(mempool.waiting.size).toBe(0);
    expect(mempool.waitingOf.size).toBe(0);
    expect(admit(mempool, waiting(request))).toBe(false);
  });

  it('keeps a question for a session again after it was answered: no session does', () => {
    const mempool = emptyMempool();
    const question = { ...requestOf(0, 1), operations: [] };
    for (let times = 0; times < 3; times++) {
      expect(admit(mempool, waiting(question))).toBe(true);
      forget(mempool, question);
    }
    expect(mempool.executed.size).toBe(0);
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
  });

  it('has room for others when one client fills its share, and an end', () => {
    const mempool = emptyMempool();
    for (let sequence = 0; sequence < maxWaitingOfClient; sequence++)
      expect(admit(mempool, waiting(requestOf(0, sequence)))).toBe(true);
    expect(admit(mempool, waiting(requestOf(0, maxWaitingOfClient)))).toBe(false);
    for (let client = 1; mempool.waiting.size < maxWaiting; client++)
      expect(admit(mempool, waiting(requestOf(client, 0)))).toBe(true);
    expect(admit(mempool, waiting(requestOf(maxWaiting, 0)))).toBe(false);
    forgetWaiting(mempool);
    expect(admit(mempool, waiting(requestOf(0, 0)))).toBe(true);
  });

  it('is bounded in bytes too, for one client and for all', () => {
    const mempool = emptyMempool();
    const size = 500_000;
    let kept = 0;
    for (let client = 0; client < 20; client++)
      for (let sequence = 0; sequence < 40; sequence++)
        kept += admit(mempool, waiting(requestOf(client, sequence, size))) ? 1 : 0;
    expect(mempool.waitingInAll.bytes).toBeLessThanOrEqual(mempoolBytes);
    for (const { bytes } of mempool.waitingOf.values())
      expect(bytes).toBeLessThanOrEqual(mempoolBytesOfClient);
    expect(mempool.waitingOf.size).toBeGreaterThan(7);
    expect(kept).toBe(mempool.waiting.size);
    for (const { request } of [...mempool.waiting.values()]) forget(mempool, request);
    expect(mempool.waitingInAll).toEqual({ requests: 0, bytes: 0 });
    expect(mempool.waitingOf.size).toBe(0);
  });

  it('remembers a bounded number of executed requests, the newest', () => {
    const mempool = emptyMempool();
    for (let sequence = 0; sequence <= maxWaiting; sequence++)
      forget(mempool, requestOf(0, sequence));
    expect(mempool.executed.size).toBe(maxWaiting);
    expect(admit(mempool, waiting(requestOf(0, 0)))).toBe(true);
    expect(admit(mempool, waiting(requestOf(0, 1)))).toBe(false);
  });
});
