/**
 * A trusted part moves the bound: with a counter that nobody can make say two things, three are
 * enough for one liar. Take the counter away, or what is done with it, and three are too few.
 */
import { describe, expect, test } from 'vitest';
import { type Commit, minBft, type Prepare, type Replica, type Rules, rules } from './min-bft.ts';
import { type TrustedParts, trustedParts } from './trusted-counter.ts';

/** One who lies as the primary, and two who do not. */
interface World {
  readonly honest: readonly Replica[];
  /** What is under way, and what happens when it arrives. */
  readonly pending: (() => void)[];
}

/** The primary has made proposals, and sends each of them to some. */
type Lie = (trusted: TrustedParts) => readonly (readonly [to: number, message: Prepare])[];

function begin(lie: Lie, changed: Partial<Rules> = {}): World {
  const trusted = trustedParts();
  const pending: (() => void)[] = [];
  const honest: Replica[] = [1, 2].map((self) =>
    minBft(
      trusted,
      { self, f: 1 },
      (message: Commit) => {
        const other = honest[self === 1 ? 1 : 0];
        pending.push(() => other?.commit(message));
      },
      { ...rules, ...changed },
    ),
  );
  for (const [to, message] of lie(trusted)) pending.push(() => honest[to - 1]?.prepare(message));
  return { honest, pending };
}

const proposed = (trusted: TrustedParts, operation: string): Prepare => ({
  operation,
  identifier: trusted.create(0, operation),
});

/** Both proposals to both, so that each order and each loss is a choice of the schedule. */
const anything: Lie = (trusted) =>
  ['a', 'b'].flatMap((operation) => {
    const message = proposed(trusted, operation);
    return [1, 2].map((to) => [to, message] as const);
  });

/** One to each. */
const split: Lie = (trusted) =>
  ['a', 'b'].map((operation, i) => [i + 1, proposed(trusted, operation)] as const);

const isForked = ({ honest }: World): boolean => {
  const [one = [], other = []] = honest.map(({ executed }) => executed);
  return one.some((operation, i) => i < other.length && other[i] !== operation);
};

/** All that can come of it: what arrives next is any of what is under way, or nothing any more. */
function* endings(lie: Lie, changed?: Partial<Rules>): Generator<World> {
  const choices: number[][] = [[]];
  for (let path = choices.pop(); path !== undefined; path = choices.pop()) {
    const world = begin(lie, changed);
    for (const choice of path) world.pending.splice(choice, 1)[0]?.();
    yield world;
    for (let next = 0; next < world.pending.length; next++) choices.push([...path, next]);
  }
}

describe('three, one of whom lies', () => {
  test('agree, whatever a primary shows to whom, in whatever order it arrives', () => {
    let executed = 0;
    let worlds = 0;
    for (const world of endings(anything)) {
      expect(isForked(world)).toBe(false);
      worlds += 1;
      for (const each of world.honest) executed += each.executed.length;
    }
    expect(worlds).toBeGreaterThan(1000);
    expect(executed).toBeGreaterThan(1000);
  });

  test('are too few without a trusted part: the same primary shows each another proposal', () => {
    expect([...endings(split)].some(isForked)).toBe(false);
    expect([...endings(split, { counts: false })].some(isForked)).toBe(true);
  });

  test('B-49: a counter that is set back is no trusted part: two proposals have one number', () => {
    const setBack: Lie = (trusted) => {
      const first = proposed(trusted, 'a');
      trusted.setBack(0, 0);
      const second = proposed(trusted, 'b');
      expect(second.identifier.counter).toBe(first.identifier.counter);
      return [
        [1, first],
        [2, second],
      ];
    };
    expect([...endings(setBack)].some(isForked)).toBe(true);
  });

  test('B-50: who takes numbers with gaps executes what the other has not seen first', () => {
    expect([...endings(anything)].some(isForked)).toBe(false);
    expect([...endings(anything, { refusesGaps: false })].some(isForked)).toBe(true);
  });
});

test('a number is given once, to one text, by one member', () => {
  const trusted = trustedParts();
  const [first, second] = [trusted.create(0, 'a'), trusted.create(0, 'b')];
  expect([first.counter, second.counter]).toEqual([1, 2]);
  expect(trusted.verify(0, 'a', first)).toBe(true);
  for (const [member, text, identifier] of [
    [0, 'b', first],
    [1, 'a', first],
    [0, 'a', { ...first, counter: 2 }],
    [0, 'a', { counter: 1, proof: {} }],
  ] as const)
    expect(trusted.verify(member, text, identifier)).toBe(false);
});
