import { range } from '@quorumlab/core';
import { expect, test } from 'vitest';
import { completeScenario, type RunResult, runScenario, type Scenario } from './index.ts';

const attacked = (protocol: string, seed: number, given: Partial<Scenario>): RunResult =>
  runScenario(
    completeScenario({
      ...{ protocol, attack: 'slow-leader', clients: 40, count: 1400, reads: 'lease' },
      until: 20_000_000,
      options: { electionTimeout: 1_000_000 },
      seed: `${seed}`,
      ...given,
    }),
  );

test.each(['raft', 'multi-paxos'])(
  '%s: a clock worse than its leases allow makes reads stale, and one that they allow none',
  { timeout: 120_000 },
  (protocol) => {
    const clocks = 'drift=100000ppm';
    const beyond = range(4).map((seed) => attacked(protocol, seed + 40, { clocks }));
    const stale = beyond.filter(({ word }) => word === 'stale-read');
    expect(stale.length).toBeGreaterThan(0);
    for (const { word, expected, claim } of beyond) {
      expect(['ok', 'stale-read']).toContain(word);
      expect(expected).toBe(true);
      expect(claim.why).toMatch(/wrong by 1000 ppm \(clockDrift\), and that of n0 .* 100000 ppm/);
    }
    // It names the reading that broke the bound, and the bound.
    expect(stale[0]?.violation?.sentence).toMatch(
      /; n0 answered by its lease at [\d.]+ ms, and n[12] led since .* \(clockDrift\), and that of/,
    );
    // The same worlds: with leases that allow such a clock, with clocks that they allow, with
    // clocks that are only set wrong, and with reads that ask.
    const electionTimeout = 1_000_000;
    for (const given of [
      { clocks, options: { electionTimeout, clockDrift: 100_000 } },
      { clocks: 'drift=1000ppm' },
      { clocks: 'offset=10s' },
      { clocks, reads: 'quorum' as const },
    ])
      for (const { scenario } of stale.slice(0, 2)) {
        const { word, claim } = attacked(protocol, Number(scenario.seed), given);
        expect([word, claim.claimed], `seed ${scenario.seed}`).toEqual(['ok', true]);
      }
  },
);
