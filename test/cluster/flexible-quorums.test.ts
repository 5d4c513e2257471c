/** Flexible Paxos as real processes: two of four commit, three of four elect. */
import { initCluster, readConfig, upCluster } from '@quorumlab/cluster';
import { range } from '@quorumlab/core';
import { afterEach, expect, test } from 'vitest';
import { endAll, killed, leaderOf, limitMs, loadOn, started } from './support/running.ts';

afterEach(endAll, limitMs);

test('flexible-paxos commits with two of four, and elects again once three are there', {
  timeout: limitMs,
}, async () => {
  const options = { q1: 3, q2: 2, snapshotEvery: 32, keepSlots: 8 };
  const folder = await started({ protocol: 'flexible-paxos', n: 4, f: 1, options });
  expect((await readConfig(folder)).options).toEqual(options);
  const load = await loadOn(folder);
  await load.progress(50);
  const leader = await leaderOf(folder);
  const [first, second] = range(4).filter((node) => node !== leader) as [number, number];
  for (const victim of [first, second]) {
    await load.collect(victim);
    await killed(folder, victim);
  }
  // A majority of four is three: no other protocol here would go on.
  await load.progress(20);
  await upCluster(folder);
  await load.collect(leader);
  await killed(folder, leader);
  await load.progress(20);
  await upCluster(folder);
  await load.judge(range(4));
});

test('quorums that do not meet are refused before a folder is made', async () => {
  const made = initCluster({
    folder: '/nowhere/quorumlab',
    protocol: 'flexible-paxos',
    n: 4,
    options: { q1: 2, q2: 2 },
  });
  await expect(made).rejects.toThrow(/meet|share/);
});
