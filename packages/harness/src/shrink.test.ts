import { ms, range } from '@quorumlab/core';
import { parseTrace, traceBuffer } from '@quorumlab/sim';
import { expect, test } from 'vitest';
import {
  completeScenario,
  runScenario,
  type Scenario,
  type ShrinkProgress,
  type Shrunk,
  shrink,
} from './index.ts';
import { reduce } from './reduce.ts';

const small = (given: Parameters<typeof completeScenario>[0]): Shrunk => {
  const shrunk = shrink(completeScenario(given));
  if (shrunk === undefined) throw new Error('the run violates nothing');
  return shrunk;
};

/** The trace of a scenario that came out of a trace's header, as replay makes it. */
function replayed(scenario: Scenario): { trace: string; digest: string } {
  const buffer = traceBuffer();
  const { digest } = runScenario(scenario, { trace: buffer, proofs: true, story: true });
  return { trace: buffer.text(), digest };
}

test('what is left out is left out in ever smaller groups, the last first', () => {
  const asked: string[] = [];
  const kept = reduce(['a', 'b', 'c', 'd', 'e'], (rest) => {
    asked.push(rest.join(''));
    return rest.includes('b') && rest.includes('d');
  });
  expect(kept).toEqual(['b', 'd']);
  expect(asked.slice(0, 3)).toEqual(['', 'ab', 'cde']);
  expect(reduce([1, 2, 3], () => true)).toEqual([]);
  expect(reduce([1, 2, 3], () => false)).toEqual([1, 2, 3]);
});

test('shrinking tells after every try what is spent, and how small it has become', () => {
  const told: ShrinkProgress[] = [];
  const lie = completeScenario({ protocol: 'raft', attack: 'equivocating-leader' });
  const small = shrink(lie, { tries: 30, tried: (spent) => told.push(spent) });
  expect(told.map(({ tries }) => tries)).toEqual(range(small?.tries ?? 0).map((i) => i + 1));
  expect(told.every(({ before }) => before === small?.before)).toBe(true);
  const spent = told.map(({ events }) => events);
  expect(spent).toEqual([...spent].sort((one, two) => one - two));
  expect(told.at(-1)?.after).toBeLessThan(small?.before ?? 0);
});

test('a lie among five nodes becomes one among three, with two requests', () => {
  const attack = { protocol: 'raft', n: 5, attack: 'equivocating-leader', by: [0] } as const;
  const { scenario, result, before, after, steps } = small({ ...attack, network: 'lossy' });
  expect(result).toMatchObject({ word: 'forked', expected: true });
  expect(result.violation?.rule).toBe('agreement');
  expect(scenario).toMatchObject({ n: 3, count: 2, network: 'lan' });
  expect(after).toBeLessThan(before / 5);
  expect(new Set(steps.map(({ what }) => what))).toContain('messages');
});

const flawed = {
  protocol: 'pbft',
  n: 5,
  mutant: 'hard-coded-2f+1',
  attack: 'double-voter',
  by: [0],
  seed: '1',
  faults: [
    { type: 'crash', at: ms(1500), node: 4 },
    { type: 'restart', at: ms(1600), node: 4 },
    { type: 'skew', at: ms(1700), node: 3, by: 1000 },
  ],
} as const;

test('the counterexample of a flawed variant gets small and replays to the same digest', () => {
  const { scenario, result, before, after } = small(flawed);
  const given = runScenario(completeScenario(flawed));
  expect(result.word).toBe(given.word);
  expect(result.violation?.rule).toBe(given.violation?.rule);
  expect(after).toBeLessThan(before / 5);
  expect(scenario.faults).toEqual([]);
  const first = replayed(scenario);
  expect(first.digest).toBe(result.digest);
  // All that a file knows is its header.
  const { header } = parseTrace(first.trace);
  expect(replayed(header.scenario as Scenario)).toEqual(first);
});

test('shrinking is deterministic, and what is small stays as it is', () => {
  const one = small(flawed);
  expect(small(flawed)).toEqual(one);
  const again = shrink(one.scenario);
  expect(again?.after).toBeLessThanOrEqual(one.after);
  expect(again?.result.violation?.rule).toBe(one.result.violation?.rule);
});

test('the budget is kept, and whatever was reached by then is right', () => {
  for (const tries of [1, 2, 10, 50]) {
    const shrunk = shrink(completeScenario(flawed), { tries });
    expect(shrunk?.tries).toBeLessThanOrEqual(tries);
    const { word, violation } = runScenario(shrunk?.scenario as Scenario);
    expect({ word, rule: violation?.rule }).toEqual({ word: 'forked', rule: 'agreement' });
  }
});

test('a stall keeps its messages, and a run without a violation cannot be shrunk', () => {
  const silent = { protocol: 'pbft', attack: 'silent-leader', by: [0, 1] } as const;
  const { result, scenario } = small(silent);
  expect(result.word).toBe('stalled');
  expect(scenario.script?.lost).toEqual([]);
  expect(shrink(completeScenario({ protocol: 'raft' }))).toBeUndefined();
});
