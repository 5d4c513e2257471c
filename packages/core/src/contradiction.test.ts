import { expect, test } from 'vitest';
import { otherRequest } from './contradiction.ts';
import type { Request } from './request.ts';
import type { Signature, Signed } from './vocabulary.ts';

const request = (client: number, sequence: number): Signed<Request> => ({
  kind: 'request',
  client,
  sequence,
  acknowledged: 0,
  operations: [Uint8Array.of(client, sequence)],
  from: client,
  signature: new Uint8Array() as Signature,
});
const [ann, bob, cem] = [request(1, 0), request(2, 0), request(3, 0)];

test('another request is a real one, none of the batch, and by its fork another each time', () => {
  const known = [ann, bob, cem];
  const others = [0, 1, 2, 3].map((fork) => otherRequest([ann], fork, known));
  expect(others).not.toContain(ann);
  expect(new Set(others)).toEqual(new Set([bob, cem]));
  expect(otherRequest([ann, bob], 0, known)).toBe(cem);
});

test('there is no other where only the same ones are known, as `same` has it', () => {
  expect(otherRequest([ann], 0, [])).toBeUndefined();
  expect(otherRequest([ann], 0, [request(1, 0)])).toBeUndefined();
  expect(otherRequest([ann], 0, [ann], () => false)).toBe(ann);
});
