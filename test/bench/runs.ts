/** Simulator events per second with real protocols, services, clients and checkers. */
import { completeScenario, runScenario, type Scenario } from '@quorumlab/harness';
import { heapLoop } from './limits.ts';
import { cpuSince, inTurns, type Part, type Row } from './measure.ts';

/** Four clients that write 100 bytes, one after the other, on a LAN with disks that take time. */
const steady = (protocol: string, n: number, count: number): Scenario =>
  completeScenario({
    protocol,
    n,
    workload: 'writes',
    count,
    clients: 4,
    outstanding: 1,
    until: 1_000_000_000_000,
    seed: 'bench',
  });

/** Runs a scenario to its end and gives events per second of CPU time. */
function eventRate(scenario: Scenario): number {
  const began = process.cpuUsage();
  const { word, events, answered } = runScenario(scenario);
  const seconds = cpuSince(began);
  if (word !== 'ok' || answered !== scenario.count)
    throw new Error(`the benchmark's own run ended with ${word}, ${answered} answers`);
  return events / seconds;
}

async function rowOf(
  part: string,
  scenario: Scenario,
  rounds: number,
  target: number | undefined,
): Promise<Row> {
  const { protocol, n } = scenario;
  const found = await inTurns(rounds, {
    events: () => eventRate(scenario),
    heap: () => heapLoop(2_000_000),
  });
  return {
    part,
    name: `${protocol} n=${n}, steady state, checkers on`,
    value: found.events,
    unit: 'events/s',
    limit: { name: 'bare binary heap, 1,000 pending', value: found.heap },
    ...(target === undefined ? {} : { target: { value: target, better: 'more' as const } }),
    note: 'service, 4 clients, 100 B writes, ideal signatures, per second of CPU of all threads',
  };
}

/** Raft. */
export const raftRuns: Part = async ({ quick }) => [
  await rowOf('simulator', steady('raft', 3, quick ? 20_000 : 100_000), quick ? 3 : 7, 1_000_000),
];

/** PBFT. */
export const pbftRuns: Part = async ({ quick }) => [
  await rowOf('simulator', steady('pbft', 4, quick ? 12_000 : 25_000), quick ? 3 : 7, undefined),
];
