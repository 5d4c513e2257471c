import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { kv, maxValueBytes } from '@quorumlab/log';
import { afterEach, describe, expect, test } from 'vitest';
import { testClusters, until } from '../test-support/clusters.ts';
import { paths } from './config.ts';
import {
  clusterStatus,
  downCluster,
  initCluster,
  parseOperation,
  readConfig,
  runNode,
  submit,
  upCluster,
} from './index.ts';
import { isAlive } from './process-file.ts';

const limitMs = 240_000;
const clusters = testClusters();
afterEach(() => clusters.end(), limitMs);

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
