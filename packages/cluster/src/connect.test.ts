import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, test } from 'vitest';
import { testClusters } from '../test-support/clusters.ts';
import { paths } from './config.ts';
import { connectCluster } from './connect.ts';

const limitMs = 240_000;
const clusters = testClusters();
const children: ChildProcess[] = [];
afterEach(async () => {
  for (const each of children.splice(0)) each.kill('SIGKILL');
  await clusters.end();
}, limitMs);

const program = fileURLToPath(new URL('../test-support/client-child.ts', import.meta.url));

/** A process that wants to be the client of `folder` as soon as it is told to. */
async function wanting(folder: string): Promise<ChildProcess> {
  const child = spawn(process.execPath, ['--conditions=source', program, folder], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  children.push(child);
  await word(child);
  return child;
}

/** What it says next. */
const word = async ({ stdout }: ChildProcess): Promise<string> =>
  String((await once(stdout as Readable, 'data'))[0]).trim();

describe('a client of a cluster', () => {
  test('is one process, whoever comes together, and is free when that is killed', {
    timeout: limitMs,
  }, async () => {
    const folder = await clusters.made({ protocol: 'raft', clients: 1 });
    const all = await Promise.all([1, 2, 3].map(() => wanting(folder)));
    const words = all.map(word);
    for (const each of all) each.stdin?.write('now');
    const said = await Promise.all(words);
    const holder = all[said.indexOf('holds')];
    expect(said.filter((each) => each === 'holds')).toHaveLength(1);
    for (const each of said)
      if (each !== 'holds') expect(each).toContain(`in use by process ${holder?.pid}`);
    const gone = once(holder as ChildProcess, 'exit');
    holder?.kill('SIGKILL');
    await gone;
    const client = await connectCluster(folder, { client: 0 });
    await client.stop();
  });

  test('is not taken by what a dead process left, whatever it says', async () => {
    const folder = await clusters.made({ protocol: 'raft', clients: 1 });
    const home = paths.client(folder, 65_536);
    // Nothing, no number, this living process, and one that another program has now.
    for (const left of ['', 'x', `${process.pid}`, `${process.ppid}`]) {
      for (const name of ['lock.holder', 'in-use']) writeFileSync(join(home, name), left);
      const client = await connectCluster(folder);
      await client.stop();
    }
  });

  test('can be waited for, and no longer than was said', async () => {
    const folder = await clusters.made({ protocol: 'raft', clients: 1 });
    const first = await connectCluster(folder);
    await expect(connectCluster(folder)).rejects.toThrow(`in use by process ${process.pid}`);
    const second = connectCluster(folder, { waitMs: limitMs });
    const aborted = connectCluster(folder, { waitMs: limitMs, signal: AbortSignal.abort() });
    await expect(aborted).rejects.toThrow(/abort/);
    await first.stop();
    await (await second).stop();
    await expect(connectCluster(folder, { client: 1 })).rejects.toThrow('the clients 0 to 0');
  });
});
