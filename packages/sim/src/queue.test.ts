import { expect, test } from 'vitest';
import { eventQueue, popEntry, pushEntry } from './queue.ts';
import { decisions } from './random.ts';
import { armTimer, disarmTimer, makeTimer, type Timer } from './timers.ts';

test('entries come out by time, then by order, with what belongs to them', () => {
  const random = decisions({ seed: 'queue' });
  const queue = eventQueue<string>(4);
  const model: { time: number; order: number; payload: string; seat: number }[] = [];
  let order = 0;
  for (let round = 0; round < 20_000; round++) {
    if (queue.length === 0 || random.below(100) < 52) {
      const time = random.below(50) + Math.floor(round / 100);
      const item = { time, order, payload: `p${order}`, seat: random.below(512) };
      model.push(item);
      pushEntry(queue, time, order++, random.below(7), item.seat, item.payload, order);
      continue;
    }
    let best = 0;
    model.forEach((each, i) => {
      const champion = model[best] as (typeof model)[number];
      if (each.time < champion.time || (each.time === champion.time && each.order < champion.order))
        best = i;
    });
    const [expected] = model.splice(best, 1);
    popEntry(queue);
    expect([queue.topTime, queue.topPayload, queue.topSeat, queue.topCause]).toEqual([
      expected?.time,
      expected?.payload,
      expected?.seat,
      (expected?.order ?? 0) + 1,
    ]);
  }
  expect(queue.length).toBe(model.length);
  expect(queue.largest).toBeGreaterThan(100);
});

test('a timer set a million times takes one place, and comes when it was last set for', () => {
  const heap: Timer[] = [];
  const timer = makeTimer(0, 'election', 0);
  for (let i = 0; i < 1_000_000; i++) armTimer(heap, timer, 1_000 + (i % 7), i);
  expect(heap).toEqual([timer]);
  expect(timer.time).toBe(1_000 + (999_999 % 7));
  disarmTimer(heap, timer);
  disarmTimer(heap, timer);
  expect(heap).toEqual([]);
});

test('armed timers stay in order whatever is set, moved and cleared', () => {
  const random = decisions({ seed: 'timers' });
  const heap: Timer[] = [];
  const all = Array.from({ length: 40 }, (_, i) => makeTimer(i, `t${i}`, i));
  for (let round = 0; round < 20_000; round++) {
    const timer = all[random.below(all.length)] as Timer;
    if (random.below(4) === 0) disarmTimer(heap, timer);
    else armTimer(heap, timer, random.below(100), round);
    const armed = all.filter(({ place }) => place >= 0);
    expect(heap.length).toBe(armed.length);
    armed.sort((one, two) => one.time - two.time || one.order - two.order);
    expect(heap[0]).toBe(armed[0]);
    expect(heap.every((each, i) => each.place === i)).toBe(true);
  }
});
