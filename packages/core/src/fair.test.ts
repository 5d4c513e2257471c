import { describe, expect, it } from 'vitest';
import {
  admit,
  bytesOf,
  emptyMempool,
  firstClient,
  forget,
  forgetWaiting,
  type Mempool,
  maxBatchBytes,
  maxPlacesOfClient,
  maxWaitingOfClient,
  nextFair,
  type Request,
  type Signature,
  seal,
  type WaitingRequest,
} from './index.ts';

interface Waiting extends WaitingRequest {
  ordered: boolean;
}

const most = 12;

const content = new Uint8Array(maxBatchBytes);

/** `client` asks, if it has room. */
function ask(mempool: Mempool<Waiting>, client: number, sequence: number, bytes = 1): void {
  const request: Request = {
    kind: 'request',
    client: firstClient + client,
    sequence,
    acknowledged: 0,
    operations: [content.subarray(0, bytes)],
  };
  const signed = seal(request, request.client, new Uint8Array(64) as Signature);
  admit(mempool, { request: signed, since: 0, counted: 0, ordered: false });
}

/** One batch, executed at once: how much each client had of it. */
function turn(mempool: Mempool<Waiting>, of: (request: Request) => number): Map<number, number> {
  const had = new Map<number, number>();
  const chosen = nextFair(mempool, most, ({ ordered }) => !ordered);
  for (const { request } of chosen) {
    const client = request.client - firstClient;
    had.set(client, (had.get(client) ?? 0) + of(request));
    forget(mempool, request, 0);
  }
  return had;
}

const one = (): number => 1;

describe('batches are shared', () => {
  it('so that a request is in the next one, whatever one other client has sent before', () => {
    const mempool = emptyMempool<Waiting>();
    for (let i = 0; i < maxWaitingOfClient; i++) ask(mempool, 1, i);
    ask(mempool, 0, 0);
    expect(turn(mempool, one)).toEqual(
      new Map([
        [1, maxPlacesOfClient],
        [0, 1],
      ]),
    );
  });

  it('equally among all who always wait, by their bytes and their number', () => {
    for (const bytes of [1, 500, 300_000]) {
      const mempool = emptyMempool<Waiting>();
      const had = [0, 0, 0, 0];
      for (let round = 0; round < 100; round++) {
        for (let i = 0; i < 40; i++) {
          // The last one sends what is large, and always as much as it may.
          for (const client of [0, 1, 2]) if (i < 16) ask(mempool, client, round * 40 + i, 500);
          ask(mempool, 3, round * 40 + i, bytes);
        }
        const weigh = (request: Request): number => 4096 + 128 + bytesOf(request);
        for (const [client, more] of turn(mempool, weigh))
          had[client] = (had[client] as number) + more;
      }
      const [first, second, third, hostile] = had as [number, number, number, number];
      const share = (first + second + third) / 3;
      expect(hostile).toBeLessThan(share * 1.2 + 300_000);
      expect(Math.max(first, second, third)).toBeLessThan(share * 1.1);
    }
  });

  it('among those who wait: who is away saves nothing up', () => {
    const mempool = emptyMempool<Waiting>();
    for (let round = 0; round < 50; round++) {
      for (let i = 0; i < most; i++) ask(mempool, 0, round * most + i);
      // The places that are left would only make others wait who come next.
      expect(turn(mempool, one).get(0)).toBe(maxPlacesOfClient);
    }
    forgetWaiting(mempool);
    for (let i = 0; i < 64; i++) for (const client of [0, 1]) ask(mempool, client, 10_000 + i);
    expect(turn(mempool, one)).toEqual(
      new Map([
        [0, most / 2],
        [1, most / 2],
      ]),
    );
  });

  it('in the order in which each client has asked, and with nothing that is taken already', () => {
    const mempool = emptyMempool<Waiting>();
    for (const sequence of [9, 2, 40, 7]) ask(mempool, 0, sequence);
    const chosen = nextFair(mempool, 2, ({ ordered }) => !ordered);
    expect(chosen.map(({ request }) => request.sequence)).toEqual([2, 7]);
    for (const each of chosen) each.ordered = true;
    const rest = nextFair(mempool, 9, ({ ordered }) => !ordered);
    expect(rest.map(({ request }) => request.sequence)).toEqual([9, 40]);
  });

  it('up to the bytes of a batch, and what found no room in one comes first in the next', () => {
    const mempool = emptyMempool<Waiting>();
    for (let i = 0; i < 3; i++) ask(mempool, i, 0, maxBatchBytes - 10);
    for (let i = 0; i < 3; i++) expect(turn(mempool, one)).toEqual(new Map([[i, 1]]));
    expect(turn(mempool, one).size).toBe(0);
  });
});
