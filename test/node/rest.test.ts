/** Groups in which nobody wants anything: they cost nothing, and lose nothing by it. */
import { setTimeout as sleep } from 'node:timers/promises';
import { kv } from '@quorumlab/log';
import { afterEach, expect, test } from 'vitest';
import { until } from '../../packages/node/test-support/cluster.ts';
import { textOf } from './support/groups.ts';
import { type TestProcess, testProcesses } from './support/processes.ts';
import type { TestReplica } from './support/replicas.ts';

const ends: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

const groups = ['a', 'b', 'c', 'd', 'e'];

/** Three processes whose groups have written something, and rest. */
async function atRest(): Promise<readonly TestProcess[]> {
  const made = await testProcesses();
  ends.push(made.end);
  const found = await Promise.all(
    [0, 1, 2].map((id) => made.start(id, groups, { restAfterMs: 200 })),
  );
  await Promise.all(groups.map((group) => found[0]?.replica(group).log.propose(kv.put('x', '1'))));
  await resting(found, groups);
  return found;
}

const replicasOf = (processes: readonly TestProcess[], names: readonly string[]): TestReplica[] =>
  processes.flatMap(({ replica }) => names.map(replica));

const resting = (processes: readonly TestProcess[], names: readonly string[]): Promise<void> =>
  until('all of them rest', () =>
    replicasOf(processes, names).every((node) => node.status().isResting),
  );

const termsOf = (processes: readonly TestProcess[]): readonly number[] =>
  replicasOf(processes, groups).map((node) => node.status().term);

test('groups that rest step nothing, elect nobody, and work as soon as asked', async () => {
  const processes = await atRest();
  const before = termsOf(processes);
  const steps = () => replicasOf(processes, groups).map((node) => node.status().counters.steps);
  const stepped = steps();
  // Longer than the longest timeout of an election.
  await sleep(800);
  expect(steps()).toEqual(stepped);
  // Whoever leads or follows: each of them wakes the group, and that alone.
  for (const [i, { replica }] of processes.entries()) {
    await replica('b').log.propose(kv.put('x', `${i}`));
    expect(textOf(await replica('b').log.read(kv.get('x')))).toBe(`${i}`);
    const others = groups.filter((group) => group !== 'b');
    expect(replicasOf(processes, others).every((node) => node.status().isResting)).toBe(true);
    await resting(processes, groups);
  }
  expect(termsOf(processes)).toEqual(before);
});

test('a lost member wakes the groups, and those that it led get another leader', async () => {
  const processes = await atRest();
  const lost = processes.find(({ replica }) =>
    groups.some((group) => replica(group).status().leader === replica(group).status().self),
  );
  await lost?.host.stop();
  const left = processes.filter((each) => each !== lost);
  await until('all are awake', () =>
    replicasOf(left, groups).every((node) => !node.status().isResting),
  );
  for (const group of groups) await left[0]?.replica(group).log.propose(kv.put('x', '2'));
  const leaders = groups.map((group) => left[0]?.replica(group).status().leader);
  expect(leaders).not.toContain(processes.findIndex((each) => each === lost));
});
