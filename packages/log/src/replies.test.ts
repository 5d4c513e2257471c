/** By what a request is known again, and what is counted for what it gave. */
import { firstClient, type Request } from '@quorumlab/core';
import { expect, test } from 'vitest';
import { digestOf } from '../test/world.ts';
import { hashOf, mixBytes } from './hash.ts';
import { contentsOf, digestIn, keptOf, replyOf, weigh } from './replies.ts';

const request = (part: Partial<Request> = {}): Request => ({
  ...{ kind: 'request', client: firstClient, sequence: 1, acknowledged: 1, operations: [] },
  ...part,
});
const sized = (...sizes: readonly number[]) => sizes.map((size) => new Uint8Array(size).fill(7));

test('a reply has the digest of what was asked for, made at once only for what is long', () => {
  for (const [asked, isLater] of [
    [request({ operations: sized(1) }), true],
    [request({ operations: sized(128) }), true],
    [request({ operations: sized(129) }), false],
    [request({ operations: sized(1, 1) }), false],
    [request(), false],
    [request({ configuration: new Uint8Array(1) }), false],
    [request({ operations: sized(1), configuration: new Uint8Array(1) }), false],
  ] as const) {
    let digests = 0;
    const counting: typeof digestOf = (field, value) => {
      digests += 1;
      return digestOf(field, value);
    };
    const reply = replyOf(asked, [], counting);
    expect(digests).toBe(isLater ? 0 : 1);
    expect(digestIn(reply)).toBe(contentsOf(asked, digestOf));
    expect(keptOf(reply)).toEqual({ digest: contentsOf(asked, digestOf), results: [] });
    // It is made once.
    digestIn(reply);
    expect(digests).toBe(1);
  }
});

test('requests that ask for something else have other digests and other hashes', () => {
  const all = [
    request(),
    request({ operations: sized(0) }),
    request({ operations: sized(1) }),
    request({ operations: sized(2) }),
    request({ operations: sized(1, 1) }),
    request({ operations: [new Uint8Array([8])] }),
    request({ configuration: new Uint8Array([7]) }),
    request({ configuration: new Uint8Array([8]) }),
  ];
  expect(new Set(all.map((each) => contentsOf(each, digestOf))).size).toBe(all.length);
  expect(new Set(all.map(hashOf)).size).toBe(all.length);
  for (const each of all) expect(hashOf(each)).toBeGreaterThanOrEqual(0);
  // Who asks, and in which turn, is not part of what is asked for.
  expect(hashOf(request({ client: firstClient + 3, sequence: 9 }))).toBe(hashOf(request()));
});

test('a hash tells every byte from another, wherever it stands', () => {
  for (let length = 1; length < 14; length++) {
    const before = mixBytes(1, new Uint8Array(length));
    const seen = new Set([before, mixBytes(2, new Uint8Array(length))]);
    for (let at = 0; at < length; at++)
      for (const byte of [1, 128]) {
        const bytes = new Uint8Array(length);
        bytes[at] = byte;
        seen.add(mixBytes(1, bytes));
      }
    expect(seen.size).toBe(2 + 2 * length);
    expect(mixBytes(1, new Uint8Array(length + 1))).not.toBe(before);
  }
  // What lies behind the bytes is not theirs.
  const whole = new Uint8Array([1, 2, 3, 4, 5, 6, 7, 8, 9]);
  for (const length of [3, 4, 5, 8])
    expect(mixBytes(1, whole.subarray(0, length))).toBe(mixBytes(1, whole.slice(0, length)));
});

test('a reply weighs the more the more results it has, and the longer they are', () => {
  const weight = (...sizes: readonly number[]) => weigh({ results: sized(...sizes) });
  const [none, one] = [weight(), weight(0)];
  expect(none).toBeGreaterThan(0);
  expect(one).toBeGreaterThan(none);
  expect(weight(100) - one).toBe(100);
  expect(weight(100, 20, 3) - none).toBe(123 + 3 * (one - none));
});
