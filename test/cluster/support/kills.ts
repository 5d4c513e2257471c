import { upCluster } from '@quorumlab/cluster';
import { range } from '@quorumlab/core';
import { expect } from 'vitest';
import { type Group, killed, leaderOf, loadOn, started } from './running.ts';

/** Both kinds of victim once; ten kills with QUORUMLAB_LONG_TESTS=1. */
export const kills: number = process.env.QUORUMLAB_LONG_TESTS === '1' ? 10 : 2;
/** Acknowledged writes between two kills, at least. */
const writesPerRound = 30;

/**
 * A cluster under load, one node at a time killed with SIGKILL and started again: the leader in one
 * round, another node in the next. What the clients saw and what the nodes committed is judged by
 * the same checkers as simulations.
 */
export async function survivesKills([protocol, n, options]: Group): Promise<void> {
  const folder = await started({ protocol, n, options });
  const load = await loadOn(folder);
  for (let round = 0; round < kills; round++) {
    await load.progress(writesPerRound);
    const leader = await leaderOf(folder);
    const victim = round % 2 === 0 ? leader : (leader + 1 + (round % (n - 1))) % n;
    await load.collect(victim);
    await killed(folder, victim);
    await upCluster(folder);
  }
  expect(load.acknowledged.length).toBeGreaterThanOrEqual(kills * writesPerRound);
  await load.judge(range(n));
}
