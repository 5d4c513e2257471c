/** Shards in random worlds: crashes, cuts, pauses, clients that go, ranges that change. */
import { range } from '@quorumlab/core';
import {
  addShardReached,
  completeShardScenario,
  runShards,
  type ShardReached,
  shardCommand,
  shardSituationNames,
  usualBound,
} from '@quorumlab/harness/shards';
import { expect, test } from 'vitest';
import type { Covered } from '../support/covered.ts';

const [seeds, perTest] = [400, 50];
/** How often each rare situation was reached, and in how many worlds. */
let reached: ShardReached = {};
let worlds: ShardReached = {};
const counts = { seeds: 0, events: 0, answered: 0 };

for (const block of range(seeds / perTest)) {
  const first = block * perTest + 1;
  test(`seeds ${first} to ${first + perTest - 1}: one order that time agrees with, exact reads`, {
    timeout: 120_000,
  }, () => {
    for (const i of range(perTest)) {
      const scenario = completeShardScenario({
        ...{ workload: 'swarm', bound: usualBound, seed: first + i },
      });
      const run = runShards(scenario);
      expect(run.violations, shardCommand(scenario)).toEqual([]);
      reached = addShardReached(reached, run.reached);
      const once = Object.fromEntries(Object.keys(run.reached).map((each) => [each, 1]));
      worlds = addShardReached(worlds, once);
      counts.seeds += 1;
      counts.events += run.events;
      counts.answered += run.transactions + run.reads;
    }
  });
}

test('the worlds were as bad as they claim: each rare situation in several of them', ({ task }) => {
  const rare = shardSituationNames.filter((each) => reached[each] !== undefined).length;
  task.meta.covered = { subject: 'shards', counts: { ...counts, rare } } satisfies Covered;
  expect(counts.seeds).toBe(seeds);
  const seldom = shardSituationNames.filter((each) => (worlds[each] ?? 0) < 5);
  expect(seldom, JSON.stringify({ reached, worlds })).toEqual([]);
  // What they are for: transactions that end, and most of them together with others.
  expect(counts.answered).toBeGreaterThan(10 * seeds);
});
