import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decode, encode, type Random } from '@quorumlab/core';
import { MAX_ANSWER_BYTES } from '@quorumlab/node';
import { afterEach, expect, test } from 'vitest';
import { haveAllRun, until } from '../test-support/clusters.ts';
import { type ClusterConfig, paths } from './config.ts';
import { clusterStatus, initCluster, newKeyFile, runNode, submit } from './index.ts';
import { freePorts } from './ports.ts';
import { clusterDigest, decodeReport, passable, remoteReport } from './remote-report.ts';
import type { RunningClusterNode } from './run-node.ts';

const limitMs = 60_000;
const running: RunningClusterNode[] = [];
const homes: string[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((node) => node.stop()));
  for (const home of homes.splice(0)) rmSync(home, { recursive: true, force: true });
}, limitMs);

/** A folder with `cluster.json` and some of the folders of `whole`: what one machine gets. */
function share(whole: string, ...parts: readonly string[]): string {
  const folder = mkdtempSync(join(tmpdir(), 'quorumlab-host-'));
  homes.push(folder);
  for (const part of ['cluster.json', ...parts])
    cpSync(join(whole, part), join(folder, part), { recursive: true });
  return folder;
}

async function start(folder: string, self: number): Promise<RunningClusterNode> {
  const node = await runNode({ folder, self });
  running.push(node);
  return node;
}

function change(folder: string, how: (config: ClusterConfig) => ClusterConfig): void {
  const file = paths.config(folder);
  writeFileSync(file, JSON.stringify(how(JSON.parse(readFileSync(file, 'utf8')))));
}

test('nodes of other hosts are asked over the network, and why one is silent is said', {
  timeout: limitMs,
}, async () => {
  const home = mkdtempSync(join(tmpdir(), 'quorumlab-hosts-'));
  homes.push(home);
  const whole = join(home, 'c');
  const [port = 0] = await freePorts('127.0.0.1', 1);
  const hosts = ['127.0.0.1', '127.0.0.2', '127.0.0.2'];
  await initCluster({ folder: whole, protocol: 'raft', n: 3, hosts, basePort: port, clients: 2 });
  const first = share(whole, 'n0', 'client-65536');
  const second = share(whole, 'n1', 'n2');
  await start(first, 0);
  const [n1, n2] = await Promise.all([start(second, 1), start(second, 2)]);
  await submit(first, 'set a 1');

  for (const [folder, here] of [
    [first, [0]],
    // It has no client: its nodes ask over the connections that they have.
    [second, [1, 2]],
  ] as const) {
    let found = await clusterStatus(folder);
    await until(async () => {
      found = await clusterStatus(folder);
      // The session and one write.
      return haveAllRun(found.rows, 2) && found.rows.every(({ leader }) => leader !== undefined);
    });
    expect(found.word).toBe('ok');
    expect(found.rows.map(({ remote }) => !remote)).toEqual(
      [0, 1, 2].map((node) => here.some((each) => each === node)),
    );
    expect(new Set(found.rows.map(({ digest }) => digest)).size).toBe(1);
    for (const { use, remote } of found.rows) expect(use === undefined).toBe(remote);
  }

  await n2?.stop();
  const without = await clusterStatus(first);
  expect([without.word, without.rows[1]?.up]).toEqual(['ok', true]);
  expect(without.rows[2]).toMatchObject({ state: 'unreachable', fault: 'refused', up: false });
  expect(without.rows[2]?.note).toContain(`nobody listens at 127.0.0.2:${port + 1}`);

  // Who has another cluster.json, or a key that the nodes do not know, is told nothing.
  const other = share(whole, 'client-65536');
  change(other, (config) => ({ ...config, epoch: 9 }));
  expect((await clusterStatus(other)).rows[0]).toMatchObject({ fault: 'wrong-cluster' });
  const stranger = share(whole);
  mkdirSync(paths.client(stranger, 65_536), { mode: 0o700 });
  const publicKey = await newKeyFile(paths.key(paths.client(stranger, 65_536)));
  change(stranger, (config) => ({ ...config, clients: [{ id: 65_536, publicKey }] }));
  const [told] = (await clusterStatus(stranger)).rows;
  expect(told).toMatchObject({ fault: 'turned-away', up: false });
  expect(told?.role).toBeUndefined();
  const keyless = share(whole);
  expect((await clusterStatus(keyless)).rows[0]).toMatchObject({
    state: 'elsewhere',
    fault: 'not-asked',
  });

  await n1?.stop();
  const alone = await clusterStatus(first);
  expect(alone.word).toBe('stalled');
  expect(alone.sentence).toMatch(/^1 of 3 nodes can be reached from here, .* fewer than 2 \(n1: /);
});

test('a report is small whatever it says, and what else comes back is no report', () => {
  expect(remoteReport.maxBytes).toBeLessThanOrEqual(MAX_ANSWER_BYTES);
  let word = 1;
  const random: Random = {
    below: (limit) => {
      word = (Math.imul(word, 1_664_525) + 1_013_904_223) >>> 0;
      return word % limit;
    },
  };
  for (let i = 0; i < 300; i++) {
    const bytes = encode(remoteReport, remoteReport.sample(random));
    expect(decode(remoteReport, bytes)).toEqual(decodeReport(bytes));
    expect(decodeReport(bytes.subarray(0, random.below(bytes.length)))).toBeUndefined();
    bytes[random.below(bytes.length)] = random.below(256);
    const bent = decodeReport(bytes);
    // Shown on a terminal: no escapes, whoever wrote them.
    if (bent !== undefined) expect(`${bent.role}${bent.attack}`).toMatch(/^[a-z0-9+ -]*$/);
  }
});

test('lies are passed on as far as there is room, and no liar makes a report too large', () => {
  const lie = (size: number) => ({ first: new Uint8Array(size), second: new Uint8Array(size) });
  const all = [lie(150), lie(601), lie(150), ...Array.from({ length: 20 }, () => lie(200))];
  const fits = passable(all);
  expect(fits.slice(0, 2)).toEqual([all[0], all[2]]);
  expect(fits.length).toBeLessThanOrEqual(8);
  expect(
    fits.reduce((sum, { first, second }) => sum + first.length + second.length, 0),
  ).toBeLessThan(1600);
  expect(passable([lie(601)])).toEqual([]);
});

test('clusters that could not be one group have different digests', () => {
  const config = { name: 'a', group: 'main', epoch: 0, protocol: 'raft', n: 1, f: 0 };
  const members = [{ id: 0, publicKey: 'ab', address: '' }];
  const digestOf = (more: object): string =>
    clusterDigest({ ...config, members, ...more } as unknown as ClusterConfig);
  const changes = [{}, { name: 'b' }, { epoch: 1 }, { protocol: 'pbft' }, { members: [] }];
  expect(new Set(changes.map(digestOf)).size).toBe(changes.length);
  // Where nodes listen, and who its clients are, may be written differently on each machine.
  expect(digestOf({ members: [{ ...members[0], address: 'x' }] })).toBe(digestOf({}));
});
