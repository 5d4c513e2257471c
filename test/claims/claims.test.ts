import { ms, range } from '@quorumlab/core';
import { runScenario } from '@quorumlab/harness';
import { describe, expect, test } from 'vitest';
import { advice, broke, held } from './cells.ts';

const seeds = 12;

describe('holds where it is claimed', () => {
  for (const { name, scenario } of held)
    test(`${name}: ok under ${seeds} seeds`, () => {
      for (const i of range(seeds)) {
        const result = runScenario({ ...scenario, seed: `${i + 1}` });
        const { word, violation, expected } = result;
        const replay = `runScenario(${JSON.stringify(result.scenario)})`;
        expect(word, `${violation?.sentence}; replay: ${replay}`).toBe('ok');
        expect(expected).toBe(true);
      }
    });
});

describe('breaks where nothing is claimed', () => {
  for (const cell of broke)
    test(`${cell.name}: ${cell.word} under seed ${cell.scenario.seed}`, () => {
      const result = runScenario(cell.scenario);
      if (result.word !== cell.word) expect.fail(advice(cell, 200));
      expect(result.expected).toBe(true);
    });
});

test('the matrix in words', () => {
  const rows = broke.map((cell) => {
    const { word, violation } = runScenario(cell.scenario);
    return `${cell.name}: ${word}${violation ? ` (${violation.rule})` : ''}`;
  });
  expect(rows.join('\n')).toMatchInlineSnapshot(`
    "raft n=3 f=1, equivocating-leader by 0: forked (agreement)
    raft n=5 f=2, equivocating-leader by 0: forked (agreement)
    raft n=3 f=1, double-voter by 0: forked (agreement)
    raft n=5 f=2, double-voter by 0: forked (agreement)
    raft n=2 f=1, a crash: stalled (liveness)
    raft n=3 f=1, two crashes: stalled (liveness)
    raft n=3 f=1, restarts with lost disks: forked (agreement)
    pbft n=4 f=1, double-voter by 0,1: forked (agreement)
    pbft n=7 f=2, double-voter by 0,1,2: forked (agreement)
    pbft n=4 f=1, silent-leader by 0,1: stalled (liveness)
    pbft n=3 f=1, equivocating-leader by 0: stalled (liveness)
    pbft n=3 f=1, silent-follower by 0: stalled (liveness)"
  `);
});

test('control: liveness is judged, so nothing is ok because too little was asked', () => {
  const [cell] = held;
  if (cell === undefined) throw new Error('the matrix is empty');
  const never = { type: 'pause', at: ms(0), node: 0 } as const;
  const faults = [never, { ...never, node: 1 }];
  expect(runScenario({ ...cell.scenario, faults, until: ms(5000) }).word).not.toBe('ok');
});
