import { setTimeout as sleep } from 'node:timers/promises';
import { commitBytes, maxBatchBytes } from '@quorumlab/core';
import { type Files, nodeFiles } from '@quorumlab/disk';
import { kv } from '@quorumlab/log';
import { expect, test } from 'vitest';
import { agreement, groupsOfTests, leaderOf } from './support/groups.ts';
import { type Changes, raftOf } from './support/replicas.ts';

const groupOf = groupsOfTests();
const long = process.env.QUORUMLAB_LONG_TESTS === '1';

test('a slow disk is slowness: nobody stops, and no commit outgrows its bound', {
  timeout: 240_000,
}, async () => {
  const group = await groupOf(raftOf({ n: 3 }));
  let slow = false;
  let largest = 0;
  const files: Files = {
    ...nodeFiles,
    async open(...place: Parameters<Files['open']>) {
      const file = await nodeFiles.open(...place);
      return {
        ...file,
        async write(bytes: Uint8Array, position: number) {
          largest = Math.max(largest, bytes.length);
          await file.write(bytes, position);
        },
        async datasync() {
          if (slow) await sleep(20);
          await file.datasync();
        },
      };
    },
  };
  const limits = { waitingOutputBytes: long ? 2 * commitBytes : 100_000 };
  const changes = (): Changes => ({ files, limits });
  const nodes = await group.startAll(changes);
  const client = await group.client();
  await client.propose(kv.put('warm', 'up'));
  slow = true;
  const value = 'v'.repeat(30_000);
  // The long run brings more than all limits of the outputs that wait.
  const count = long ? 1500 : 60;
  await Promise.all(Array.from({ length: count }, (_, i) => client.propose(kv.put(`${i}`, value))));
  slow = false;
  for (const node of nodes) expect(node.status().failure).toBeUndefined();
  // One step may come on top: an append of a whole batch.
  expect(largest).toBeLessThan(commitBytes + 2 * maxBatchBytes);
  expect(leaderOf(nodes)).toBeDefined();
  await agreement(nodes);
});
