import { ms, range } from '@quorumlab/core';
import { expect, test } from 'vitest';
import {
  attacks,
  claimOf,
  completeScenario,
  noFaultNote,
  protocols,
  type Scenario,
  type ScenarioFault,
  toleratedBy,
} from './index.ts';

const claimed = (given: Partial<Scenario> & Pick<Scenario, 'protocol'>): boolean => {
  const { claimed, why } = claimOf(completeScenario(given));
  expect(why === undefined).toBe(claimed);
  return claimed;
};

const liars = attacks
  .filter(({ needs, setsBack }) => needs === 'byzantine' && setsBack !== true)
  .map(({ name }) => name);

for (const { name: protocol, claims } of protocols)
  test(`${protocol}: as many liars as f are claimed, and one more is not, whatever they do`, () => {
    for (const attack of liars)
      for (const n of range(8).slice(1)) {
        const f = toleratedBy(claims, n);
        const most = claims.faults === 'crash' ? 0 : f;
        for (const count of range(n).slice(1))
          expect(
            claimed({ protocol, n, attack, by: range(count) }),
            `${attack} ${n} ${count}`,
          ).toBe(count <= most);
        // A name that is there twice is one liar.
        if (most === 1) expect(claimed({ protocol, n, attack, by: [0, 0] })).toBe(true);
      }
  });

test('as many crashes as f are claimed, and one more is not, also if they come back', () => {
  const down = (node: number | 'leader', at: number): ScenarioFault => ({
    type: 'crash',
    node,
    at,
  });
  const up = (node: number | 'leader', at: number): ScenarioFault => ({
    type: 'restart',
    node,
    at,
  });
  for (const protocol of ['raft', 'pbft'])
    for (const f of [1, 2]) {
      const crashes = (count: number) => range(count).map((i) => down(i, ms(1 + i)));
      const back = (count: number) => range(count).map((i) => up(i, ms(100 + i)));
      expect(claimed({ protocol, f, faults: crashes(f) })).toBe(true);
      expect(claimed({ protocol, f, faults: crashes(f + 1) })).toBe(false);
      expect(claimed({ protocol, f, faults: [...crashes(f + 1), ...back(f + 1)] })).toBe(false);
      const leaders = range(f + 1).map((i) => down('leader', ms(1 + i)));
      expect(claimed({ protocol, f, faults: leaders })).toBe(false);
      // One after the other is one at a time.
      const inTurn = range(f + 1).flatMap((i) => [down(i, ms(10 * i + 1)), up(i, ms(10 * i + 5))]);
      expect(claimed({ protocol, f, faults: inTurn })).toBe(true);
      // Liars that are silent are as gone as those that crash.
      if (protocol === 'pbft')
        expect(
          claimed({ protocol, f, attack: 'silent-follower', by: [5], faults: crashes(f) }),
        ).toBe(false);
    }
});

test('a claim of f=0 is one of no fault at all', () => {
  expect(claimed({ protocol: 'raft', n: 1 })).toBe(true);
  expect(claimed({ protocol: 'raft', n: 2, attack: 'crash-leader' })).toBe(false);
  expect(claimed({ protocol: 'pbft', n: 3, f: 1, unsafe: true })).toBe(false);
  expect(claimed({ protocol: 'pbft', n: 3, attack: 'split' })).toBe(true);
});

test('a group that is too small for any fault is told the smallest that is not', () => {
  for (const { name: protocol, claims } of protocols)
    for (const n of range(8).slice(1)) {
      const note = noFaultNote(completeScenario({ protocol, n }));
      if (n >= claims.replicas(1)) expect(note).toBeUndefined();
      else expect(note).toContain(`use   -n ${claims.replicas(1)} `);
    }
  expect(noFaultNote(completeScenario({ protocol: 'pbft', n: 4, f: 0 }))).toBeUndefined();
});
