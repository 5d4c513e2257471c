import { range } from '@quorumlab/core';
import { expect, test } from 'vitest';
import { completeScenario, type RunResult, runScenario, type Scenario } from './index.ts';

/** A tenth is what the attack's clocks are wrong by. */
const attacked = (protocol: string, seed: number, given: Partial<Scenario['options']>): RunResult =>
  runScenario(
    completeScenario({
      ...{ protocol, attack: 'slow-leader', workload: 'b', clients: 40, count: 3000 },
      options: { reads: 'lease', electionTimeout: 1_000_000, ...given },
      seed: `${seed}`,
    }),
  );

test.each(['raft', 'multi-paxos'])(
  '%s: a clock worse than its leases allow makes reads stale, and one that they allow none',
  { timeout: 120_000 },
  (protocol) => {
    const beyond = range(8).map((seed) => attacked(protocol, seed, {}));
    const stale = beyond.filter(({ word }) => word === 'stale-read');
    expect(stale.length).toBeGreaterThan(0);
    for (const { word, expected, claim } of beyond) {
      expect(['ok', 'stale-read']).toContain(word);
      expect(expected).toBe(true);
      expect(claim.why).toMatch(/wrong by 1000 ppm \(clockDrift\), and that of n0 .* 100000 ppm/);
    }
    // The same worlds, with leases that allow such a clock, and with reads that ask.
    for (const given of [{ clockDrift: 100_000 }, { reads: 'quorum' }])
      for (const seed of range(8).filter((each) => beyond[each]?.word === 'stale-read')) {
        const { word, claim } = attacked(protocol, seed, given);
        expect([word, claim.claimed], `seed ${seed}`).toEqual(['ok', true]);
      }
  },
);
