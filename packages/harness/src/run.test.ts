import { ms } from '@quorumlab/core';
import { traceBuffer } from '@quorumlab/sim';
import { expect, test } from 'vitest';
import {
  completeScenario,
  type RunSoFar,
  runInPieces,
  runScenario,
  type Scenario,
  search,
  summarise,
} from './index.ts';

const raft = (given: Partial<Scenario> = {}): Scenario =>
  completeScenario({ protocol: 'raft', until: ms(20_000), ...given });

test('one liar forks Raft and not PBFT, by the same attack and seed, and is proven to lie', () => {
  const attack = { attack: 'equivocating-leader', by: [0], seed: '42' } as const;
  const forked = runScenario(raft(attack), { proofs: true });
  expect(forked).toMatchObject({ word: 'forked', expected: true });
  const held = runScenario(completeScenario({ protocol: 'pbft', ...attack }), { proofs: true });
  expect(held).toMatchObject({ word: 'ok', expected: true });
  for (const { fired, proofs } of [forked, held]) {
    expect(fired).toBeGreaterThan(0);
    expect(new Set(proofs.map(({ signer }) => signer))).toEqual(new Set([0]));
  }
});

test('watching a run does not change it', () => {
  const scenario = raft({ network: 'lossy', workload: 'a' });
  const { digest } = runScenario(scenario);
  const trace = traceBuffer();
  const watched = { trace, proofs: true, story: true, record: true, countBytes: true } as const;
  expect(runScenario(scenario, watched).digest).toBe(digest);
  expect(runScenario(scenario, { lines: false }).digest).toBe(digest);
});

test('the choices of a run, made again, give the same run', () => {
  const scenario = raft({ network: 'lossy' });
  const { digest, decisions } = runScenario(scenario, { record: true });
  const again = runScenario(scenario, decisions ? { decisions } : {});
  expect(again.digest).toBe(digest);
});

test('clients have work until the last fault is over', () => {
  const at = ms(3000);
  const faults = [
    { type: 'crash', at: ms(1000), node: 'leader' },
    { type: 'restart', at, node: 'leader' },
  ] as const;
  const { now, answered, word, counters } = runScenario(raft({ faults }));
  expect({ word, answered }).toEqual({ word: 'ok', answered: 20 });
  expect(counters).toMatchObject({ crashes: 1, restarts: 1 });
  expect(now).toBeGreaterThan(at);
  // The group got on without its leader, under load.
  expect(counters.kinds['request-vote']?.sent).toBeGreaterThan(2);
});

test('faults of every kind happen', () => {
  const faults = [
    { type: 'backup', at: ms(1), node: 0 },
    { type: 'skew', at: ms(2), node: 1, by: 1000, driftPerBillion: 1000 },
    { type: 'cut', at: ms(3), from: [0], to: [1], kinds: ['append-entries'] },
    { type: 'disk', at: ms(4), node: 2, disk: { full: true } },
    { type: 'pause', at: ms(5), node: 1 },
    { type: 'resume', at: ms(6), node: 1 },
    { type: 'heal', at: ms(7) },
  ] as const;
  const result = runScenario(raft({ faults }));
  expect(result.word).toBe('ok');
  expect(result.reasons).toEqual([undefined, undefined, expect.stringMatching(/^DiskFull/)]);
});

test('a crash at a boundary happens there, and the replica is back in time', () => {
  const calm = runScenario(raft({ count: 3 }));
  expect(Math.min(...calm.boundaries)).toBeGreaterThan(3);
  const crashAt = { seat: 1, boundary: 3, restartAfter: ms(1) };
  const { counters, word } = runScenario(raft({ count: 3 }), { crashAt });
  expect(counters).toMatchObject({ crashes: 1, restarts: 1 });
  expect(word).toBe('ok');
});

test('what nobody claims is expected, what is claimed is not', () => {
  const expected = (given: Partial<Scenario>): boolean => {
    const result = runScenario(raft(given));
    expect(result.word).not.toBe('ok');
    return result.expected;
  };
  const gone = (node: number) => ({ type: 'crash', at: ms(1), node }) as const;
  expect(expected({ attack: 'equivocating-leader', by: [0] })).toBe(true);
  expect(expected({ faults: [gone(0), gone(1)] })).toBe(true);
  expect(expected({ n: 2, f: 1, unsafe: true, faults: [gone(0)] })).toBe(true);
});

test('a budget that ends before an answer is no verdict, and is named', () => {
  const spent = (given: Partial<Scenario>) => {
    const { word, expected, spent } = runScenario(raft(given));
    expect({ word, expected }).toEqual({ word: 'inconclusive', expected: true });
    return spent;
  };
  expect(spent({ until: ms(2) })).toBe('time');
  expect(spent({ events: 40 })).toBe('events');
  expect(runScenario(raft({ events: 100_000 }))).not.toHaveProperty('spent');
  const searched = summarise(search(raft({ events: 40 }), 3), 3);
  expect(searched).toMatchObject({ word: 'inconclusive', inconclusive: 3, first: undefined });
  expect(searched.unfinished?.scenario.seed).toBe('42');
});

test('a search adds up its runs', () => {
  const scenario = raft({ attack: 'equivocating-leader', by: [0], seed: '1' });
  const seen: number[] = [];
  const all = summarise(search(scenario, 5), 5, ({ runs }) => seen.push(runs));
  expect(seen).toEqual([1, 2, 3, 4, 5]);
  expect(all).toMatchObject({ word: 'forked', expected: true, runs: 5, hits: 5, fired: 5 });
  expect(all.digest).toBe(runScenario(scenario).digest);
  const clean = summarise(search(raft(), 3), 3);
  expect(clean).toMatchObject({ word: 'ok', hits: 0, upper95: 100 });
});

test('a run in pieces is the same run, and ends at the first pause after somebody says so', () => {
  const given = { n: 3, attack: 'equivocating-leader', by: [0], count: 30 } as const;
  const whole = runScenario(raft(given), { story: true, proofs: true });
  const pauses: RunSoFar[] = [];
  const pieces = runInPieces(raft(given), { story: true, proofs: true });
  let piece = pieces.next();
  for (; !piece.done; piece = pieces.next()) pauses.push(piece.value);
  expect(piece.value).toEqual(whole);
  expect(pauses.length).toBeGreaterThan(1);
  expect(pauses.map(({ events }) => events)).toEqual(
    pauses.map(({ events }) => events).toSorted((one, two) => one - two),
  );

  const stopped = runInPieces(raft({ count: 30 }), { isStopped: () => true });
  expect(stopped.next().done).toBe(false);
  const { done, value } = stopped.next();
  expect(done).toBe(true);
  expect(value).toMatchObject({ word: 'inconclusive', spent: 'patience', expected: true });
  expect(value.events).toBeLessThan(runScenario(raft({ count: 30 })).events);
});
