/** Simulator events per second with real protocols, services, clients and checkers. */
import { range } from '@quorumlab/core';
import {
  completeScenario,
  protocolOf,
  runInPieces,
  runScenario,
  type Scenario,
} from '@quorumlab/harness';
import { heapLoop } from './limits.ts';
import { cpuSince, inTurns, type Part, sink } from './measure.ts';

/** Four clients that write 100 bytes, one after the other, on a LAN with disks that take time. */
const steady = (protocol: string, count: number, seed: number): Scenario =>
  completeScenario({
    protocol,
    f: 1,
    workload: 'writes',
    count,
    clients: 4,
    outstanding: 1,
    until: 1_000_000_000_000,
    seed: `bench ${seed}`,
  });

/**
 * Worlds that are under way while others are measured, as everywhere but in a benchmark that
 * collects garbage between two runs: with the last one, an engine forgets the shapes of its objects
 * and what it has compiled for them, and each run would begin by compiling all of it again.
 */
function begun(protocol: string, once: boolean): readonly Iterator<unknown>[] {
  return range(3).map((i) => {
    const run = runInPieces(steady(protocol, once ? 20 : 10_000, 1 + i));
    for (let pieces = once ? 1 : 40; pieces > 0; pieces--) run.next();
    return run;
  });
}

/** Runs scenarios to their end and gives events per second of CPU time. */
function eventRate(scenarios: readonly Scenario[]): number {
  const began = process.cpuUsage();
  let sum = 0;
  for (const scenario of scenarios) {
    const { word, events, answered } = runScenario(scenario);
    if (word !== 'ok' || answered !== scenario.count)
      throw new Error(`the benchmark's own run ended with ${word}, ${answered} answers`);
    sum += events;
  }
  return sum / cpuSince(began);
}

/** Raft has a target, so it is measured longest. */
const target = { protocol: 'raft', value: 1_000_000 } as const;

/** The row of `protocol`. A log with one position is run again and again. */
export const runsOf =
  (protocol: string): Part =>
  async ({ quick }) => {
    const { claims, create } = protocolOf(protocol);
    const n = claims.replicas(1);
    const once = create({ n, f: 1 }).length === 1;
    const main = protocol === target.protocol;
    const writes = quick ? 20_000 : main ? 50_000 : 20_000;
    const scenarios = once
      ? range(quick ? 200 : 1000).map((seed) => steady(protocol, 20, seed))
      : [steady(protocol, writes, 0)];
    sink.value = begun(protocol, once);
    const found = await inTurns(quick || !main ? 3 : 7, {
      events: () => eventRate(scenarios),
      heap: () => heapLoop(2_000_000),
    });
    return [
      {
        part: 'simulator',
        name: `${protocol} n=${n}, ${once ? 'one decision a run' : 'steady state'}, checkers on`,
        value: found.events,
        unit: 'events/s',
        limit: { name: 'bare binary heap, 1,000 pending', value: found.heap },
        ...(main ? { target: { value: target.value, better: 'more' as const } } : {}),
        note: 'service, 4 clients, 100 B writes, ideal signatures, per CPU second of all threads',
      },
    ];
  };
