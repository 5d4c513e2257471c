import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import type { Tagged } from '@quorumlab/core';
import { serviced } from '@quorumlab/log';
import { createLogger, fastCrypto, type Mesh, readKeyFile, startMesh } from '@quorumlab/node';
import {
  checkGuiltProof,
  domainOf,
  ed25519Keyring,
  envelopes,
  openGuiltProof,
} from '@quorumlab/wire';
import { afterEach, expect, test } from 'vitest';
import { testClusters, until } from '../test-support/clusters.ts';
import { accusationRecord } from './accusations.ts';
import { identityOf, paths, protocolIn, readConfig } from './config.ts';
import { askNode, tryAskNode } from './control-client.ts';
import { controlPath } from './control-path.ts';
import { proofGroup } from './evidence.ts';
import {
  clusterEvidence,
  clusterStatus,
  downCluster,
  type RunningClusterNode,
  runNode,
} from './index.ts';
import type { NodeReport } from './reports.ts';

const limitMs = 240_000;
const clusters = testClusters();
const nodes: RunningClusterNode[] = [];
const meshes: Mesh[] = [];
afterEach(async () => {
  await Promise.all(meshes.splice(0).map((mesh) => mesh.stop()));
  await Promise.all(nodes.splice(0).map((node) => node.stop()));
  await clusters.end();
}, limitMs);

/** A node of a cluster in this process, whose others are not there. */
async function alone(protocol: string): Promise<{ folder: string; home: string }> {
  const folder = await clusters.made({ protocol });
  nodes.push(await runNode({ folder, self: 0 }));
  return { folder, home: paths.node(folder, 0) };
}

test('what answers for a node and is no process of it here is asked to stop, and not ended', {
  timeout: limitMs,
}, async () => {
  // This process: its number stands in the node's report and file, as one of a container would.
  const { folder, home } = await alone('raft');
  expect(Number(readFileSync(paths.pid(home), 'utf8'))).toBe(process.pid);
  const [row] = await downCluster(folder, { nodes: [0] });
  expect(row).toEqual({ node: 0, pid: process.pid, how: 'stopped' });
  expect(await nodes[0]?.ended).toBeUndefined();
  expect(await tryAskNode(home, 'status')).toBeUndefined();
});

test('a member that says two things is kept with its proof, and the status shows it', {
  timeout: limitMs,
}, async () => {
  const { folder, home } = await alone('pbft');
  const config = await readConfig(folder);
  const protocol = protocolIn(config);
  const cluster = identityOf(config);
  const secretKey = await readKeyFile(paths.key(paths.node(folder, 2)));
  const mesh = await startMesh({
    secretKey,
    self: 2,
    listen: cluster.members[2]?.address ?? '',
    principals: [...cluster.members, ...cluster.clients],
    maxFrameBytes: 1024 * 1024,
    onFrame: () => undefined,
    logger: createLogger({ level: 'silent' }),
  });
  meshes.push(mesh);
  const domain = domainOf(protocol, cluster);
  const { messages } = serviced(protocol);
  const keyring = ed25519Keyring<Tagged>({
    ...{ domain, messages, protocol, self: 2, secretKey, fast: fastCrypto },
    publicKeys: new Map(),
  });
  const say = (digest: string): void => {
    // The service's messages and the protocol's are one type for whoever encodes them.
    const vote = keyring.sign({
      kind: 'prepare',
      epoch: 0,
      view: 0,
      sequence: 1,
      digest,
    } as Tagged);
    mesh.send(0, envelopes<Tagged>(domain, messages).encode(vote));
  };
  await mesh.ready(1);
  say('a'.repeat(64));
  say('b'.repeat(64));
  say('b'.repeat(64));
  const accused = async () => (await askNode<NodeReport>(home, 'status')).accused;
  await until(async () => (await accused()).length > 0);
  const [found] = await accused();
  expect(found).toMatchObject({ signer: 2, rule: expect.stringContaining('prepare') });
  expect(JSON.parse(readFileSync(found?.proof ?? '', 'utf8'))).toMatchObject({
    schema: 'quorumlab.proof/2',
    culprits: [{ member: 2 }],
  });
  const { rows } = await clusterStatus(folder);
  expect(rows[0]).toMatchObject({
    accused: [found],
    note: expect.stringContaining('proof that n2'),
  });
  expect(readFileSync(paths.log(home), 'utf8')).toContain('two things of which only one');

  // Who has heard none of it is told, and keeps a proof of its own.
  nodes.push(await runNode({ folder, self: 1, askingMs: 100 }));
  const other = paths.node(folder, 1);
  await until(async () => (await askNode<NodeReport>(other, 'status')).accused.length > 0);
  const [passed] = (await askNode<NodeReport>(other, 'status')).accused;
  expect(passed).toMatchObject({ signer: 2, rule: found?.rule });
  expect(readFileSync(passed?.proof ?? '', 'utf8')).toBe(readFileSync(found?.proof ?? '', 'utf8'));

  // It outlives the node, and what lies beside it and proves nothing does not count.
  writeFileSync(`${paths.proofs(home)}/n1-other.proof.json`, '{}');
  mkdirSync(`${paths.proofs(home)}/n3-folder.proof.json`);
  const again = accusationRecord(config, home, (error) => {
    throw error;
  });
  expect(again.rows()).toEqual([found]);

  // Whoever asks the cluster is given a proof that holds by its keys, with the node up or down.
  const evidence = await clusterEvidence(folder);
  expect(evidence).toMatchObject({ asked: [0, 1], culprits: [{ member: 2, rule: found?.rule }] });
  const opened = openGuiltProof(evidence.proof ?? '');
  const trust = { group: proofGroup(config) };
  expect(checkGuiltProof(opened, serviced(protocol), trust)).toMatchObject({ holds: true });
});

/** A question as no tool of ours would ask it, and now and then as one would. */
function question(draw: (below: number) => number): Buffer {
  const pick = (...from: readonly string[]): string => from[draw(from.length)] as string;
  const noise = (most: number): string =>
    Array.from({ length: draw(most) }, () => String.fromCharCode(draw(256))).join('');
  const number = (): string =>
    pick(
      '0',
      '-1',
      '1e999',
      '9007199254740993',
      'NaN',
      '0x10',
      '',
      '%00',
      noise(8),
      '1'.repeat(99),
    );
  const name = pick(
    'status',
    'log',
    'digests',
    'story',
    'evidence',
    'fault',
    '',
    '/',
    '__proto__',
    '%',
  );
  const target = pick(
    `/${name}?from=${number()}&limit=${number()}&attack=${noise(6)}`,
    `/${name}?attack=${pick('none', 'silent-follower', 'split', noise(9))}`,
    `//${noise(12)}`,
    `http://${noise(9)}/${name}`,
    noise(40),
    `/${'x'.repeat(draw(9000))}`,
  );
  const headers = pick(
    'Host: node\r\n',
    '',
    `Content-Length: ${number()}\r\n`,
    'Transfer-Encoding: chunked\r\n',
    'Expect: 100-continue\r\n',
    'Connection: upgrade\r\nUpgrade: websocket\r\n',
    `${noise(20)}: ${noise(20)}\r\n`,
  );
  const method = pick('GET', 'POST', 'HEAD', 'CONNECT', 'OPTIONS', 'PRI', noise(5));
  const body = pick('', noise(60), 'ffffffffffffffff\r\n', `5\r\n${noise(5)}\r\n0\r\n\r\n`);
  const version = pick('1.1', '1.0', '2.0', noise(3));
  const text = `${method} ${target} HTTP/${version}\r\n${headers}\r\n${body}`;
  return Buffer.from(draw(8) === 0 ? text.slice(0, draw(text.length + 1)) : text, 'latin1');
}

test('two thousand random questions end no node, and it answers the next one', {
  timeout: limitMs,
}, async () => {
  const { home } = await alone('raft');
  const path = controlPath(home);
  const seed = process.env.QUORUMLAB_SEED ?? String(Date.now());
  let drawn = 0;
  const draw = (below: number): number =>
    createHash('sha256').update(`${seed} ${drawn++}`).digest().readUInt32LE() % Math.max(1, below);
  /** Sends some questions on one connection, and reads, or does not, before it goes. */
  const tool = (): Promise<void> =>
    new Promise((resolve) => {
      const questions = Array.from({ length: 10 }, () => question(draw));
      const rude = draw(3) === 0;
      const socket = connect(path, () => {
        for (const each of questions) socket.write(each);
        if (rude) socket.destroy();
        else socket.end();
      });
      if (draw(3) > 0) socket.resume();
      socket.on('error', () => undefined).on('close', () => resolve());
      // What is not read keeps a connection open: this tool goes away.
      setTimeout(() => socket.destroy(), 200).unref();
    });
  for (let asked = 0; asked < 2000; asked += 400) {
    await Promise.all(Array.from({ length: 40 }, tool));
    const report = await tryAskNode<NodeReport>(home, 'status');
    expect(report?.self, `QUORUMLAB_SEED=${seed}`).toBe(0);
  }
  // More tools than may ask at once, who say nothing: the others are answered when they have gone.
  const silent = Array.from({ length: 200 }, () => connect(path).on('error', () => undefined));
  await until(() => silent.filter(({ destroyed }) => destroyed).length > 100);
  for (const each of silent) each.destroy();
  await until(async () => (await tryAskNode<NodeReport>(home, 'status')) !== undefined);
});
