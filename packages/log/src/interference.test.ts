/** Which requests must be in one order everywhere, where not all are. */
import { firstClient, type Request } from '@quorumlab/core';
import { expect, test } from 'vitest';
import { interference } from './interference.ts';
import { keyValueStore, kv } from './key-value-store.ts';

const request = (client: number, ...operations: readonly Uint8Array[]): Request => ({
  ...{ kind: 'request', client: firstClient + client, sequence: 0, acknowledged: 0, operations },
});
const change: Request = { ...request(3), configuration: new Uint8Array([1]) };
const [put, get] = [kv.put('a', '1'), kv.get('a')];

test('requests of one client, and a change of the group with all, are in one order', () => {
  for (const application of [keyValueStore(), {}]) {
    const interferes = interference(application);
    expect(interferes(request(1, kv.get('a')), request(1, kv.get('b')))).toBe(true);
    expect(interferes(request(1), request(1))).toBe(true);
    for (const other of [request(1), request(1, get), request(2, put)]) {
      expect(interferes(change, other)).toBe(true);
      expect(interferes(other, change)).toBe(true);
    }
  }
});

test('of other requests the application says which two operations interfere', () => {
  const interferes = interference(keyValueStore());
  const both = (one: readonly Uint8Array[], other: readonly Uint8Array[]): boolean => {
    const found = interferes(request(1, ...one), request(2, ...other));
    expect(interferes(request(2, ...other), request(1, ...one))).toBe(found);
    return found;
  };
  expect(both([put], [get])).toBe(true);
  expect(both([kv.get('b'), get], [kv.get('c'), put])).toBe(true);
  expect(both([kv.get('b'), get], [kv.put('c', '1'), get])).toBe(false);
  expect([both([], [put]), both([put], []), both([], [])]).toEqual([false, false, false]);
});

test('an application that says nothing of it has all that does something in one order', () => {
  const interferes = interference({});
  expect(interferes(request(1, get), request(2, kv.get('b')))).toBe(true);
  for (const [one, other] of [[[get], []] as const, [[], [get]] as const, [[], []] as const])
    expect(interferes(request(1, ...one), request(2, ...other))).toBe(false);
});

test('two operations of the store interfere on one key, if one of them writes', () => {
  const { interferes = () => false } = keyValueStore();
  const both = (one: Uint8Array, other: Uint8Array): boolean => {
    expect(interferes(other, one)).toBe(interferes(one, other));
    return interferes(one, other);
  };
  const writes = (key: string) => [
    kv.put(key, 'x'),
    kv.append(key, 'x'),
    kv.delete(key),
    kv.compareAndSet(key, null, 'x'),
  ];
  for (const key of ['', 'a', 'ab', 'long enough to be no short one'])
    for (const write of writes(key)) {
      for (const other of [...writes(key), kv.get(key)]) expect(both(write, other)).toBe(true);
      // Keys that begin alike, or end alike, or are as long.
      for (const strange of [`${key}a`, `b${key}`, `${key.slice(1)}!`].filter((s) => s !== key))
        for (const other of [...writes(strange), kv.get(strange)])
          expect(both(write, other), `${key} ${strange}`).toBe(false);
      expect(both(write, new Uint8Array([1, 200]))).toBe(false);
    }
  expect(both(kv.get('a'), kv.get('a'))).toBe(false);
  for (const malformed of [new Uint8Array(), new Uint8Array([1]), new Uint8Array([1, 9, 65])])
    expect([both(malformed, put), both(malformed, malformed)]).toEqual([false, false]);
});
