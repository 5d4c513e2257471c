/** Tentative replies: what a service says before a decision, and what a client makes of it. */
import { decode, encode, firstClient, SchemaError } from '@quorumlab/core';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { from, puppet, requestOf, sentIn } from '../test/puppet.ts';
import { runs } from '../test/runs.ts';
import { client } from './client.ts';
import { hashOf } from './hash.ts';
import { keyValueStore, kv } from './key-value-store.ts';
import { type Reply, reply, type ServiceMessage } from './messages.ts';

const policy = { matching: 2, tentative: 3, ask: 'any', signed: false } as const;
const byzantine = { client: policy, claims: { faults: 'byzantine' } } as never;

/** What a replica says when `requests` are tentative in slot 0 of term 7. */
const tentatively =
  (...requests: readonly ReturnType<typeof requestOf>[]) =>
  (at: ReturnType<typeof puppet>, slot = 0): Reply[] =>
    sentIn(at.does((ctx) => ctx.executeTentatively(slot, requests, 7))) as Reply[];

test('requests are answered before they are decided, and nothing of it stays', () => {
  const at = puppet({ protocol: byzantine });
  const before = at.state();
  const [first, second] = tentatively(requestOf(1), requestOf(2))(at);
  expect(first).toMatchObject({ kind: 'reply', sequence: 1, term: 7, tentative: 0 });
  expect(second).toMatchObject({ sequence: 2, term: 7, tentative: 0 });
  expect(at.state()).toEqual(before);
  // Another request takes the slot: as if the first ones had never run.
  const other = puppet({ protocol: byzantine });
  for (const each of [at, other]) each.does((ctx) => ctx.decide(0, [requestOf(9)]));
  expect(at.state()).toEqual(other.state());
});

test('what is decided then runs once, and is answered once more', () => {
  const at = puppet({ protocol: byzantine });
  const other = puppet({ protocol: byzantine });
  const said = tentatively(requestOf(1), requestOf(1))(at);
  // The second is the first one again: it ran.
  expect(said).toHaveLength(1);
  const decided = at.does((ctx) => ctx.decide(0, [requestOf(1)]));
  expect(decided.applied).toMatchObject([{ slot: 0, fresh: true }]);
  const { tentative, term: _, ...rest } = said[0] as Reply;
  expect([tentative, sentIn(decided)]).toMatchObject([0, [rest]]);
  expect(tentatively(requestOf(1))(at, 1)).toEqual([]);
  other.decides(0);
  expect(at.state()).toEqual(other.state());
});

test('only the next slot is run, and nothing about the group', () => {
  const at = puppet({ protocol: byzantine });
  expect(tentatively(requestOf(1))(at, 1)).toEqual([]);
  const change = { ...requestOf(2), operations: [], configuration: Uint8Array.of(1) };
  expect(tentatively(requestOf(1), change)(at)).toEqual([]);
  const store = () => ({ ...keyValueStore(), mark: undefined });
  const plain = puppet({ protocol: byzantine, service: { stateMachine: store as never } });
  expect(tentatively(requestOf(1))(plain)).toEqual([]);
  expect(tentatively(requestOf(1))(puppet())).toEqual([]);
});

/** A client that has asked once; what it is told, and whether that ends its wait. */
function asking() {
  const machine = client(policy, [0, 1, 2, 3], firstClient);
  const clock = { earliest: 0, latest: 0 };
  const operation = kv.put('a', 'b');
  const { sends } = machine.step({
    ...{ now: 0, clock, event: { type: 'submit', id: 1, operation, readOnly: false } },
  });
  const [{ message }] = sends as unknown as [{ readonly message: { readonly sequence: number } }];
  const { sequence } = message;
  return (sender: number, result: number, slot?: number, term = 0): boolean => {
    const said: Reply = {
      ...{ kind: 'reply', client: firstClient, sequence, leader: 0, term },
      hash: hashOf({ operations: [operation] }),
      results: [Uint8Array.of(result)],
      ...(slot === undefined ? {} : { tentative: slot }),
    };
    const event = { type: 'message', message: from<ServiceMessage>(sender, said) } as const;
    return machine.step({ now: 1, clock, event }).answers.length > 0;
  };
}

test('a client believes three tentative replies of one slot and term, or two that are not', () => {
  const three = asking();
  expect([three(0, 7, 4, 1), three(0, 7, 4, 1), three(1, 7, 4, 1)]).toEqual([false, false, false]);
  expect(three(2, 7, 4, 1)).toBe(true);
  const two = asking();
  expect([two(0, 7, 4, 1), two(1, 7), two(2, 7)]).toEqual([false, false, true]);
});

test('replies of other slots, terms or results do not count together', () => {
  const hear = asking();
  for (const [slot, term] of [
    [4, 1],
    [5, 1],
    [4, 2],
  ] as const)
    expect([hear(0, 7, 4, 1), hear(1, 7, slot, term), hear(2, 8, 4, 1)]).not.toContain(true);
  expect(hear(3, 7, 4, 2)).toBe(false);
  // Now three speak of slot 4 and term 2.
  expect([hear(0, 7, 4, 2), hear(2, 8, 4, 2)]).toEqual([true, false]);
});

test('who has said that it ran is still one of those who had it tentatively', () => {
  const hear = asking();
  expect([hear(0, 7, 4, 1), hear(0, 7), hear(1, 7, 4, 1)]).not.toContain(true);
  expect(hear(2, 7, 4, 1)).toBe(true);
  // A late tentative reply takes back nothing.
  const late = asking();
  expect([late(0, 7), late(0, 7, 4, 1), late(1, 7)]).toEqual([false, false, true]);
});

test('a reply that is not tentative has the bytes that it always had', () => {
  const plain: Reply = {
    ...{ kind: 'reply', client: 9, sequence: 3, hash: 2 ** 32 - 1, leader: null, term: 2 },
    results: [Uint8Array.of(1)],
  };
  const short = encode(reply, plain);
  expect(decode(reply, short)).toEqual(plain);
  for (const tentative of [0, 1, 2 ** 48]) {
    const long = encode(reply, { ...plain, tentative });
    expect(decode(reply, long)).toEqual({ ...plain, tentative });
    expect(long.length).toBeGreaterThan(short.length);
    expect(() => decode(reply, long.subarray(0, -1))).toThrow(SchemaError);
  }
});

test('a store takes back whatever was applied since the mark, also what split its leaves', () => {
  const write = fc.record({
    key: fc.integer({ min: 0, max: 30 }),
    size: fc.constantFrom(undefined, 1, 9_000, 30_000),
  });
  const writes = fc.array(write, { maxLength: 40 });
  fc.assert(
    fc.property(writes, writes, writes, (before, tried, after) => {
      const store = keyValueStore();
      const other = keyValueStore();
      const put = (to: typeof store, { key, size }: (typeof before)[number]): Uint8Array =>
        to.apply(size === undefined ? kv.delete(`${key}`) : kv.put(`${key}`, new Uint8Array(size)));
      const pieces = (of: typeof store): number =>
        (of.capture?.() ?? []).flatMap((part) => part.encode()).length;
      for (const each of before) expect(put(store, each)).toEqual(put(other, each));
      const captured = store.capture?.() ?? [];
      const state = captured.map((part) => part.encode());
      const undo = store.mark?.();
      for (const each of tried) put(store, each);
      undo?.();
      expect([store.snapshot(), pieces(store)]).toEqual([other.snapshot(), pieces(other)]);
      for (const each of after) expect(put(store, each)).toEqual(put(other, each));
      expect([store.snapshot(), pieces(store)]).toEqual([other.snapshot(), pieces(other)]);
      expect(captured.map((part) => part.encode())).toEqual(state);
    }),
    { numRuns: runs(20) },
  );
});
