import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  byzantine,
  grid,
  majority,
  nextBallot,
  QuorumError,
  type QuorumSystem,
  range,
  requireOverlap,
  threshold,
  weak,
  weighted,
} from './index.ts';

/** The dumb twin: all subsets of both systems, compared one by one. */
function overlapByBruteForce(first: QuorumSystem, second: QuorumSystem): number {
  const everyone = [...new Set([...first.members, ...second.members])];
  const subsets = Array.from({ length: 2 ** everyone.length }, (_, set) =>
    everyone.filter((_member, i) => set & (1 << i)),
  );
  let least = everyone.length;
  for (const one of subsets.filter((set) => first.has(set)))
    for (const two of subsets.filter((set) => second.has(set)))
      least = Math.min(least, one.filter((each) => two.includes(each)).length);
  return least;
}

test('overlap is what trying all subsets finds', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 5 }), fc.nat(), fc.nat(), fc.nat(), (n, a, b, w) => {
      const one = threshold(range(n), 1 + (a % n));
      const two = threshold(range(n), 1 + (b % n));
      const weights = new Map(range(n).map((each) => [each, 1 + ((w >> each) & 3)]));
      const heavy = weighted(weights, 1 + (w % n));
      expect(one.overlap(two)).toBe(overlapByBruteForce(one, two));
      expect(one.overlap(heavy)).toBe(overlapByBruteForce(one, heavy));
      expect(heavy.overlap(heavy)).toBe(overlapByBruteForce(heavy, heavy));
    }),
    { numRuns: 60 },
  );
});

test('two majorities share one, two Byzantine quorums f+1, for every n and f that fit', () => {
  for (let n = 1; n <= 40; n++) {
    expect(majority(n).overlap(majority(n))).toBeGreaterThanOrEqual(1);
    for (let f = 0; 3 * f + 1 <= n; f++) {
      const quorum = byzantine(n, f);
      expect(quorum.overlap(quorum)).toBeGreaterThanOrEqual(f + 1);
      expect(quorum.size).toBeLessThanOrEqual(n - f);
      expect(
        threshold(range(n), Math.max(1, quorum.size - 1)).overlap(
          threshold(range(n), Math.max(1, quorum.size - 1)),
        ),
      ).toBeLessThan(f + 1 + (quorum.size === 1 ? 1 : 0) + (n === 1 ? 1 : 0));
      expect(weak(n, f).size).toBe(f + 1);
    }
  }
});

test('the table of protocols.md 0.5: quorums for n = 4 to 13', () => {
  const sizes = [4, 5, 6, 7, 8, 9, 10, 13].map((n) => byzantine(n, Math.floor((n - 1) / 3)).size);
  expect(sizes).toEqual([3, 4, 4, 5, 6, 6, 7, 9]);
});

test('a repeated or unknown replica counts for nothing', () => {
  const two = threshold(range(3), 2);
  expect(two.has([1, 1, 1])).toBe(false);
  expect(two.has([1, 9])).toBe(false);
  expect(two.has([1, 2])).toBe(true);
});

test('a grid: every row meets every column', () => {
  const phases = grid([
    [0, 1],
    [2, 3],
    [4, 5],
  ]);
  requireOverlap(phases);
  expect(phases.phase2.overlap(phases.phase2)).toBe(0);
  expect(() => requireOverlap({ phase1: phases.phase2, phase2: phases.phase2 })).toThrow(
    QuorumError,
  );
});

test('impossible quorums are refused with a sentence', () => {
  expect(() => threshold(range(3), 4)).toThrow('use 1 to 3');
  expect(() => weighted(new Map([[0, 1]]), 2)).toThrow(QuorumError);
  expect(() => grid([[], [1]])).toThrow('no row may be empty');
  expect(() =>
    requireOverlap({ phase1: threshold(range(5), 2), phase2: threshold(range(5), 3) }),
  ).toThrow('share 0 replicas');
});

test('ballots grow and no two replicas share one', () => {
  fc.assert(
    fc.property(
      fc.nat({ max: 1e9 }),
      fc.integer({ min: 1, max: 50 }),
      fc.nat(),
      (above, n, who) => {
        const ballot = nextBallot(above, who % n, n);
        expect(ballot).toBeGreaterThan(above);
        expect(ballot % n).toBe(who % n);
      },
    ),
  );
});
