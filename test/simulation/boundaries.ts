/** A crash at every place of a small run at which it makes a difference: none is left to chance. */
import { ms, range } from '@quorumlab/core';
import {
  completeScenario,
  protocolOf,
  runScenario,
  type Scenario,
  type Subject,
} from '@quorumlab/harness';
import { expect, test } from 'vitest';

/**
 * A few commands of two clients in the smallest group, with snapshots after nearly every slot, so
 * that they are among what is cut off.
 */
function calmRun({ protocol, options }: Subject): Scenario {
  const { claims, small } = protocolOf(protocol);
  return completeScenario({
    protocol,
    f: 1,
    n: claims.replicas(1),
    workload: 'writes',
    count: 4,
    clients: 2,
    until: ms(30_000),
    options: { ...small, ...options },
  });
}

/** What follows the crash: the replica is back soon, or its group does without it. */
const sequels = [
  { what: 'and a restart', crash: { restartAfter: ms(20) } },
  { what: 'for good', crash: {} },
] as const;

/** Tests for a runner: before every write, after it, and before every message. */
export function testBoundaries(subject: Subject): void {
  for (const { what, crash } of sequels)
    test(`of a small run, ${what}: nothing is lost and nobody stops`, ({ task }) => {
      const scenario = calmRun(subject);
      const { boundaries } = runScenario(scenario);
      expect(Math.min(...boundaries)).toBeGreaterThan(4);
      const places = boundaries.reduce((sum, count) => sum + count, 0);
      task.meta.covered = { subject: subject.name, counts: { 'crash places': places } };
      for (const [seat, count] of boundaries.entries())
        for (const boundary of range(count)) {
          const crashAt = { seat, boundary, ...crash };
          const { word, reasons, counters, violation } = runScenario(scenario, {
            crashAt,
            lines: false,
          });
          const replay = `runScenario(${JSON.stringify(scenario)}, ${JSON.stringify({ crashAt })})`;
          expect(word, `${violation?.sentence}; replay: ${replay}`).toBe('ok');
          expect(reasons.filter(Boolean), replay).toEqual([]);
          expect(counters.crashes, replay).toBe(1);
        }
    });
}
