/** Real disks stay small whatever was written: what a snapshot holds leaves the log on the disk. */
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { connectCluster } from '@quorumlab/cluster';
import { range } from '@quorumlab/core';
import { kv } from '@quorumlab/log';
import { afterEach, expect, test } from 'vitest';
import { endAll, limitMs, started, typical } from './support/running.ts';

afterEach(endAll, limitMs);

const valueBytes = 30_000;
const writes = 400;
const mebibyte = 2 ** 20;

const diskOf = (folder: string, node: number): number => {
  const data = join(folder, `n${node}`, 'data');
  return readdirSync(data).reduce((sum, name) => sum + statSync(join(data, name)).size, 0);
};

test.each(typical)(
  '%s with %i nodes drops from its disk what a snapshot holds',
  { timeout: limitMs },
  async (protocol, n, options) => {
    const folder = await started({ protocol, n, options });
    const client = await connectCluster(folder);
    const value = new Uint8Array(valueBytes).fill(97);
    const lanes = 4;
    const sizes: number[] = [];
    await Promise.all(
      range(lanes).map(async (lane) => {
        for (let i = 0; i < writes / lanes; i++) {
          await client.propose(kv.put(`key ${lane}`, value));
          if (lane === 0 && i % 10 === 9)
            sizes.push(...range(n).map((node) => diskOf(folder, node)));
        }
      }),
    );
    await client.stop();
    const written = (writes * valueBytes) / mebibyte;
    // The log is written anew once it is above 4 MiB and four times what the state needs.
    expect(Math.max(...sizes) / mebibyte).toBeLessThan((3 / 4) * written);
  },
);
