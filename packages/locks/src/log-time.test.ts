import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { logTime, tick } from './log-time.ts';

const rules = { stride: 1_000_000, faulty: 1 };

describe('log time', () => {
  test('goes as the clocks go, whatever they show and in whatever order they speak', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 2 }), { maxLength: 200 }), (order) => {
        const clock = logTime();
        const spoke = new Map<number, number>();
        let real = 0;
        for (const keeper of [0, 1, 2, ...order, 0, 1, 2]) {
          const last = spoke.get(keeper);
          tick(clock, keeper, last === undefined ? null : real - last, rules);
          spoke.set(keeper, real);
          // Never ahead of what has passed.
          expect(clock.now).toBeLessThanOrEqual(real);
          real += 10_000;
        }
        // And behind it only by what the slower two have not yet said.
        const said = [...spoke.values()].sort((a, b) => b - a)[1] ?? 0;
        const gaps = order.length * 10_000;
        if (gaps < rules.stride) expect(clock.now).toBeGreaterThanOrEqual(said - 30_000);
      }),
    );
  });

  test('is moved by no keeper alone, however fast its clock runs, and stopped by none', () => {
    const clock = logTime();
    for (const keeper of [0, 1, 2]) tick(clock, keeper, null, rules);
    for (let i = 0; i < 1000; i++) tick(clock, 0, 1_000_000, rules);
    expect(clock.now).toBe(0);
    // Now the liar is silent, and the two others are enough.
    for (let i = 0; i < 10; i++) for (const keeper of [1, 2]) tick(clock, keeper, 500_000, rules);
    expect(clock.now).toBe(5_000_000);
  });

  test('does not count the time in which nobody could speak', () => {
    const clock = logTime();
    for (const keeper of [0, 1, 2]) tick(clock, keeper, null, rules);
    for (const keeper of [0, 1, 2]) tick(clock, keeper, 3_600_000_000, rules);
    expect(clock.now).toBe(rules.stride);
  });

  test('a keeper that was away counts on from where the others are', () => {
    const clock = logTime();
    for (const keeper of [0, 1, 2]) tick(clock, keeper, null, rules);
    for (let i = 0; i < 20; i++) for (const keeper of [1, 2]) tick(clock, keeper, 500_000, rules);
    tick(clock, 0, null, rules);
    // One of the others dies; the one that came back takes its place.
    for (let i = 0; i < 20; i++) for (const keeper of [0, 1]) tick(clock, keeper, 500_000, rules);
    expect(clock.now).toBe(20_000_000);
  });

  test('never goes back', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.tuple(fc.integer({ min: 0, max: 4 }), fc.option(fc.integer({ min: 0, max: 2 ** 48 }))),
        ),
        (ticks) => {
          const clock = logTime();
          for (const [keeper, elapsed] of ticks) {
            const before = clock.now;
            tick(clock, keeper, elapsed, { stride: 1_000_000, faulty: 2 });
            expect(clock.now).toBeGreaterThanOrEqual(before);
            expect(clock.now - before).toBeLessThanOrEqual(2 * 1_000_000 * ticks.length);
          }
        },
      ),
    );
  });
});
