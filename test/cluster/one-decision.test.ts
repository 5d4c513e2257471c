/** Basic Paxos as real processes: one decision, which survives kills and an emptied disk. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { clusterStatus, submit, upCluster } from '@quorumlab/cluster';
import { range } from '@quorumlab/core';
import { afterAll, afterEach, expect, test } from 'vitest';
import { endAll, killed, limitMs, started } from './support/running.ts';

afterEach(endAll, limitMs);

// These nodes run the sources as they are, and not the bundle of them that other tests start.
const { QUORUMLAB_NODE_PROGRAM: bundle } = process.env;
delete process.env.QUORUMLAB_NODE_PROGRAM;
afterAll(() => {
  if (bundle !== undefined) process.env.QUORUMLAB_NODE_PROGRAM = bundle;
});

/** Waits until all nodes know the same, and reach each other: a disk may be read before that. */
async function allKnow(folder: string): Promise<void> {
  for (;;) {
    const { rows, word } = await clusterStatus(folder);
    if (rows.every(({ applied }) => applied === 1) && word === 'ok') return;
    await sleep(20);
  }
}

test('basic-paxos decides once among two who ask at once, and says so to the other', {
  timeout: limitMs,
}, async () => {
  const folder = await started({ protocol: 'basic-paxos', n: 3 });
  const both = await Promise.all(['1', '2'].map((value) => submit(folder, `set a ${value}`)));
  const results = both.map(({ rows }) => rows[0]?.result);
  const first = results.indexOf('stored');
  expect(first).toBeGreaterThanOrEqual(0);
  expect(results[1 - first]).toMatch(/^not run: the log has one position/);
  const value = async (): Promise<string | undefined> =>
    (await submit(folder, 'get a')).rows[0]?.result;
  const decided = `${first + 1} (as one replica has it)`;
  await allKnow(folder);
  // Ten kills with QUORUMLAB_LONG_TESTS=1.
  const more = process.env.QUORUMLAB_LONG_TESTS === '1' ? range(8).map((i) => (i + 2) % 3) : [];
  for (const [round, victim] of [0, 1, ...more].entries()) {
    await killed(folder, victim);
    expect(await value()).toBe(decided);
    if (round === 1) rmSync(join(folder, 'n1', 'data'), { recursive: true });
    await upCluster(folder, { rejoin: [1] });
    await allKnow(folder);
  }
  // Two of three have learned it from others by now.
  await killed(folder, 2);
  expect(await value()).toBe(decided);
});
