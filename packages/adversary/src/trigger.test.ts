/** When traitors act, and by which names they know what was said. */
import { expect, test } from 'vitest';
import { type Counter, counter } from '../test/counter.ts';
import { fingerprint } from './fingerprint.ts';
import {
  all,
  always,
  atSlots,
  atViews,
  chance,
  coalition,
  from,
  never,
  onceAfter,
  place,
  slotsBetween,
  type Trigger,
  viewsBetween,
} from './index.ts';

test('a once trigger fires once after each instant, however late it is asked', () => {
  const trigger = onceAfter(10, 20, 30);
  const fires = [5, 10, 11, 25, 26, 40, 50].filter((now) =>
    trigger({ now, view: undefined, slot: undefined, random: { below: () => 0 } }),
  );
  expect(fires).toEqual([10, 25, 40]);
});

test('what is about no view and no slot is at none', () => {
  const ask = { kind: 'ask', sequence: 1, value: 1 } as const;
  expect(place(counter, ask)).toEqual({ view: undefined, slot: undefined });
  expect(place({}, ask)).toEqual({ view: undefined, slot: undefined });
  const words = { vows: () => [['vote/7x/x7/12/3', 'a'] as const] };
  expect(place<Counter>(words, ask)).toEqual({ view: 12, slot: 3 });
  const at = { now: 0, random: { below: () => 0 }, ...place(counter, ask) };
  for (const trigger of [atSlots(0), atViews(0), slotsBetween(0, 9), viewsBetween(0, 9)])
    expect(trigger(at)).toBe(false);
  const edges = (slot: number) => slotsBetween(2, 3)({ ...at, slot });
  expect([1, 2, 3, 4].map(edges)).toEqual([false, true, true, false]);
  const views = (view: number) => viewsBetween(2, 3)({ ...at, view });
  expect([1, 2, 3, 4].map(views)).toEqual([false, true, true, false]);
});

test('the name of a statement is the same for equal ones only, whoever has sealed it', () => {
  const parts = [
    1,
    '1',
    null,
    undefined,
    true,
    Uint8Array.of(1),
    [1],
    { a: 1 },
    new Map([[1, 1]]),
    new Map([[1, 2]]),
    Uint8Array.of(2),
  ];
  const names = parts.map((part) => fingerprint({ part }));
  expect(new Set(names).size).toBe(parts.length);
  expect(fingerprint({ a: 1, b: 2 })).toBe(fingerprint({ b: 2, a: 1 }));
  expect(fingerprint({ a: 1, from: 1, signature: 2 })).toBe(fingerprint({ a: 1, from: 3 }));
  // Only the outer seal does not count.
  expect(fingerprint({ a: { from: 1 } })).not.toBe(fingerprint({ a: { from: 2 } }));
  expect(fingerprint({ a: 12, b: 3 })).not.toBe(fingerprint({ a: 1, b: 23 }));
  expect(fingerprint({})).toMatch(/^[0-9a-f]{16}$/);
});

test('a coalition remembers who said what with which face, and the latest of too many', () => {
  const shared = coalition();
  shared.note(1, { a: 1 }, 0);
  shared.note(1, { a: 2 }, 1);
  expect([shared.facesOf(1, { a: 1 }), shared.facesOf(1, { a: 2 })]).toEqual([[0], [1]]);
  expect([shared.facesOf(2, { a: 1 }), shared.facesOf(1, { a: 3 })]).toEqual([
    [0, 1],
    [0, 1],
  ]);
  shared.note(1, { a: 1 }, 0);
  expect(shared.facesOf(1, { a: 1 })).toEqual([0]);
  shared.note(1, { a: 1 }, 1);
  expect(shared.facesOf(1, { a: 1 })).toEqual([0, 1]);
});

test('triggers read view and slot from the vows', () => {
  const said = { kind: 'order', view: 7, slot: 3, value: 1 } as const;
  const at = { now: 50, random: { below: () => 1 }, ...place(counter, said) };
  const yes: Trigger[] = [
    always,
    atSlots(3),
    atViews(7),
    slotsBetween(1, 3),
    viewsBetween(7, 9),
    from(50),
    chance(2, 4),
    all(always, atViews(7)),
  ];
  const no: Trigger[] = [
    never,
    atSlots(4),
    atViews(8),
    slotsBetween(4, 9),
    viewsBetween(1, 6),
    from(51),
    chance(1, 4),
    all(always, never),
  ];
  expect(yes.map((trigger) => trigger(at))).toEqual(yes.map(() => true));
  expect(no.map((trigger) => trigger(at))).toEqual(no.map(() => false));
});
