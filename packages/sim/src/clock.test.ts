import { expect, test } from 'vitest';
import { dueTime, localTime, ScenarioError, skewClock, startClock, wallTime } from './clock.ts';
import { decisions } from './random.ts';

/** floor division of what a clock has drifted, in numbers that cannot overflow. */
function exact(at: number, drift: number): number {
  const product = BigInt(at) * BigInt(drift);
  const billion = 1_000_000_000n;
  const floor = product >= 0n ? product / billion : -((-product + billion - 1n) / billion);
  return at + Number(floor);
}

test('a drifting clock shows exactly what exact arithmetic says, for years', () => {
  const random = decisions({ seed: 'drift' });
  for (let round = 0; round < 20_000; round++) {
    const driftPerBillion = random.below(200_000_001) - 100_000_000;
    const at = random.below(2 ** random.below(45) + 1);
    const clock = startClock({ offset: 5, driftPerBillion });
    expect(localTime(clock, at)).toBe(Math.max(0, 5 + exact(at, driftPerBillion)));
  }
});

test('a timer is due at the first instant at which its clock has moved that far', () => {
  const random = decisions({ seed: 'due' });
  for (let round = 0; round < 5_000; round++) {
    const driftPerBillion = random.below(200_000_001) - 100_000_000;
    const clock = startClock({ offset: 1_000_000, driftPerBillion });
    const at = random.below(2 ** 40);
    const delay = random.below(10_000_000);
    const due = dueTime(clock, at, delay);
    const passed = (now: number): number => localTime(clock, now) - localTime(clock, at);
    expect(due >= at && passed(due) >= delay).toBe(true);
    if (due > at) expect(passed(due - 1) < delay).toBe(true);
  }
});

test('the interval holds true time while the model keeps its bound, and not after a jump', () => {
  const clock = startClock({ offset: 300, driftPerBillion: 1_000, epsilon: 500 });
  for (let at = 0; at < 100_000_000; at += 999_983) {
    const { earliest, latest } = wallTime(clock, at);
    expect(earliest <= at && at <= latest).toBe(true);
    expect(latest - earliest).toBeLessThanOrEqual(1_000);
  }
  skewClock(clock, 100_000_000, 5_000);
  expect(wallTime(clock, 100_000_001).earliest).toBeGreaterThan(100_000_001);
});

test('a jump and a new rate never take the monotonic clock back', () => {
  const clock = startClock({ driftPerBillion: 50_000_000 });
  let last = 0;
  for (let at = 0; at < 1_000_000; at += 1_000) {
    if (at === 500_000) skewClock(clock, at, -400_000, -50_000_000);
    const now = localTime(clock, at);
    expect(now).toBeGreaterThanOrEqual(last);
    last = now;
  }
  expect(wallTime(clock, 1_000_000).latest).toBeLessThan(last);
});

test('a clock that no arithmetic here can follow is refused', () => {
  expect(() => startClock({ driftPerBillion: 2e8 })).toThrow(ScenarioError);
  expect(() => startClock({ offset: 0.5 })).toThrow(ScenarioError);
  expect(() => startClock({ epsilon: -1 })).toThrow(ScenarioError);
});
