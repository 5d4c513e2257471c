// Quorum sizes tried out: five replicas, and every pair of sizes that just meets. Small q2: writes
// wait for fewer answers and go on after more crashes, and a new leader needs more of the others.
import { ms } from '@quorumlab/core';
import { completeScenario, runScenario, type Scenario } from 'quorumlab';

const n = 5;
const members = [0, 1, 2, 3, 4];
const writes = 50;
const crashAt = ms(1500);

/** A group with these sizes over a wide-area network, with one client that writes. */
function scenarioOf(q1: number, q2: number, crashed: readonly number[] = []): Scenario {
  return completeScenario({
    protocol: 'flexible-paxos',
    n,
    f: n - Math.max(q1, q2),
    options: { q1, q2 },
    network: 'wan',
    workload: 'writes',
    count: writes,
    clients: 1,
    faults: crashed.map((node) => ({ type: 'crash', at: crashAt, node })),
    until: ms(30_000),
    seed: '7',
  });
}

/** Who leads when the crashes come: up to then every run is the same. */
function leaderOf(scenario: Scenario): number {
  const { story } = runScenario(scenario, { story: true });
  return story.filter(({ kind, at }) => kind === 'leads' && at < crashAt).at(-1)?.seat ?? 0;
}

/** The most of `order`, from its beginning, that can crash while every write is still answered. */
function survived(q1: number, q2: number, order: readonly number[]): number {
  for (let count = 1; count <= order.length; count++)
    if (runScenario(scenarioOf(q1, q2, order.slice(0, count))).word !== 'ok') return count - 1;
  return order.length;
}

console.log('q1  q2   50 writes   crashes survived, if the leader');
console.log('         take        stays on   is one of them');
for (const q1 of members.map((each) => n - each)) {
  const q2 = n + 1 - q1;
  const calm = scenarioOf(q1, q2);
  const leader = leaderOf(calm);
  const others = members.filter((each) => each !== leader);
  const { word, now } = runScenario(calm);
  if (word !== 'ok') throw new Error(`with q1 = ${q1} and q2 = ${q2} a calm run was ${word}`);
  const steady = survived(q1, q2, others);
  const election = survived(q1, q2, [leader, ...others]);
  const seconds = (now / 1e6).toFixed(1).padStart(6);
  console.log(`${q1}   ${q2}   ${seconds} s    ${steady}          ${election}`);
}
