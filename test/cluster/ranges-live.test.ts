/** Ranges of keys on real processes: transactions over two, a kill, and a move of one meanwhile. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { checkListAppend, type ListTransaction } from '@quorumlab/checker';
import { connectShards, initCluster, type ShardClient, upCluster } from '@quorumlab/cluster';
import { fromUtf8, toUtf8 } from '@quorumlab/core';
import type { Step, Values } from '@quorumlab/shards';
import { afterEach, expect, test } from 'vitest';
import { endAll, killed, limitMs, started } from './support/running.ts';

afterEach(endAll, limitMs);

/** A key of each range. */
const keys = ['ann', 'zoe'];

const listIn = (value: Uint8Array | null | undefined): number[] =>
  value ? JSON.parse(fromUtf8(value)) : [];

/** Reads both lists, and appends a number to them. */
const appending =
  (element: number) =>
  (values: Values): Step =>
    values.size < keys.length
      ? { reads: keys, writes: keys }
      : {
          write: keys.map((key) => ({
            key,
            value: toUtf8(JSON.stringify([...listIn(values.get(key)), element])),
          })),
        };

const now = (): number => Math.floor(performance.now() * 1000);

/** What clients did, and which numbers were acknowledged. */
interface Load {
  readonly history: ListTransaction[];
  readonly acknowledged: number[];
  going: boolean;
}

/** Appends one number after the other. */
async function append(client: ShardClient, process: number, load: Load): Promise<void> {
  for (let i = 0; load.going; i++) {
    const element = process * 10_000 + i;
    const invokedAt = now();
    const end = await client.transact(appending(element));
    const appended = keys.map((key) => ({ kind: 'append', key, value: element }) as const);
    const common = { process, invokedAt, operations: appended };
    if (end.kind !== 'committed') {
      const outcome = end.kind === 'aborted' ? 'aborted' : 'unknown';
      load.history.push({ ...common, returnedAt: now(), outcome });
      continue;
    }
    load.acknowledged.push(element);
    const read = keys.map(
      (key) => ({ kind: 'read', key, values: listIn(end.values.get(key)) }) as const,
    );
    const operations = [...read, ...appended];
    load.history.push({ ...common, returnedAt: now(), outcome: 'committed', operations });
  }
}

/** Waits for so many more acknowledged transactions. */
async function progress({ acknowledged }: Load, more: number, load: Promise<unknown>) {
  const enough = acknowledged.length + more;
  while (acknowledged.length < enough)
    await Promise.race([new Promise((resolve) => setTimeout(resolve, 10)), load]);
}

test('no transaction over two ranges is lost while a node is killed and a range moves', {
  timeout: limitMs,
}, async () => {
  const options = { electionTimeout: 300_000 };
  // All clocks are that of this machine.
  const clockError = 2000;
  const folder = await started({ protocol: 'raft', n: 3, options, ranges: ['m'] }, (made) => {
    const file = join(made, 'cluster.json');
    const config = JSON.parse(readFileSync(file, 'utf8'));
    writeFileSync(file, JSON.stringify({ ...config, clockError }));
  });
  const clients = await Promise.all([0, 1].map((client) => connectShards(folder, { client })));
  const [one] = clients as [ShardClient];
  const load: Load = { history: [], acknowledged: [], going: true };
  const working = Promise.all(clients.map((client, i) => append(client, i, load)));
  await progress(load, 10, working);
  await killed(folder, 1);
  await progress(load, 5, working);
  const moved = one.move('m', 1, 0);
  await upCluster(folder);
  expect(await moved).toMatchObject({ from: 'm', to: null, group: 0, epoch: 2 });
  await progress(load, 10, working);
  load.going = false;
  await working;
  expect(one.router.groupOf('zoe')).toBe(0);
  const end = await one.read(keys);
  const lists = keys.map((key) => (end.kind === 'read' ? listIn(end.values.get(key)) : []));
  expect(lists[0]).toEqual(lists[1]);
  expect(lists[0]).toEqual(expect.arrayContaining(load.acknowledged));
  expect(checkListAppend(load.history)).toEqual({ verdict: 'strict-serializable' });
  await Promise.all(clients.map((client) => client.stop()));
});

test('ranges that cannot be are refused before a folder is made', async () => {
  const made = (protocol: string, ranges: readonly string[]) =>
    initCluster({ folder: '/nowhere/quorumlab', protocol, ranges });
  await expect(made('pbft', ['m'])).rejects.toThrow('take raft, multi-paxos, zab, and not pbft');
  await expect(made('raft', ['m', 'a'])).rejects.toThrow('in ascending order');
  await expect(made('raft', [])).rejects.toThrow('1 to 15');
});
