import { range } from '@quorumlab/core';
import type { RunResult } from '@quorumlab/harness';
import { describe, expect, test } from 'vitest';
import { failureOf } from './swarm.ts';

/** Seeds per protocol in the ordinary run: `npm run simulate -- --long` tries 40,000. */
const seeds = 400;
const perTest = 50;

/** Runs the swarm of `protocol`, and looks whether anything went wrong in it as it should. */
export function testSwarm(protocol: string): void {
  describe(`${protocol}: ${seeds} random worlds`, () => {
    const seen: RunResult[] = [];
    for (const block of range(seeds / perTest)) {
      const first = block * perTest + 1;
      test(`seeds ${first} to ${first + perTest - 1}: safe always, live once healed`, () => {
        for (const i of range(perTest))
          expect(failureOf(protocol, first + i, (result) => seen.push(result))).toBeUndefined();
      });
    }
    test('the worlds were as bad as they claim', () => {
      const sum = (of: (result: RunResult) => number): number =>
        seen.reduce((total, result) => total + of(result), 0) / seen.length;
      expect(seen).toHaveLength(seeds);
      expect(sum(({ counters }) => counters.crashes)).toBeGreaterThan(1);
      expect(sum(({ counters }) => counters.restarts)).toBeGreaterThan(1);
      expect(sum(({ counters }) => counters.dropped)).toBeGreaterThan(10);
      expect(sum(({ counters }) => counters.duplicated)).toBeGreaterThan(1);
      expect(sum(({ answered }) => answered)).toBeGreaterThan(10);
    });
  });
}
