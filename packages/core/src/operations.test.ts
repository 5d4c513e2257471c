/** A message holds no more operations than honest makers put into one, however small they are. */
import { expect, test } from 'vitest';
import {
  admit,
  batchField,
  emptyMempool,
  encode,
  firstClient,
  list,
  maxBatchBytes,
  maxOperations,
  message,
  messages,
  nextFair,
  operationBytes,
  operationsIn,
  type Request,
  reader,
  readInSteps,
  request as requestField,
  type Signature,
  type Signed,
  seal,
  signed,
} from './index.ts';

const most = 256;
const relay = message('relay', { requests: batchField(most) });
const field = messages(relay);
/** The same bytes without the bound. */
const unbounded = message('relay', { requests: list(signed(requestField), most) });

const requestOf = (client: number, sequence: number, operations: number): Signed<Request> =>
  seal<Request>(
    {
      kind: 'request',
      client,
      sequence,
      acknowledged: 0,
      operations: Array.from({ length: operations }, () => new Uint8Array(1)),
    },
    client,
    new Uint8Array(64) as Signature,
  );

const countOf = (requests: readonly Request[]): number =>
  requests.reduce((sum, { operations }) => sum + operations.length, 0);

test('a batch of the smallest operations holds 16,384 of them, and goes through the wire', () => {
  const mempool = emptyMempool();
  for (let client = 0; client < 40; client++)
    for (let sequence = 1; sequence <= 8; sequence++) {
      const request = requestOf(firstClient + client, sequence, maxOperations);
      expect(admit(mempool, { request, since: 0, counted: 0 })).toBe(true);
    }
  const requests = nextFair(mempool, most, () => true).map(({ request }) => request);
  expect(countOf(requests)).toBe(maxBatchBytes / operationBytes);
  const coded = encode(field, { kind: 'relay', requests });
  expect(field.read(reader(coded))).toEqual({ kind: 'relay', requests });
});

test('more than a message of its size holds are neither written nor read', () => {
  const requests = Array.from({ length: most }, (_, i) =>
    requestOf(firstClient, i + 1, maxOperations),
  );
  expect(() => encode(field, { kind: 'relay', requests })).toThrow('more operations');
  const body = encode(unbounded, { kind: 'relay', requests });
  const coded = new Uint8Array(1 + body.length);
  coded.set(body, 1);
  for (const read of [
    (from: ReturnType<typeof reader>) => field.read(from),
    (from: ReturnType<typeof reader>) => [...readInSteps(field, from)],
  ]) {
    const from = reader(coded);
    expect(() => read(from)).toThrow('more operations');
    // What is too much is not read.
    const bytesOfOne = coded.length / most;
    expect(from.at).toBeLessThan((operationsIn(relay.maxBytes) / maxOperations + 1) * bytesOfOne);
  }
  // Whoever was refused takes nothing from the next one.
  expect(encode(field, { kind: 'relay', requests: requests.slice(0, 16) }).length).toBeGreaterThan(
    16 * maxOperations,
  );
});
