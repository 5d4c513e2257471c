import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { toUtf8 } from '@quorumlab/core';
import { kv } from '@quorumlab/log';
import { afterEach, describe, expect, test } from 'vitest';
import { haveAllRun, loadOf, testClusters, until } from '../test-support/clusters.ts';
import { paths } from './config.ts';
import { listenAddressOf } from './hosts.ts';
import {
  clusterStatus,
  connectCluster,
  downCluster,
  faultNode,
  initCluster,
  readConfig,
  submit,
  upCluster,
} from './index.ts';
import { isAlive, readPid } from './process-file.ts';

const limitMs = 240_000;
const clusters = testClusters();
afterEach(() => clusters.end(), limitMs);

const modeOf = (path: string): string => (statSync(path).mode & 0o777).toString(8);

describe('making a cluster', () => {
  test('keeps keys to their owner and puts no secret into cluster.json', async () => {
    const folder = await clusters.made({ protocol: 'pbft', clients: 2 });
    const config = await readConfig(folder);
    expect(config).toMatchObject({ n: 4, f: 1, signatures: 'ed25519', allowFaults: false });
    const homes = [...config.members, ...config.clients].map(({ id }) =>
      id < config.n ? paths.node(folder, id) : paths.client(folder, id),
    );
    expect(homes).toHaveLength(6);
    const text = readFileSync(paths.config(folder), 'utf8');
    for (const home of homes) {
      expect([modeOf(home), modeOf(paths.key(home))]).toEqual(['700', '600']);
      expect(text).not.toContain(readFileSync(paths.key(home), 'utf8').trim());
    }
    expect(new Set(config.members.map(({ address }) => address)).size).toBe(4);
  });

  test('refuses what exists and leaves it as it is', async () => {
    const folder = await clusters.made({ protocol: 'raft' });
    const before = readFileSync(paths.config(folder), 'utf8');
    await expect(initCluster({ folder, protocol: 'pbft' })).rejects.toThrow(/is there already/);
    expect(readFileSync(paths.config(folder), 'utf8')).toBe(before);
    const other = clusters.fresh();
    mkdirSync(other);
    writeFileSync(join(other, 'note'), 'mine');
    await expect(initCluster({ folder: other, protocol: 'raft' })).rejects.toThrow(/left as it is/);
    expect(readdirSync(other)).toEqual(['note']);
  });

  test('takes one host for all nodes, or one for each, by address or name', async () => {
    const addresses = async (options: object): Promise<readonly string[]> => {
      const config = await readConfig(await clusters.made({ protocol: 'raft', ...options }));
      return config.members.map(({ address }) => address);
    };
    const hosts = ['a.example.org', '10.0.0.2', '::1'];
    expect(await addresses({ hosts, basePort: 7000 })).toEqual([
      '/dns/a.example.org/tcp/7000',
      '/ip4/10.0.0.2/tcp/7000',
      '/ip6/::1/tcp/7000',
    ]);
    expect(await addresses({ hosts: ['a', 'b', 'a'], basePort: 7000 })).toEqual([
      '/dns/a/tcp/7000',
      '/dns/b/tcp/7000',
      '/dns/a/tcp/7001',
    ]);
    const folder = clusters.fresh();
    for (const [bad, says] of [
      [{ hosts: ['a', 'b'] }, /2 hosts for 3 nodes/],
      [{ hosts: ['a', 'b', 'c'] }, /--port 7000/],
      [{ hosts: ['10.0.0.300'] }, /no IP address/],
      [{ hosts: ['-a'] }, /no IP address/],
      [{ hosts: ['a', 'b', 'c'], basePort: 80 }, /1024/],
    ] as const)
      await expect(initCluster({ folder, protocol: 'raft', ...bad })).rejects.toThrow(says);
    expect(listenAddressOf('/dns/a/tcp/7000')).toBe('/ip4/0.0.0.0/tcp/7000');
    expect(listenAddressOf('/ip4/10.0.0.2/tcp/7000')).toBeUndefined();
    expect(listenAddressOf('/ip4/10.0.0.2/tcp/7000', '::')).toBe('/ip6/::/tcp/7000');
    expect(() => listenAddressOf('/dns/a/tcp/7000', 'a')).toThrow(/no IP address to listen on/);
  });

  test('leaves nothing half done and says what to do instead', async () => {
    const folder = clusters.fresh();
    await expect(initCluster({ folder, protocol: 'raft', basePort: 80 })).rejects.toThrow(/1024/);
    await expect(initCluster({ folder, protocol: 'raft', hosts: ['not here'] })).rejects.toThrow(
      /127\.0\.0\.1/,
    );
    await expect(initCluster({ folder, protocol: 'rapt' })).rejects.toThrow(/raft/);
    await expect(initCluster({ folder, protocol: 'pbft', n: 3, f: 1 })).rejects.toThrow(/-n 4/);
    await expect(initCluster({ folder, protocol: 'zab', reads: 'lease' })).rejects.toThrow(
      /zab has no leases.* --reads lease\.\n {2}use {3}--reads quorum/s,
    );
    expect(readdirSync(join(folder, '..'))).toEqual([]);
  });

  test('refuses a cluster.json that was damaged, in one sentence', async () => {
    const folder = await clusters.made({ protocol: 'raft' });
    const whole = readFileSync(paths.config(folder), 'utf8');
    for (const bad of ['', '[]', '{}', whole.replace('"n": 3', '"n": 4'), whole.slice(0, 200)]) {
      writeFileSync(paths.config(folder), bad);
      await expect(readConfig(folder), bad).rejects.toThrow(/restore it/);
    }
    writeFileSync(paths.config(folder), whole);
    await expect(readConfig(join(folder, 'nowhere'))).rejects.toThrow(/cluster init/);
  });
});

/** Every record of a node's log, which says whose it is. */
function recordsOf(folder: string, self: number): Record<string, unknown>[] {
  const text = readFileSync(paths.log(paths.node(folder, self)), 'utf8');
  const records = text.trimEnd().split('\n');
  return records.map((record) => JSON.parse(record) as Record<string, unknown>);
}

test('a cluster is started, used, looked at and stopped, and starts again with its data', {
  timeout: limitMs,
}, async () => {
  const folder = await clusters.made({ protocol: 'raft', hosts: ['localhost'], clients: 2 });
  const up = await upCluster(folder);
  expect(up.started).toEqual([0, 1, 2]);
  expect(new Set(up.nodes.map(({ pid }) => pid)).size).toBe(3);
  await expect(upCluster(folder)).rejects.toThrow(/up already/);
  const done = await submit(folder, 'set a 1\nget a\nappend a 2\ncas a 12 x\ncas a y z\nget b');
  expect(done.rows.map(({ result }) => result)).toEqual([
    'stored',
    '1',
    'stored',
    'swapped',
    'not swapped: found x',
    '(not there)',
  ]);
  // The session and four writes; linearizable reads take no position.
  await until(async () => haveAllRun((await clusterStatus(folder)).rows, 5));
  const status = await clusterStatus(folder);
  expect(status.word).toBe('ok');
  expect(new Set(status.rows.map(({ digest }) => digest)).size).toBe(1);
  expect((await downCluster(folder)).map(({ how }) => how)).toEqual(Array(3).fill('stopped'));
  for (const { pid } of up.nodes) expect(isAlive(pid)).toBe(false);
  for (const id of [0, 1, 2])
    expect(readdirSync(paths.node(folder, id)).sort()).toEqual(
      ['data', 'key', 'log.ndjson', 'started', 'stderr'].sort(),
    );
  const records = [0, 1, 2].flatMap((node) => {
    const own = recordsOf(folder, node);
    for (const each of own) expect(each).toMatchObject({ node, role: 'replica', protocol: 'raft' });
    return own;
  });
  expect(records.map(({ msg }) => msg)).toEqual(
    expect.arrayContaining([
      'The replica has started.',
      'A peer is connected.',
      'This replica leads a new term.',
      'The replica has stopped.',
      'The process ends.',
    ]),
  );
  const stopped = await clusterStatus(folder);
  expect(stopped.word).toBe('stalled');
  expect(stopped.sentence).toMatch(/^0 of 3 nodes are up, .* fewer than 2 \(n0: it was stopped;/);
  await expect(submit(folder, 'get a')).rejects.toThrow(/^Nothing was submitted: 0 of 3 nodes/);
  await upCluster(folder);
  // More at a time than there are clients: each waits for its turn.
  const many = await Promise.all([1, 2, 3].map(() => submit(folder, 'append b y\nget a')));
  for (const { rows } of many) expect(rows.map(({ result }) => result)).toEqual(['stored', 'x']);
  expect((await submit(folder, 'get b')).rows[0]?.result).toBe('yyy');
});

test('no acknowledged write is lost when a node is killed under load and started again', {
  timeout: limitMs,
}, async () => {
  const folder = await clusters.made({ protocol: 'raft' });
  await upCluster(folder);
  const client = await connectCluster(folder);
  const load = loadOf(client, (name) => kv.put(name, name));
  for (const victim of [0, 1]) {
    const before = load.acknowledged.length;
    await until(() => load.acknowledged.length > before + 50);
    process.kill((await readPid(paths.node(folder, victim))) as number, 'SIGKILL');
    await until(async () => !(await clusterStatus(folder)).rows[victim]?.up);
    const { started } = await upCluster(folder);
    expect(started).toEqual([victim]);
  }
  await load.stop();
  for (const name of load.acknowledged)
    expect(kv.result(await client.read(kv.get(name)))).toEqual({
      kind: 'value',
      value: toUtf8(name),
    });
  await client.stop();
  expect((await clusterStatus(folder)).word).toBe('ok');
});

test('nodes lie only where the cluster was made for it, and count as traitors from then on', {
  timeout: limitMs,
}, async () => {
  const [honest, faulty] = await Promise.all([
    clusters.made({ protocol: 'raft' }),
    clusters.made({ protocol: 'raft', allowFaults: true }),
  ]);
  await Promise.all([upCluster(honest), upCluster(faulty)]);
  await expect(faultNode(honest, 0, 'silent-follower')).rejects.toThrow(/--allow-faults/);
  await expect(faultNode(faulty, 0, 'silent-folower')).rejects.toThrow(/silent-follower/);
  await expect(faultNode(faulty, 0, 'double-voter')).rejects.toThrow(/one process/);
  await expect(faultNode(faulty, 9, 'silent-follower')).rejects.toThrow(/n0 to n2/);
  await faultNode(faulty, 2, 'silent-follower');
  await faultNode(faulty, 2, 'none');
  expect((await clusterStatus(faulty)).rows.map(({ traitor }) => traitor)).toEqual([
    false,
    false,
    true,
  ]);
  expect((await clusterStatus(honest)).rows.some(({ traitor }) => traitor)).toBe(false);
  await downCluster(honest);
  const attacks = new Map([[1, 'silent-follower']]);
  await expect(upCluster(honest, { attacks })).rejects.toThrow(/--allow-faults/);
  expect((await clusterStatus(honest)).rows.filter(({ up }) => up)).toEqual([]);
});
