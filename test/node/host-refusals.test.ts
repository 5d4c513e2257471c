import { equivocate } from '@quorumlab/adversary';
import type { Request, Signature, Signed } from '@quorumlab/core';
import { kv, type ServiceMessage } from '@quorumlab/log';
import {
  connectClient,
  createLogger,
  type FrameRefusal,
  publicKeyOf,
  startMesh,
} from '@quorumlab/node';
import { afterEach, expect, test } from 'vitest';
import { seedOf, until } from '../../packages/node/test-support/cluster.ts';
import { agreement, groupsOfTests } from './support/groups.ts';
import { type Outsider, outsider, requestOf } from './support/outsider.ts';
import { pbftOf, raftOf, type TestReplica } from './support/replicas.ts';

const groupOf = groupsOfTests();
const outsiders: Outsider[] = [];
afterEach(async () => {
  await Promise.all(outsiders.splice(0).map(({ mesh }) => mesh.stop()));
});

const refused = (node: TestReplica, reason: FrameRefusal): number =>
  node.status().counters.refused[reason];

test('what does not belong here is refused before any handler, and counted', async () => {
  const group = await groupOf(pbftOf({ n: 4 }));
  const node = await group.start(0);
  const liar = await outsider(group, 3);
  outsiders.push(liar);
  await liar.mesh.ready(1);
  await until('replica 0 is idle', () => node.status().counters.steps > 0);
  const { steps } = node.status().counters;
  const request = requestOf(3);
  const frames: Partial<Record<FrameRefusal, Uint8Array>> = {
    'wrong-domain': liar.frame(request, { epoch: 1 }),
    'not-a-member': liar.frame(request, { from: 77 }),
    'bad-signature': liar.frame(request, {}, new Uint8Array(64)),
    malformed: liar.frame(request).subarray(0, -1),
    'wrong-version': liar.frame(request).fill(9, 0, 1),
  };
  for (const frame of Object.values(frames)) liar.mesh.send(0, frame);
  liar.mesh.send(0, liar.frame(request, { cluster: 'another' }));
  // Signed by its own key in the name of another member: whoever carries it, the name decides.
  liar.mesh.send(0, liar.frame(requestOf(2), { from: 2 }));
  await until('all were counted', () => refused(node, 'bad-signature') === 2);
  for (const reason of Object.keys(frames) as FrameRefusal[])
    expect([reason, refused(node, reason)]).toEqual([
      reason,
      reason === 'wrong-domain' || reason === 'bad-signature' ? 2 : 1,
    ]);
  expect(node.status().counters.steps).toBe(steps);
});

test('a frame that is well signed and has a bad signature inside reaches no handler', async () => {
  const group = await groupOf(pbftOf({ n: 4 }));
  const heard: string[] = [];
  const hooks = { heard: ({ kind }: { kind: string }) => void heard.push(kind) };
  const node = await group.start(0, { hooks });
  const liar = await outsider(group, 3);
  outsiders.push(liar);
  await liar.mesh.ready(1);
  const request = requestOf(65_536) as Request;
  const signed = (signature: Uint8Array): Signed<Request> => ({
    ...request,
    from: request.client,
    signature: signature as Signature,
  });
  const relay = (...requests: Signed<Request>[]): Uint8Array =>
    liar.frame({ kind: 'relay', requests } as unknown as ServiceMessage);
  const good = signed(liar.sign(request, request.client).signature);
  // Another one than the good one: of what waits already nothing is checked.
  const bad: Signed<Request> = { ...signed(new Uint8Array(64)), sequence: 2, acknowledged: 2 };
  liar.mesh.send(0, relay(good));
  await until('the good one was taken', () => heard.length > 0);
  for (const requests of [[bad], [good, bad], [bad, good]]) liar.mesh.send(0, relay(...requests));
  await until('all were counted', () => refused(node, 'bad-evidence') === 3);
  expect(refused(node, 'bad-signature')).toBe(0);
  expect(heard).toEqual(['relay']);
});

test('a stranger gets no further than the handshake', async () => {
  const group = await groupOf(raftOf({ n: 3 }));
  const node = await group.start(0);
  const { cluster, protocol } = group;
  const stranger = await connectClient({
    protocol,
    cluster: { ...cluster, clients: [{ id: 65_540, publicKey: publicKeyOf(seedOf(65_540)) }] },
    self: 65_540,
    secretKey: seedOf(65_540),
    logger: createLogger({ level: 'silent' }),
  });
  const asked = stranger.propose(kv.put('a', 'b'), { signal: AbortSignal.timeout(2000) });
  asked.catch(() => undefined);
  await until('it was turned away', () => node.status().counters.mesh.refused.stranger > 0);
  expect(node.status().peers).toEqual([]);
  expect(node.status().counters.mesh.framesIn).toBe(0);
  await stranger.stop();
  await expect(asked).rejects.toMatchObject({ name: 'StoppedError' });
});

test('where the channel is the proof, nobody speaks for another', async () => {
  const group = await groupOf(raftOf({ n: 3 }));
  const node = await group.start(0);
  const liar = await outsider(group, 1);
  outsiders.push(liar);
  await liar.mesh.ready(1);
  liar.mesh.send(0, liar.frame(requestOf(2), { from: 2 }, new Uint8Array(0)));
  await until('it was counted', () => refused(node, 'not-the-sender') === 1);
});

test('a member that floods with bad signatures is cut off while the others commit', async () => {
  const group = await groupOf(pbftOf({ n: 4 }));
  const nodes = await Promise.all([0, 1, 2].map((id) => group.start(id)));
  const client = await group.client();
  await client.propose(kv.put('before', '1'));
  const liar = await outsider(group, 3);
  outsiders.push(liar);
  await liar.mesh.ready(3);
  const frame = liar.frame(requestOf(3), {}, new Uint8Array(64));
  const flood = setInterval(() => {
    for (const to of [0, 1, 2]) for (let i = 0; i < 100; i++) liar.mesh.send(to, frame);
  }, 5);
  try {
    await Promise.all(
      Array.from({ length: 100 }, (_, i) => client.propose(kv.put(`during ${i}`, '1'))),
    );
    await until('it was cut off everywhere', () =>
      nodes.every((node) => node.status().counters.mesh.resets > 0),
    );
  } finally {
    clearInterval(flood);
  }
  for (const node of nodes) expect(refused(node, 'bad-signature')).toBeGreaterThanOrEqual(50);
  await agreement(nodes);
});

test('configurations that cannot work are refused by name', async () => {
  const group = await groupOf(pbftOf({ n: 4 }));
  await expect(group.start(0, { signatures: 'channel' })).rejects.toMatchObject({
    name: 'KeyringError',
  });
  const named = { name: 'NodeConfigError' };
  await expect(group.start(7)).rejects.toMatchObject(named);
  await expect(group.start(0, { protocol: pbftOf({ n: 7 }) })).rejects.toMatchObject(named);
  await expect(group.start(0, { behaviour: equivocate(() => true) })).rejects.toMatchObject(named);
  const node = await group.start(0);
  expect(() => node.setBehaviour(equivocate(() => true))).toThrow('not made for faults');
  await expect(group.start(0)).rejects.toMatchObject({ name: 'FolderLockedError' });
  await node.stop();
  const again = await group.start(0);
  expect(again.status().applied).toBe(-1);
  // A port that is taken: the folder is given back.
  const blocker = await startMesh({
    secretKey: seedOf(1),
    self: 1,
    listen: group.cluster.members[1]?.address ?? '',
    principals: group.cluster.members,
    maxFrameBytes: 1024,
    onFrame: () => undefined,
    logger: createLogger({ level: 'silent' }),
  });
  await expect(group.start(1)).rejects.toThrow();
  await blocker.stop();
  await group.start(1);
});
