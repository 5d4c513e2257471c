import { type Interval, OptionsError } from '@quorumlab/core';
import { expect, test } from 'vitest';
import { seeded } from '../test/chance.ts';
import {
  type Acted,
  brokenBound,
  type ClockRules,
  clockFlaws,
  clockMutants,
  clockRules,
  errorAfter,
  giveBack,
  grant,
  intervalAt,
  isAfter,
  isBefore,
  type Lease,
  overlap,
} from './index.ts';

const epsilon = 7;
/** What a clock that is `offset` ahead answers at `at`. */
const shows = (at: number, offset: number): Interval => intervalAt(at + offset, epsilon);

/** When a commit that was stamped at `from` is told of, by a clock that stays as wrong as it is. */
function toldAt(rules: ClockRules, timestamp: number, from: number, offset: number): number {
  let at = from;
  while (!rules.isOver(timestamp, shows(at, offset))) at += 1;
  return at;
}

test('an interval that holds true time is certainly after what is certainly over', () => {
  expect(isAfter({ earliest: 5, latest: 9 }, 5)).toBe(false);
  expect(isAfter({ earliest: 6, latest: 9 }, 5)).toBe(true);
  expect(isBefore({ earliest: 5, latest: 9 }, 9)).toBe(false);
  expect(isBefore({ earliest: 5, latest: 9 }, 10)).toBe(true);
  expect(intervalAt(3, 7)).toEqual({ earliest: 0, latest: 10 });
});

test('a bound grows with time and is rounded up', () => {
  const bound = { base: 1000, driftPerBillion: 200_000 };
  expect([0, 1, 5000, 1_000_000, 30_000_000].map((since) => errorAfter(bound, since))).toEqual([
    1000, 1001, 1001, 1200, 7000,
  ]);
  expect(() => errorAfter({ base: -1 }, 0)).toThrow(OptionsError);
  expect(() => errorAfter({ base: 0.5 }, 0)).toThrow('base of 0.5');
});

// One commits at 100 by an exact clock, and another begins two moments after it was told of, by a
// clock that is as slow as it may be.
test.each(['commit-wait-latest', 'no-commit-wait'] as const)('%s: a later commit below', (name) => {
  const second = (rules: ClockRules): readonly [number, number] => {
    const first = rules.stamp(shows(100, 0));
    const ended = toldAt(rules, first, 100, 0);
    return [first, rules.stamp(shows(ended + 2, -epsilon))];
  };
  const [one, other] = second(clockMutants[name]);
  expect(other).toBeLessThan(one);
  const [first, later] = second(clockRules);
  expect(later).toBeGreaterThan(first);
});

test('a clock beyond its bound breaks the order of commits, and the reading is named', () => {
  const first = clockRules.stamp(shows(100, 50));
  const ended = toldAt(clockRules, first, 100, 50);
  expect(clockRules.stamp(shows(ended + 1, 0))).toBeLessThan(first);
  expect(brokenBound({ node: 1, interval: shows(100, 50), at: 100 })).toBe(
    'the clock of n1 answered 143 to 157 at 100: its bound of 7 µs is broken, ' +
      'the interval lies 43 µs too late',
  );
  expect(brokenBound({ node: 1, interval: shows(100, -50), at: 100 })).toContain('too early');
  expect(brokenBound({ node: 1, interval: shows(100, 7), at: 100 })).toBeUndefined();
});

/** Commits one after the other, by any clocks within the bound; whether timestamps follow. */
function ordered(rules: ClockRules, seed: number): boolean {
  const random = seeded(seed);
  const offset = (): number => random.below(2 * epsilon + 1) - epsilon;
  let at = 100;
  let last = -1;
  for (let i = 0; i < 20; i++) {
    const timestamp = rules.stamp(shows(at, offset()));
    if (timestamp <= last) return false;
    last = timestamp;
    at = toldAt(rules, timestamp, at, offset()) + 1 + random.below(3);
  }
  return true;
}

/** Nodes that take and use leases whenever their clocks let them. */
function acts(rules: ClockRules, seed: number): readonly Acted[] {
  const random = seeded(seed);
  const offsets = [0, 1, 2].map(() => random.below(2 * epsilon + 1) - epsilon);
  const found: Acted[] = [];
  /** What each of them believes to have: it hears of nothing that others do. */
  const own = new Map<number, Lease>();
  let lease: Lease | undefined;
  let highest = 0;
  for (let at = 100; at < 400; at += 1 + random.below(4)) {
    const node = random.below(3);
    const now = shows(at, offsets[node] as number);
    const asked = grant(lease, node, now, 20, rules);
    if (asked.kind === 'granted' && random.below(3) > 0) own.set(node, (lease = asked.lease));
    const mine = own.get(node);
    if (mine === undefined || !rules.mayAct(mine.end, now)) continue;
    if (mine.number === lease?.number) highest = Math.max(highest, rules.stamp(now));
    found.push({ lease: mine, from: at, to: at });
    if (mine.number !== lease?.number || random.below(20) > 0) continue;
    const ended = giveBack(mine, highest, now, rules);
    if (ended === undefined) continue;
    lease = ended;
    own.delete(node);
  }
  return found;
}

test('right rules order commits and keep leases apart; every wrong one does not', () => {
  const breaks = (rules: ClockRules): boolean => {
    for (let seed = 0; seed < 300; seed++)
      if (!ordered(rules, seed) || overlap(acts(rules, seed)) !== undefined) return true;
    return false;
  };
  expect(breaks(clockRules)).toBe(false);
  for (const [name, rules] of Object.entries(clockMutants)) expect(breaks(rules), name).toBe(true);
  expect(Object.keys(clockFlaws)).toEqual(Object.keys(clockMutants));
});

test('a lease is given to nobody else before it is over, and is longer for its holder', () => {
  const first = grant(undefined, 1, { earliest: 100, latest: 114 }, 1000);
  expect(first).toEqual({
    kind: 'granted',
    lease: { number: 1, holder: 1, start: 100, end: 1100 },
  });
  const { lease } = first;
  expect(grant(lease, 2, { earliest: 1100, latest: 1114 }, 1000)).toEqual({ kind: 'held', lease });
  expect(grant(lease, 2, { earliest: 1101, latest: 1115 }, 1000).lease).toMatchObject({
    number: 2,
    holder: 2,
  });
  expect(grant(lease, 1, { earliest: 600, latest: 614 }, 1000).lease).toMatchObject({
    number: 1,
    end: 1600,
  });
  // An old reading takes nothing back.
  expect(grant(lease, 1, { earliest: 50, latest: 64 }, 1000).lease.end).toBe(1100);
});

test('a lease is given back only once the highest timestamp under it is over', () => {
  const lease = { number: 1, holder: 1, start: 100, end: 1100 };
  expect(giveBack(lease, 300, { earliest: 300, latest: 314 })).toBeUndefined();
  expect(giveBack(lease, 300, { earliest: 301, latest: 315 })?.end).toBe(300);
  const early = giveBack(
    lease,
    300,
    { earliest: 250, latest: 264 },
    clockMutants['no-commit-wait'],
  );
  expect(early?.end).toBe(300);
});
