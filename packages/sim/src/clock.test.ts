import { expect, test } from 'vitest';
import {
  dueTime,
  localTime,
  type RunningClock,
  ScenarioError,
  skewClock,
  startClock,
  wallTime,
} from './clock.ts';
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

/** TrueTime's: 1 ms after a synchronisation, every 30 s, and 200 µs more with each second. */
const trueTime = { epsilon: 1000, growthPerBillion: 200_000, syncEvery: 30_000_000 };
const second = 1_000_000;

/** Half the width of what a clock answers, and by how much that does not hold true time. */
function errorAt(clock: RunningClock, at: number): readonly [error: number, beyond: number] {
  const { earliest, latest } = wallTime(clock, at);
  return [(latest - earliest) / 2, Math.max(0, earliest - at, at - latest)];
}

test('the error that a clock admits to is a sawtooth between synchronisations', () => {
  const clock = startClock({ ...trueTime, offset: -1000, driftPerBillion: -200_000 });
  const errors = [30, 31, 45, 59.999, 60, 61].map((at) => errorAt(clock, at * second)[0]);
  expect(errors).toEqual([1000, 1200, 4000, 7000, 1000, 1200]);
  // One that is synchronised for the first time after 10 s was so 20 s before it began.
  const early = startClock({ ...trueTime, syncFirst: 10 * second });
  expect([1, 9, 10].map((at) => errorAt(early, at * second)[0])).toEqual([5200, 6800, 1000]);
  // What timers go by is never set: it has lost 200 µs with each second.
  expect(localTime(clock, 60 * second)).toBe(60 * second - 1000 - 12_000);
});

test('within its bound each clock holds true time between any two synchronisations', () => {
  const random = decisions({ seed: 'sawtooth' });
  const within = (most: number): number => random.below(2 * most + 1) - most;
  for (let round = 0; round < 300; round++) {
    const epsilon = random.below(10_000);
    const growthPerBillion = random.below(10_000_000);
    const syncEvery = 1000 + random.below(2 * second);
    const bound = { epsilon, growthPerBillion, syncEvery, syncFirst: random.below(syncEvery) };
    const drift = within(growthPerBillion);
    const clock = startClock({ ...bound, offset: within(epsilon), driftPerBillion: drift });
    for (let i = 0; i < 30; i++) expect(errorAt(clock, random.below(100 * second))[1]).toBe(0);
    // Half of them drift otherwise from then on, and still by no more than they admit to.
    skewClock(clock, 100 * second, 0, within(growthPerBillion));
    for (let i = 0; i < 30; i++)
      expect(errorAt(clock, 100 * second + random.below(100 * second))[1]).toBe(0);
  }
});

test('a clock that drifts by more is beyond its bound until it is synchronised', () => {
  const clock = startClock({ ...trueTime, driftPerBillion: 600_000 });
  const beyond = [30, 32, 33, 59, 60].map((at) => errorAt(clock, at * second)[1]);
  expect(beyond).toEqual([0, 0, 200, 10_600, 0]);
});

test('a jump lasts until a clock is synchronised, and a wrong source for good', () => {
  const clock = startClock(trueTime);
  skewClock(clock, 31 * second, 50_000);
  expect([31, 59, 60].map((at) => errorAt(clock, at * second)[1])).toEqual([48_800, 43_200, 0]);
  skewClock(clock, 61 * second, 0, 0, -20_000);
  const beyond = [61, 90, 120, 150].map((at) => errorAt(clock, at * second)[1]);
  expect(beyond).toEqual([18_800, 19_000, 19_000, 19_000]);
  skewClock(clock, 160 * second, 0, 0, 0);
  expect(errorAt(clock, 160 * second)[1]).toBe(0);
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
  expect(() => startClock({ syncEvery: -1 })).toThrow('synchronised every -1 µs');
  expect(() => startClock({ syncEvery: 5, syncFirst: 6 })).toThrow('first at 6');
  expect(() => startClock({ growthPerBillion: 0.5 })).toThrow(ScenarioError);
});
