import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  apart,
  ballotOwner,
  byzantine,
  committedIndex,
  grid,
  joint,
  majority,
  nextBallot,
  QuorumError,
  type QuorumSystem,
  range,
  refusalOfQuorum,
  requireOverlap,
  threshold,
  voteResult,
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

test('a repeated or unknown replica counts for nothing, in systems of any size', () => {
  const present = fc.array(fc.integer({ min: 0, max: 24 }), { maxLength: 40 });
  const property = fc.property(present, fc.integer({ min: 1, max: 20 }), (some, size) => {
    const members = new Set(some.filter((each) => each < 20));
    const weights = new Map(range(20).map((each) => [each, each % 4]));
    const heavy = [...members].reduce((sum, each) => sum + (each % 4), 0);
    expect(threshold(range(20), size).has(some)).toBe(members.size >= size);
    expect(weighted(weights, size).has(some)).toBe(heavy >= size);
    const [one, two] = [threshold(range(10), Math.min(size, 10)), weighted(weights, size)];
    // Whoever is present may be told by something that can be gone through only once.
    expect(joint(one, two).has(some.values())).toBe(one.has(some) && two.has(some));
  });
  fc.assert(property);
  const two = threshold(range(3), 2);
  expect(two.has([1, 1, 1])).toBe(false);
  expect(two.has([1, 9])).toBe(false);
  expect(two.has([1, 2])).toBe(true);
});

test('a list, a set and a walk over the same replicas hold a quorum or none of them does', () => {
  const sizes = fc.integer({ min: 1, max: 12 });
  fc.assert(
    fc.property(sizes, sizes, fc.array(fc.nat(15), { maxLength: 24 }), (n, size, replicas) => {
      const system = threshold(range(n), Math.min(size, n));
      const counted = new Set(replicas.filter((each) => each < n)).size;
      const holds = counted >= system.size;
      expect(system.has(replicas)).toBe(holds);
      expect(system.has(new Set(replicas))).toBe(holds);
      expect(system.has(replicas.values())).toBe(holds);
    }),
  );
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
  for (const size of [0, 1.5, -1]) expect(() => threshold(range(3), size)).toThrow('use 1 to 3');
  for (const atLeast of [0, 0.5])
    expect(() => weighted(new Map([[0, 1]]), atLeast)).toThrow('weight');
  expect(() =>
    weighted(
      new Map([
        [0, -1],
        [1, 2],
      ]),
      1,
    ),
  ).toThrow('replica 0 weighs -1');
  expect(() => grid([])).toThrow('at least one row');
  expect(() => weighted(new Map([[0, 1]]), 2)).toThrow(QuorumError);
  expect(() => grid([[], [1]])).toThrow('no row may be empty');
  expect(() =>
    requireOverlap({ phase1: threshold(range(5), 2), phase2: threshold(range(5), 3) }),
  ).toThrow('the phase 1 quorum {0, 1} and the phase 2 quorum {2, 3, 4} share nobody');
  expect(() => requireOverlap({ phase1: majority(5), phase2: majority(5) }, 1)).toThrow(
    'share 1 replicas, need at least 2',
  );
  requireOverlap({ phase1: byzantine(4, 1), phase2: byzantine(4, 1) }, 1);
  expect(() => weighted(new Map([[0, 1.5]]), 1)).toThrow('replica 0 weighs 1.5');
  expect(() => grid([[0], [0]])).toThrow('is a member twice');
});

/** Systems of all kinds over up to 6 members, drawn from some numbers. */
function systemsOf(n: number, a: number, b: number, w: number): QuorumSystem[] {
  const weights = new Map(range(n).map((each) => [each, (w >> (2 * each)) & 3]));
  weights.set(0, 1 + (weights.get(0) ?? 0));
  const total = [...weights.values()].reduce((sum, each) => sum + each, 0);
  const phases = grid([range(n).slice(0, 1 + (a % n)), range(n).slice(1 + (a % n))].filter(filled));
  return [
    threshold(range(n), 1 + (a % n)),
    threshold(range(n), 1 + (b % n)),
    weighted(weights, 1 + (a % total)),
    weighted(weights, 1 + (b % total)),
    weighted(
      new Map([...weights].map(([each, weight]) => [(each + 1) % n, weight])),
      1 + (a % total),
    ),
    phases.phase1,
    phases.phase2,
  ];
}
const filled = (row: readonly number[]): boolean => row.length > 0;
const numbers = [fc.integer({ min: 1, max: 6 }), fc.nat(), fc.nat(), fc.nat()] as const;

test('two quorums that share nobody are found exactly where there are some, and named', () => {
  fc.assert(
    fc.property(...numbers, (n, a, b, w) => {
      const systems = systemsOf(n, a, b, w);
      for (const one of systems)
        for (const two of systems) {
          const pair = apart(one, two);
          expect(pair === undefined).toBe(overlapByBruteForce(one, two) > 0);
          if (pair === undefined) continue;
          expect(one.has(pair[0]) && two.has(pair[1])).toBe(true);
          expect(pair[0].filter((each) => pair[1].includes(each))).toEqual([]);
          // Nobody is named who is not needed.
          for (const [system, quorum] of [
            [one, pair[0]],
            [two, pair[1]],
          ] as const)
            for (const each of quorum)
              expect(system.has(quorum.filter((other) => other !== each))).toBe(false);
        }
    }),
    { numRuns: 40 },
  );
});

test('a system tolerates as many gone as trying all subsets finds', () => {
  fc.assert(
    fc.property(...numbers, (n, a, b, w) => {
      for (const system of systemsOf(n, a, b, w)) {
        const blocked = range(2 ** n)
          .map((set) => range(n).filter((i) => set & (1 << i)))
          .filter((left) => !system.has(left))
          .map((left) => n - left.length);
        expect(system.tolerates).toBe(Math.min(...blocked) - 1);
      }
    }),
  );
});

test('large systems are judged by arithmetic or by how they are built', () => {
  const rows = range(10).map((row) => range(10).map((column) => 10 * row + column));
  requireOverlap(grid(rows));
  const weights = new Map(range(100).map((each) => [each, 2]));
  // 101 and 100 of 200 exceed no bound that shows it, but no 2s make up 101 without a 102.
  requireOverlap({ phase1: weighted(weights, 101), phase2: weighted(weights, 99) });
  expect(() =>
    requireOverlap({ phase1: weighted(weights, 100), phase2: weighted(weights, 100) }),
  ).toThrow(/^the phase 1 quorum \{0, 1, .*, 49\} and the phase 2 quorum \{50, .*\} share nobody/);
  expect(() => requireOverlap({ phase1: weighted(weights, 101), phase2: majority(100) })).toThrow(
    '20 at most',
  );
  const heavy = new Map(range(3).map((each) => [each, 1e6]));
  expect(() => apart(weighted(heavy, 1e6), weighted(heavy, 1e6))).toThrow('divide the weights');
});

test('who is listed twice, or is no replica, is in no quorum system', () => {
  const twice = /^replica 0 is a member twice/;
  expect(() => threshold([0, 0, 0, 1], 2)).toThrow(twice);
  expect(() => grid([[0, 1], [0]])).toThrow(twice);
  for (const bad of [-1, 0.5, Number.NaN, 2 ** 60]) {
    expect(() => threshold([0, bad], 1)).toThrow(QuorumError);
    expect(() => weighted(new Map([[bad, 1]]), 1)).toThrow(QuorumError);
    expect(() => grid([[0, bad]])).toThrow(QuorumError);
  }
});

/** Two memberships that share some members, each with a threshold, and both at once. */
function memberships(n: number, a: number, b: number): readonly QuorumSystem[] {
  const before = threshold(range(n), 1 + (a % n));
  const after = threshold(
    range(n).map((each) => each + (a % 3)),
    1 + (b % n),
  );
  return [before, after, joint(before, after), joint(joint(after, before), majority(n))];
}

test('joint quorums overlap, are apart and bear crashes as trying all subsets finds', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 4 }), fc.nat(), fc.nat(), (n, a, b) => {
      for (const one of memberships(n, a, b)) {
        for (const two of memberships(n, b, a)) {
          const common = overlapByBruteForce(one, two);
          expect(one.overlap(two)).toBe(common);
          const pair = apart(one, two);
          expect(pair === undefined).toBe(common > 0);
          if (pair === undefined) continue;
          expect(one.has(pair[0]) && two.has(pair[1])).toBe(true);
          expect(pair[0].filter((each) => pair[1].includes(each))).toEqual([]);
        }
        const blocked = range(2 ** one.members.length)
          .map((set) => one.members.filter((_, i) => set & (1 << i)))
          .filter((left) => !one.has(left))
          .map((left) => one.members.length - left.length);
        expect(one.tolerates).toBe(Math.min(...blocked) - 1);
      }
    }),
    { numRuns: 40 },
  );
});

test('joint quorums of large memberships are counted', () => {
  const before = majority(101);
  const after = threshold(
    range(101).map((each) => each + 50),
    51,
  );
  expect(joint(before, after).overlap(before)).toBe(1);
  expect(joint(before, after).overlap(joint(after, before))).toBe(1);
  expect(apart(before, after)).toBeDefined();
  expect(apart(joint(before, after), after)).toBeUndefined();
});

/** The dumb twin: every way in which those who have not answered may still answer. */
function voteByBruteForce(system: QuorumSystem, yes: readonly number[], no: readonly number[]) {
  const silent = system.members.filter((each) => !yes.includes(each) && !no.includes(each));
  const ends = new Set(
    range(2 ** silent.length).map((set) =>
      system.has([...yes, ...silent.filter((_, i) => set & (1 << i))]),
    ),
  );
  if (system.has(yes)) return 'won';
  return ends.has(true) ? 'pending' : 'lost';
}

test('a vote is lost exactly if no answer that is missing can win it', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 4 }), fc.nat(), fc.nat(), fc.nat(), (n, a, b, said) => {
      for (const system of memberships(n, a, b)) {
        const yes = system.members.filter((_, i) => ((said >> (2 * i)) & 3) === 1);
        const no = system.members.filter((_, i) => ((said >> (2 * i)) & 3) === 2);
        expect(voteResult(system, [...yes, 99], [...no, 98])).toBe(
          voteByBruteForce(system, yes, no),
        );
      }
    }),
  );
});

test('the committed index is the highest that a quorum has reached', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 4 }), fc.nat(), fc.nat(), fc.nat(), (n, a, b, at) => {
      for (const system of memberships(n, a, b)) {
        const known = system.members.filter((_, i) => (at >> i) & 1);
        const acknowledged = new Map(known.map((each, i) => [each, (at >> (2 * i)) & 7]));
        const reached = [...acknowledged.values()].filter((index) =>
          system.has(known.filter((each) => (acknowledged.get(each) as number) >= index)),
        );
        const highest = reached.length === 0 ? undefined : Math.max(...reached);
        expect(committedIndex(system, acknowledged)).toBe(highest);
      }
    }),
  );
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
        expect(ballotOwner(ballot, n)).toBe(who % n);
        expect(Math.floor(ballot / n)).toBe(Math.floor(above / n) + 1);
      },
    ),
  );
});

test('a quorum set by hand is refused unless two share an honest one and n-f form one', () => {
  for (let n = 1; n <= 5; n++)
    for (let f = 0; f < n; f++) {
      for (const size of [0, n + 1, 1.5])
        expect(refusalOfQuorum(size, n, f, true)).toContain('use an integer from 1');
      for (const size of range(n).map((each) => each + 1)) {
        const quorum = threshold(range(n), size);
        const survives = overlapByBruteForce(quorum, quorum) > f && quorum.has(range(n - f));
        expect(refusalOfQuorum(size, n, f, false) === null).toBe(survives);
        expect(refusalOfQuorum(size, n, f, true)).toBe(null);
      }
    }
});
