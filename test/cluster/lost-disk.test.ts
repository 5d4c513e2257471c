/** Real clusters in which one node's disk is emptied: it comes back by state transfer, or not. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { clusterStatus, nodeLog, submit, upCluster } from '@quorumlab/cluster';
import { afterEach, expect, test } from 'vitest';
import { endAll, killed, leaderOf, limitMs, loadOn, started, typical } from './support/running.ts';

afterEach(endAll, limitMs);

/** Waits until `node` has run all that the others have, with the same result. */
async function caughtUp(folder: string, node: number): Promise<void> {
  for (;;) {
    // Who is behind may hear of it only by what comes next.
    await submit(folder, 'set later 1');
    const { rows } = await clusterStatus(folder);
    const mine = rows[node];
    if (rows.every(({ up, digest }) => up && digest === mine?.digest)) return;
    await sleep(50);
  }
}

test.each(typical)(
  '%s with %i nodes brings back a node whose disk was emptied, and can count on it',
  { timeout: limitMs },
  async (protocol, n, options) => {
    const folder = await started({ protocol, n, options, clients: 3 });
    const load = await loadOn(folder);
    await load.progress(100);
    const victim = await leaderOf(folder);
    await load.collect(victim);
    await killed(folder, victim);
    rmSync(join(folder, `n${victim}`, 'data'), { recursive: true });
    // By itself it would start as if it had never run.
    await expect(upCluster(folder)).rejects.toThrow(/n\d did not start: .*--rejoin \d/s);
    await load.progress(50);
    await upCluster(folder, { rejoin: [victim] });
    await load.progress(10);
    await caughtUp(folder, victim);
    // What it did not commit itself it has from a snapshot.
    expect((await nodeLog(folder, victim))[0]?.slot).toBeGreaterThan(0);
    // Without another one, nothing is committed unless it does its part.
    const other = (victim + 1) % n;
    await load.collect(other);
    await killed(folder, other);
    await load.progress(30);
    await upCluster(folder);
    await load.judge(Array.from({ length: n }, (_, i) => i));
  },
);
