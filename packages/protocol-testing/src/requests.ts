/** Requests as their clients sign them, and signatures that a test can tell apart. */
import {
  encode,
  firstClient,
  type Request,
  request as requestField,
  type Signature,
  type Signed,
  seal,
  type Tagged,
  toUtf8,
} from '@quorumlab/core';
import { hash } from './digest.ts';

/** Four bytes that stand for `number`. */
export const word = (number: number): Signature =>
  Uint8Array.from([24, 16, 8, 0].map((shift) => (number >>> shift) & 255)) as Signature;

/** A request of client number `client` (0 is the first), signed by it. */
export const requestOf = (client: number, sequence: number, text = 'x'): Signed<Request> =>
  signedRequest(client, sequence, [toUtf8(text)]);

/** A request of so many small operations: where batches are filled each counts 64 bytes. */
export const requestOfMany = (
  client: number,
  sequence: number,
  operations: number,
): Signed<Request> =>
  signedRequest(
    client,
    sequence,
    Array.from({ length: operations }, () => new Uint8Array(1)),
  );

/** A request that asks for a session, and changes nothing; signed by its client. */
export const sessionRequestOf = (client: number, sequence: number): Signed<Request> =>
  signedRequest(client, sequence, []);

/** A request that changes the group, signed by its client. */
export const changeRequestOf = (
  client: number,
  sequence: number,
  configuration: Uint8Array,
): Signed<Request> => signedRequest(client, sequence, [], { configuration });

function signedRequest(
  client: number,
  sequence: number,
  operations: readonly Uint8Array[],
  more: Pick<Request, 'configuration'> = {},
): Signed<Request> {
  const body: Request = {
    kind: 'request',
    client: firstClient + client,
    sequence,
    acknowledged: 0,
    operations,
    ...more,
  };
  return seal(body, body.client, signatureOf(body, body.client, encode(requestField, body)));
}

/** What stands for the signature of `from` over `bytes`. */
export const signatureOf = (_: Tagged, from: number, bytes: Uint8Array): Signature =>
  word(hash(bytes, from + 1));
