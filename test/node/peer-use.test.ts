import { kv } from '@quorumlab/log';
import { connectClient, createLogger, type PeerUse, publicKeyOf } from '@quorumlab/node';
import { afterEach, expect, test } from 'vitest';
import { seedOf, until } from '../../packages/node/test-support/cluster.ts';
import { groupsOfTests } from './support/groups.ts';
import { outsider, requestOf } from './support/outsider.ts';
import { pbftOf, type TestReplica } from './support/replicas.ts';

const groupOf = groupsOfTests();
const ends: (() => Promise<void>)[] = [];
afterEach(async () => {
  await Promise.all(ends.splice(0).map((end) => end()));
});

const useOf = (node: TestReplica, id: number | undefined): PeerUse => {
  const found = node.status().use.find((each) => each.id === id);
  if (found === undefined) throw new Error(`no account of ${id}`);
  return found;
};

test('what a peer sends is charged to it and to nobody else', async () => {
  const group = await groupOf(pbftOf({ n: 4 }));
  const [node] = await Promise.all([0, 1, 2].map((id) => group.start(id)));
  if (node === undefined) throw new Error('no node');
  const client = await group.client();
  await client.propose(kv.put('a', '1'));
  const liar = await outsider(group, 3);
  ends.push(() => liar.mesh.stop());
  await until('the liar is connected', () => liar.mesh.connected().includes(0));
  // One that is no principal, for its own group it is.
  const stranger = await connectClient({
    protocol: group.protocol,
    cluster: {
      ...group.cluster,
      clients: [{ id: 65_540, publicKey: publicKeyOf(seedOf(65_540)) }],
    },
    self: 65_540,
    secretKey: seedOf(65_540),
    logger: createLogger({ level: 'silent' }),
  });
  ends.push(() => stranger.stop());
  const frame = liar.frame(requestOf(3), {}, new Uint8Array(64));
  for (let i = 0; i < 20; i++) liar.mesh.send(0, frame);
  await until('all were refused', () => useOf(node, 3).refused['bad-signature'] === 20);
  await until('so was the stranger', () => (useOf(node, undefined).refused.stranger ?? 0) > 0);
  const bad = useOf(node, 3);
  expect(bad).toMatchObject({ framesIn: 20, links: 1, connections: 1, streams: 1, resets: 0 });
  expect(bad.bytesIn).toBeGreaterThan(20 * frame.length);
  expect(bad.work.decode).toBeGreaterThan(0);
  expect(bad.work.verify).toBeGreaterThan(0);
  expect(bad.work.step).toBe(0); // No handler saw anything of it.
  const honest = useOf(node, 65_536);
  expect(honest.refused).toEqual({});
  expect(honest.work.step).toBeGreaterThan(0);
  expect(useOf(node, 0)).toMatchObject({ framesIn: 0, refused: {} });
  expect(useOf(node, 0).work.say).toBeGreaterThan(0);
  // One account for each key and one for all others, whoever comes.
  expect(node.status().use.length).toBeLessThanOrEqual(4 + 3 + 1);
  const charged = node.status().use.flatMap(({ work }) => Object.values(work));
  expect(node.status().busyMicros).toBeGreaterThan(charged.reduce((sum, each) => sum + each, 0));
  // More than it may: it is cut off, and its account says for how long.
  for (let i = 0; i < 60; i++) liar.mesh.send(0, frame);
  await until('it is kept out', () => useOf(node, 3).bannedMilliseconds > 0);
  expect(useOf(node, 3)).toMatchObject({ lastReset: 'bad-signature', connections: 0 });
});
