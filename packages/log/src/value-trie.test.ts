import { sameBytes, toHex } from '@quorumlab/core';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { runs } from '../test/runs.ts';
import { type KeyValueStore, keyValueStore, kv } from './key-value-store.ts';
import { chunkBytes } from './messages.ts';
import type { StateMachine, StatePart } from './types.ts';
import { fill, maxStateBytes, valueTrie } from './value-trie.ts';

/** Values so large that a few dozen of them need many leaves. */
const write = fc.record({
  key: fc.integer({ min: 0, max: 60 }),
  // Nothing: the key is taken away.
  size: fc.constantFrom(undefined, undefined, 0, 1, 900, 9_000, 30_000),
  mark: fc.integer({ min: 0, max: 255 }),
});
const writes = fc.array(write, { maxLength: 120 });

const put = (
  store: KeyValueStore,
  { key, size, mark }: { key: number; size: number | undefined; mark: number },
) =>
  store.apply(
    size === undefined
      ? kv.delete(`key ${key}`)
      : kv.put(`key ${key}`, new Uint8Array(size).fill(mark)),
  );

const capture = (store: StateMachine): readonly StatePart[] => store.capture?.() ?? [];
const pieces = (parts: readonly StatePart[]): Uint8Array[] =>
  parts.flatMap((part) => part.encode());
const text = (parts: readonly StatePart[]): string[] => pieces(parts).map(toHex);

function restored(parts: readonly StatePart[]): StateMachine {
  const store = keyValueStore();
  const restorer = store.restorer?.();
  for (const piece of pieces(parts)) restorer?.add(piece);
  restorer?.finish();
  return store;
}

describe('a captured state', () => {
  test('stays as it was, whatever is written later, and comes back as it was', () => {
    fc.assert(
      fc.property(fc.array(writes, { minLength: 1, maxLength: 4 }), (rounds) => {
        const store = keyValueStore();
        const taken = rounds.map((round) => {
          for (const each of round) put(store, each);
          return { parts: capture(store), state: store.snapshot() };
        });
        for (const { parts, state } of taken) {
          expect(Math.max(0, ...pieces(parts).map((each) => each.length))).toBeLessThanOrEqual(
            chunkBytes,
          );
          expect(sameBytes(restored(parts).snapshot(), state)).toBe(true);
        }
      }),
      { numRuns: runs(40) },
    );
  });

  test('is in equal pieces for equal states, whatever way led there', () => {
    fc.assert(
      fc.property(writes, writes, (detour, way) => {
        const one = keyValueStore();
        for (const each of [...detour, ...way]) put(one, each);
        const last = new Map([...detour, ...way].map((each) => [each.key, each]));
        const two = keyValueStore();
        for (const each of [...last.values()].reverse()) put(two, each);
        const pieces = text(capture(one));
        expect(text(capture(two)).join() === pieces.join()).toBe(true);
        expect(text(capture(restored(capture(one)))).join() === pieces.join()).toBe(true);
      }),
      { numRuns: runs(60) },
    );
  });

  test('shares with the one before it every part that was not written to', () => {
    const store = keyValueStore();
    for (let key = 0; key < 300; key++) put(store, { key, size: 9_000, mark: 1 });
    const before = new Set(capture(store));
    expect(before.size).toBeGreaterThan(40);
    put(store, { key: 7, size: 9_000, mark: 2 });
    const after = capture(store);
    expect(after.length).toBe(before.size);
    expect(after.filter((part) => !before.has(part)).length).toBe(1);
  });

  test('that is small is one part, and of nothing there is none', () => {
    const store = keyValueStore();
    expect(capture(store)).toEqual([]);
    put(store, { key: 1, size: 1, mark: 1 });
    expect(text(capture(store))).toEqual([toHex(store.snapshot())]);
  });
});

test('a tree holds what a map would, and in as many leaves as any with the same in it', () => {
  const large = new Uint8Array(30_000);
  const small = new Uint8Array(3);
  const change = fc.tuple(
    fc.nat(25),
    fc.constantFrom(large, large, small, undefined),
    fc.boolean(),
  );
  const property = fc.property(fc.array(change, { maxLength: 60 }), (changes) => {
    const model = new Map<string, Uint8Array>();
    const trie = valueTrie();
    for (const [key, value, captures] of changes) {
      const name = `key ${key}`;
      if (captures) trie.capture();
      if (value === undefined) expect(trie.remove(name)).toBe(model.delete(name));
      else {
        expect(trie.set(name, value)).toBe(true);
        model.set(name, value);
      }
      expect(trie.get(name)).toBe(value);
    }
    for (const [name, value] of trie.entries()) expect(model.get(name)).toBe(value);
    expect(trie.entries()).toHaveLength(model.size);
    const plain = valueTrie();
    for (const [name, value] of model) plain.set(name, value);
    const leaves = trie.capture().length;
    expect(plain.capture()).toHaveLength(leaves);
    const all = [...model].reduce((sum, [name, value]) => sum + name.length + value.length + 8, 0);
    // One leaf for what fits into one; and no leaf is left with next to nothing beside a large one.
    expect(leaves).toBeGreaterThanOrEqual(Math.ceil(all / 65_536));
    if (all <= 65_536) expect(leaves).toBe(Math.min(1, model.size));
    const [again, more] = [trie.capture(), trie.capture()];
    expect(again.every((part, i) => part === more[i])).toBe(true);
  });
  fc.assert(property, { numRuns: runs(60) });
});

describe('a full store', () => {
  test('refuses what would make it larger, changes nothing, and takes what does not', () => {
    const trie = valueTrie();
    // Equal values share their memory, so that a full store takes none here.
    const value = new Uint8Array(30_000);
    let size = 0;
    let count = 0;
    while (trie.set(`key ${count}`, value)) size += value.length + `key ${count++}`.length + 8;
    expect(size).toBeLessThanOrEqual(maxStateBytes);
    expect(size).toBeGreaterThan(maxStateBytes - 31_000);
    expect(trie.get(`key ${count}`)).toBeUndefined();
    const parts = trie.capture().length;
    expect(trie.set('key 0', new Uint8Array(30_001).subarray(0, 30_000))).toBe(true);
    expect(trie.set('key 0', new Uint8Array(10))).toBe(true);
    expect(trie.capture().length).toBeLessThanOrEqual(parts);
    expect(trie.set('key 0', value)).toBe(true);
    expect(trie.capture().length).toBe(parts);
  });
});

test('a state beside the one that it is to replace shares what is the same', () => {
  const [before, after] = [valueTrie(), valueTrie()];
  const value = (mark: number): Uint8Array => new Uint8Array(2_000).fill(mark);
  for (let i = 0; i < 100; i++) before.set(`${i}`, value(i));
  for (let i = 20; i < 120; i++) after.set(`${i}`, value(i === 50 ? 0 : i));
  const fresh = valueTrie();
  for (const piece of pieces(after.capture())) fill(fresh, piece, before);
  expect(text(fresh.capture())).toEqual(text(after.capture()));
  const shared = [...Array(120).keys()].filter((i) => {
    const held = before.get(`${i}`);
    return held !== undefined && held === fresh.get(`${i}`);
  });
  expect(shared).toEqual([...Array(100).keys()].filter((i) => i >= 20 && i !== 50));
});
