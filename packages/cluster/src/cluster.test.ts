import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { toUtf8 } from '@quorumlab/core';
import { kv, maxValueBytes } from '@quorumlab/log';
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
  parseOperation,
  readConfig,
  runNode,
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

describe('a node that must not vote does not start, and says why', () => {
  test('with a key that others can read', { timeout: limitMs }, async () => {
    const folder = await clusters.made({ protocol: 'raft' });
    const key = paths.key(paths.node(folder, 1));
    chmodSync(key, 0o644);
    await expect(upCluster(folder)).rejects.toThrow(/n1 did not start: KeyFileError: .*chmod 600/);
    expect((await clusterStatus(folder)).rows.filter(({ up }) => up)).toEqual([]);
    const program = new URL('./node-main.ts', import.meta.url).pathname;
    const args = ['--conditions=source', program, '--folder', folder, '--self', '1'];
    const { status, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
    expect(status).toBe(254);
    expect(stderr).toContain('KeyFileError');
  });

  test('without the log it once had, or on one that is damaged', { timeout: limitMs }, async () => {
    const folder = await clusters.made({ protocol: 'raft' });
    await upCluster(folder);
    await submit(folder, 'set a{i} 1', { count: 200, outstanding: 8 });
    await downCluster(folder);
    const [segment] = readdirSync(paths.data(paths.node(folder, 0)))
      .map((name) => join(paths.data(paths.node(folder, 0)), name))
      .sort((one, two) => statSync(two).size - statSync(one).size);
    const bytes = readFileSync(segment as string);
    bytes.fill(0xa5, 100, 200);
    writeFileSync(segment as string, bytes);
    rmSync(paths.data(paths.node(folder, 1)), { recursive: true });
    // The third one starts all the same: it keeps what it has, and waits for the others.
    const { refused, started } = await upCluster(folder);
    expect(started).toEqual([2]);
    expect(refused.map(({ node }) => node)).toEqual([0, 1]);
    expect(refused[0]?.why).toMatch(/The log is damaged at byte .*cluster up --rejoin 0$/);
    expect(refused[1]?.why).toMatch(/lost write.*--rejoin 1$/);
    expect(readFileSync(segment as string).equals(bytes)).toBe(true);
    expect(existsSync(paths.pid(paths.node(folder, 0)))).toBe(false);
    const { word, sentence } = await clusterStatus(folder);
    expect(word).toBe('stalled');
    expect(sentence).toMatch(/^1 of 3 nodes is up.*n0: .*damaged.*n1: .*has run before/);
    await expect(submit(folder, 'get a1')).rejects.toThrow(/Nothing was submitted: 1 of 3/);
  });
});

describe('a node that lost its disk', () => {
  test('comes back only when told to, also when it is killed on the way', {
    timeout: limitMs,
  }, async () => {
    const folder = await clusters.made({ protocol: 'raft', options: { snapshotEvery: 20 } });
    await upCluster(folder);
    await submit(folder, 'set a{i} {i}', { count: 100, outstanding: 4 });
    await downCluster(folder);
    const home = paths.node(folder, 1);
    rmSync(paths.data(home), { recursive: true });
    const { refused } = await upCluster(folder);
    expect(refused).toMatchObject([{ node: 1, why: expect.stringMatching(/--rejoin 1$/) }]);
    expect((await submit(folder, 'get a99')).rows[0]?.result).toBe('99');
    await downCluster(folder);
    await expect(upCluster(folder, { rejoin: [0, 1] })).rejects.toThrow(/one by one/);
    await expect(upCluster(folder, { rejoin: [3] })).rejects.toThrow(/n0 to n2/);
    // As if it had been told, and was killed before its new disk held anything.
    writeFileSync(paths.started(home), 'rejoining');
    await upCluster(folder);
    await until(async () => readFileSync(paths.started(home), 'utf8') === '');
    await until(async () => {
      await submit(folder, 'set b 1');
      const { rows } = await clusterStatus(folder);
      return rows.every(({ digest }) => digest === rows[0]?.digest);
    });
    // Told so although its disk is there, it goes on with it.
    await downCluster(folder);
    await upCluster(folder, { rejoin: [1] });
    expect((await submit(folder, 'get a99')).rows[0]?.result).toBe('99');
  });
});

test('a node whose log is damaged comes back from the others, and its old log is kept', {
  timeout: limitMs,
}, async () => {
  const folder = await clusters.made({ protocol: 'pbft' });
  await upCluster(folder);
  await submit(folder, 'set a{i} {i}', { count: 40, outstanding: 4 });
  await downCluster(folder);
  const home = paths.node(folder, 2);
  const [name = ''] = readdirSync(paths.data(home)).filter((each) => each.endsWith('.log'));
  const segment = join(paths.data(home), name);
  const bytes = readFileSync(segment);
  bytes.fill(0xa5, 100, 200);
  writeFileSync(segment, bytes);
  const { refused } = await upCluster(folder);
  expect(refused.map(({ node }) => node)).toEqual([2]);
  await upCluster(folder, { rejoin: [2] });
  const aside = readdirSync(home).filter((each) => each.startsWith('data.damaged-'));
  expect(readFileSync(join(home, aside[0] ?? '', name)).equals(bytes)).toBe(true);
  await until(async () => {
    await submit(folder, 'set b 1');
    const { rows } = await clusterStatus(folder);
    return rows.every(({ digest }) => digest === rows[0]?.digest);
  });
});

describe('coming back without a disk is counted', () => {
  test('with those that have not come back yet, and a start that failed leaves no mark', {
    timeout: limitMs,
  }, async () => {
    const folder = await clusters.made({ protocol: 'raft' });
    const homes = [0, 1, 2].map((id) => paths.node(folder, id));
    for (const home of homes) writeFileSync(paths.started(home), '');
    for (const home of homes.slice(1)) writeFileSync(paths.started(home), 'rejoining');
    await expect(upCluster(folder, { rejoin: [1] })).rejects.toThrow(/n1 and n2 lost their disks/);
    // What is remembered counts too when nobody says it again, whoever starts the node.
    await expect(upCluster(folder)).rejects.toThrow(/n1 and n2 lost their disks/);
    await expect(runNode({ folder, self: 1 })).rejects.toThrow(/n1 and n2 lost their disks/);
    expect(readFileSync(paths.started(homes[1] as string), 'utf8')).toBe('rejoining');
    writeFileSync(paths.started(homes[1] as string), '');
    await expect(runNode({ folder, self: 1, rejoin: true })).rejects.toThrow(/n1 and n2 lost/);
    expect(readFileSync(paths.started(homes[1] as string), 'utf8')).toBe('');
    writeFileSync(paths.started(homes[2] as string), '');
    chmodSync(paths.key(homes[2] as string), 0o644);
    writeFileSync(paths.started(homes[1] as string), '');
    // n2's key is refused, so all are stopped; n1 may have begun to come back, and says so.
    await expect(upCluster(folder, { rejoin: [2] })).rejects.toThrow(/n2 did not start: KeyFile/);
    expect(readFileSync(paths.started(homes[2] as string), 'utf8')).toBe('');
  });
});

test('a process that was stopped is told from one that is gone', { timeout: limitMs }, async () => {
  const folder = await clusters.made({ protocol: 'raft' });
  const { nodes } = await upCluster(folder);
  const [first, second] = nodes.map(({ pid }) => pid) as [number, number];
  process.kill(first, 'SIGSTOP');
  process.kill(second, 'SIGKILL');
  await until(() => !isAlive(second));
  const { rows, word, sentence } = await clusterStatus(folder);
  process.kill(first, 'SIGCONT');
  expect(rows[0]).toMatchObject({ state: 'stopped', note: expect.stringContaining('kill -CONT') });
  expect(rows[1]).toMatchObject({ state: 'down', note: expect.stringContaining('was killed') });
  expect([word, sentence.slice(0, 18)]).toEqual(['stalled', '1 of 3 nodes is up']);
});

test('a protocol gets its own options, and those that cannot be are refused first', async () => {
  const folder = await clusters.made({ protocol: 'raft', options: { heartbeat: 20_000 } });
  expect((await readConfig(folder)).options).toEqual({ heartbeat: 20_000 });
  const made = (options: Record<string, number>): Promise<unknown> =>
    initCluster({ folder: clusters.fresh(), protocol: 'raft', options });
  await expect(made({ heartbeats: 1 })).rejects.toThrow(/heartbeat/);
  await expect(made({ heartbeat: 400_000 })).rejects.toThrow(/too late/);
  const file = paths.config(folder);
  const whole = readFileSync(file, 'utf8');
  writeFileSync(file, whole.replace('"heartbeat": 20000', '"beat": 1'));
  await expect(readConfig(folder)).rejects.toThrow(/heartbeat/);
  writeFileSync(file, whole);
});

test('operations are read from text, or refused with the usage', () => {
  expect(parseOperation('set a b c').bytes).toEqual(kv.put('a', 'b c'));
  expect(parseOperation('cas a - 1').bytes).toEqual(kv.compareAndSet('a', null, '1'));
  expect(parseOperation(' get a ')).toMatchObject({ bytes: kv.get('a'), readOnly: true });
  for (const bad of [
    '',
    'set',
    'set a',
    'get',
    'get a b',
    'cas a 1',
    'delete a b',
    'del',
    'constructor x',
  ])
    expect(() => parseOperation(bad), bad).toThrow(/set a 1/);
  expect(() => parseOperation(`set ${'k'.repeat(2000)} 1`)).toThrow(/1024|bytes/);
});

test('keys and values may have spaces, quotes, or nothing in them, up to their limit', () => {
  const value = 'v'.repeat(maxValueBytes);
  for (const [text, bytes] of [
    ['set "my key" "two words"', kv.put('my key', 'two words')],
    ["set 'my key' 'two words'", kv.put('my key', 'two words')],
    ['set a ""', kv.put('a', '')],
    ['append a ""', kv.append('a', '')],
    ['cas a "" ""', kv.compareAndSet('a', '', '')],
    ['cas a "-" b', kv.compareAndSet('a', '-', 'b')],
    ['cas "my key" - two words', kv.compareAndSet('my key', null, 'two words')],
    ['set a "say \\"hi\\" \\\\"', kv.put('a', 'say "hi" \\')],
    ['set a it is "so"', kv.put('a', 'it is "so"')],
    ["get 'my key'", kv.get('my key')],
    ["del 'my key'", kv.delete('my key')],
    [`set a ${value}`, kv.put('a', value)],
  ] as const)
    expect(parseOperation(text).bytes, text).toEqual(bytes);
});

test('what is refused is never repeated: it may be a secret', () => {
  const secret = 'hunter2';
  for (const bad of [
    `sett key ${secret}`,
    `get key ${secret}`,
    `set "${secret}`,
    `set key "${secret}" more`,
    `set key "${secret}`,
    `cas key ${secret}`,
    `set ${secret}${'k'.repeat(2000)} 1`,
    `set key ${secret}${'v'.repeat(maxValueBytes)}`,
    secret,
  ]) {
    const refusal = (() => {
      try {
        parseOperation(bad);
        return 'taken';
      } catch (error) {
        return error instanceof Error ? error.message : String(error);
      }
    })();
    expect(refusal, bad).not.toContain(secret);
    expect(refusal, bad).not.toBe('taken');
  }
});
