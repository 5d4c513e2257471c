import { ms, range } from '@quorumlab/core';
import { leastLiars, protocolOf, runScenario } from '@quorumlab/harness';
import { describe, expect, test } from 'vitest';
import { broke, type Cell, find, firstRun, larger, lying, matrix, replay } from './cells.ts';

/** Seeds of each cell: where all must be `ok`, and where one of them must break. */
const seeds = { matrix: 6, larger: 3, broke: 40 };

function judge(cell: Cell, many: number): void {
  const found = find(cell, many);
  const line = found.word === 'ok' ? 'the attack or the checker is too weak' : replay(found);
  expect(found.word, `${found.sentence}; ${line}`).toBe(cell.word);
}

describe('every protocol under every attack', () => {
  for (const cell of matrix) test(`${cell.name}: ${cell.word}`, () => judge(cell, seeds.matrix));
});

describe('larger groups hold what is claimed', () => {
  for (const cell of larger) test(cell.name, () => judge(cell, seeds.larger));
});

describe('breaks where nothing is claimed', () => {
  for (const cell of broke) test(`${cell.name}: ${cell.word}`, () => judge(cell, seeds.broke));
});

describe('who broke a vow is named, and nobody else', () => {
  for (const cell of lying)
    test(cell.name, () => {
      const { scenario } = cell;
      const { word, proofs } = firstRun(cell);
      const named = [...new Set(proofs.map(({ signer }) => signer))];
      expect(scenario.by).toEqual(expect.arrayContaining(named));
      const { claims } = protocolOf(scenario.protocol);
      // A fork of a Byzantine protocol takes more liars than it tolerates, and convicts them.
      if (word !== 'forked' || claims.faults !== 'byzantine') return;
      expect(named.length).toBeGreaterThanOrEqual(leastLiars(scenario.attack, claims, scenario.f));
    });
});

test('control: liveness is judged, so nothing is ok because too little was asked', () => {
  const [cell] = matrix;
  if (cell === undefined) throw new Error('the matrix is empty');
  const faults = range(2).map((node) => ({ type: 'pause', at: ms(0), node }) as const);
  expect(runScenario({ ...cell.scenario, faults, until: ms(5000) }).word).not.toBe('ok');
});
