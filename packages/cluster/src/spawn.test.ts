import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { testClusters } from '../test-support/clusters.ts';
import { upCluster } from './index.ts';

const clusters = testClusters();
const { QUORUMLAB_NODE_PROGRAM: before } = process.env;
afterEach(async () => {
  if (before === undefined) delete process.env.QUORUMLAB_NODE_PROGRAM;
  else process.env.QUORUMLAB_NODE_PROGRAM = before;
  await clusters.end();
});

test('nodes run the program that QUORUMLAB_NODE_PROGRAM names, and no other', async () => {
  const folder = await clusters.made({ protocol: 'raft', n: 1, f: 0 });
  const program = join(folder, 'other.mjs');
  writeFileSync(program, "process.stderr.write('error Other: not today'); process.exit(254);");
  process.env.QUORUMLAB_NODE_PROGRAM = program;
  await expect(upCluster(folder)).rejects.toThrow(/n0 did not start: Other: not today/);
  process.env.QUORUMLAB_NODE_PROGRAM = '';
  expect((await upCluster(folder)).started).toEqual([0]);
});
