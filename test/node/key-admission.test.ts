/** Keys that nobody may be known by are refused wherever principals come in. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { initCluster, readConfig } from '@quorumlab/cluster';
import { fromHex } from '@quorumlab/core';
import { keyValueStore } from '@quorumlab/log';
import {
  type ClusterIdentity,
  connectClient,
  createLogger,
  type Signatures,
  startMesh,
  startNode,
} from '@quorumlab/node';
import { expect, test } from 'vitest';
import { badKeys } from '../../packages/node/test-support/bad-keys.ts';
import { seedOf } from '../../packages/node/test-support/cluster.ts';
import { groupsOfTests } from './support/groups.ts';
import { raftOf } from './support/replicas.ts';

const groupOf = groupsOfTests();
const logger = createLogger({ level: 'silent' });

test('by replicas, clients and a bare mesh, of members and clients, in each mode', async () => {
  const group = await groupOf(raftOf({ n: 3 }));
  const { protocol } = group;
  const withKey = (id: number, bad: string): ClusterIdentity => {
    const spoil = <P extends { id: number }>(one: P): P =>
      one.id === id ? { ...one, publicKey: fromHex(bad) } : one;
    const { members, clients } = group.cluster;
    return { ...group.cluster, members: members.map(spoil), clients: clients.map(spoil) };
  };
  for (const [k, bad] of badKeys.entries()) {
    const modes: readonly Signatures[] = ['channel', 'ed25519'];
    const signatures = modes[k % 2] ?? 'channel';
    const id = k % 4 < 2 ? 1 : 65_537;
    const cluster = withKey(id, bad);
    const common = { protocol, cluster, signatures, logger };
    const expected = { name: 'KeyError', message: expect.stringContaining(`principal ${id}`) };
    const folder = `${group.folder(0)}-${k}`;
    const replica = { ...common, self: 0, secretKey: seedOf(0), folder };
    await expect(startNode({ ...replica, stateMachine: keyValueStore })).rejects.toMatchObject(
      expected,
    );
    expect(existsSync(folder)).toBe(false);
    await expect(
      connectClient({ ...common, self: 65_536, secretKey: seedOf(65_536) }),
    ).rejects.toMatchObject(expected);
    const principals = [...cluster.members, ...cluster.clients];
    const mesh = { self: 65_536, secretKey: seedOf(65_536), maxFrameBytes: 1024, logger };
    await expect(startMesh({ ...mesh, principals, onFrame: () => {} })).rejects.toMatchObject(
      expected,
    );
  }
});

test('by whoever reads the file of a cluster, which it names', async () => {
  const home = await mkdtemp(join(tmpdir(), 'quorumlab-keys-'));
  const folder = join(home, 'c');
  await initCluster({ folder, protocol: 'raft' });
  const file = join(folder, 'cluster.json');
  const whole = readFileSync(file, 'utf8');
  const { members, clients } = await readConfig(folder);
  const all = [...members, ...clients];
  for (const [k, bad] of badKeys.entries()) {
    const { id, publicKey } = all[k % all.length] ?? { id: -1, publicKey: '' };
    writeFileSync(file, whole.replace(publicKey, bad));
    const refusal = new RegExp(`cluster.json: the public key of principal ${id}, .*restore it`);
    await expect(readConfig(folder)).rejects.toThrow(refusal);
  }
  await rm(home, { recursive: true });
});
