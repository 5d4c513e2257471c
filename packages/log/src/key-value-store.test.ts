import { decode, encode, sameBytes, toUtf8 } from '@quorumlab/core';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { runs } from '../test/runs.ts';
import { keyValueOperation, keyValueStore, kv, maxValueBytes } from './key-value-store.ts';

const key = fc.constantFrom('', 'a', 'b', 'ab', 'ключ');
const value = fc.string({ maxLength: 5 });
const operation = fc.oneof(
  fc.record({ kind: fc.constant('get' as const), key }),
  fc.record({ kind: fc.constant('delete' as const), key }),
  fc.record({ kind: fc.constant('put' as const), key, value }),
  fc.record({ kind: fc.constant('append' as const), key, value }),
  fc.record({ kind: fc.constant('cas' as const), key, expected: fc.option(value), value }),
);

function isOperation(bytes: Uint8Array): boolean {
  try {
    decode(keyValueOperation, bytes);
    return true;
  } catch {
    return false;
  }
}

describe('the key-value store', () => {
  test('does what a Map does', () => {
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 60 }), (operations) => {
        const store = keyValueStore();
        const model = new Map<string, string>();
        for (const each of operations) {
          const held = model.get(each.key);
          if (each.kind === 'get') {
            const expected = held === undefined ? null : toUtf8(held);
            for (const run of [store.apply, store.query])
              expect(kv.result(run(kv.get(each.key)))).toEqual({ kind: 'value', value: expected });
          } else if (each.kind === 'delete') {
            const found = model.delete(each.key);
            expect(kv.result(store.apply(kv.delete(each.key)))).toEqual({ kind: 'deleted', found });
          } else if (each.kind === 'put') {
            model.set(each.key, each.value);
            expect(kv.result(store.apply(kv.put(each.key, each.value))).kind).toBe('stored');
          } else if (each.kind === 'append') {
            model.set(each.key, (held ?? '') + each.value);
            expect(kv.result(store.apply(kv.append(each.key, each.value))).kind).toBe('stored');
          } else {
            const done = (held ?? null) === each.expected;
            if (done) model.set(each.key, each.value);
            const bytes = kv.compareAndSet(each.key, each.expected, each.value);
            expect(kv.result(store.apply(bytes))).toMatchObject({ kind: 'swapped', done });
          }
        }
      }),
    );
  });

  test('reads just what the codec of its operations reads', () => {
    const random = (seed: number) => {
      let state = seed;
      return { below: (limit: number) => (state = (state * 48_271) % 2_147_483_647) % limit };
    };
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2 ** 30 }), (seed) => {
        const chance = random(seed);
        const good = encode(keyValueOperation, keyValueOperation.sample(chance));
        const bad = good.slice(0, good.length - chance.below(2));
        if (bad.length > 0) bad[chance.below(Math.min(bad.length, 4))] = chance.below(5);
        for (const bytes of [good, bad]) {
          const result = kv.result(keyValueStore().apply(bytes));
          const malformed = result.kind === 'refused' && result.why === 'malformed';
          expect(malformed).toBe(!isOperation(bytes));
        }
      }),
      { numRuns: runs(500) },
    );
  });

  test('gives equal bytes for equal states, whatever way led there', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), value), (pairs) => {
        const one = keyValueStore();
        const two = keyValueStore();
        const all = Object.entries(pairs);
        for (const [name, content] of all) one.apply(kv.put(name, content));
        for (const [name, content] of all.reverse()) two.apply(kv.put(name, content));
        expect(sameBytes(one.snapshot(), two.snapshot())).toBe(true);
        const three = keyValueStore();
        three.restore(one.snapshot());
        expect(sameBytes(three.snapshot(), one.snapshot())).toBe(true);
      }),
    );
  });

  test('refuses nonsense, values too long and queries that write, and changes nothing', () => {
    const store = keyValueStore();
    store.apply(kv.put('a', new Uint8Array(maxValueBytes)));
    const before = store.snapshot();
    const refused = (bytes: Uint8Array) => kv.result(bytes).kind;
    expect(refused(store.apply(kv.append('a', 'x')))).toBe('refused');
    expect(refused(store.query(kv.put('a', 'x')))).toBe('refused');
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 20 }), (bytes) => {
        expect(() => store.query(bytes)).not.toThrow();
        if (bytes[0] === undefined || bytes[0] > 3)
          expect(refused(store.apply(bytes))).toBe('refused');
      }),
    );
    expect(sameBytes(store.snapshot(), before)).toBe(true);
  });
});
