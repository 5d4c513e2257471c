import { kv, type ServiceMessage } from '@quorumlab/log';
import { encodeTransfer } from '@quorumlab/raft';
import { afterEach, expect, test } from 'vitest';
import { until } from '../../packages/node/test-support/cluster.ts';
import { groupsOfTests } from './support/groups.ts';
import { outsider } from './support/outsider.ts';
import { raftOf } from './support/replicas.ts';

const groupOf = groupsOfTests();
const ends: (() => Promise<void>)[] = [];
afterEach(async () => {
  await Promise.all(ends.splice(0).map((end) => end()));
});

/** Where the channel proves who speaks, nobody signs. */
const none = new Uint8Array();
/** So often the liar says that there is a later term. */
const claims = 40;

test('a member that speaks of ever later terms ends a few reigns, and then it waits', async () => {
  const group = await groupOf(raftOf({ n: 3 }));
  const nodes = await Promise.all([0, 1].map((id) => group.start(id)));
  const client = await group.client();
  await client.propose(kv.put('before', '1'));
  const liar = await outsider(group, 2);
  ends.push(() => liar.mesh.stop());
  await liar.mesh.ready(2);
  const termOf = () => Math.max(...nodes.map((node) => node.status().term ?? 0));
  const first = termOf();
  for (let i = 0; i < claims; i++) {
    // A message of the protocol, not of the service; the frames are the same.
    const claim = { kind: 'pre-vote-reply', term: termOf() + 1, granted: false } as unknown;
    for (const to of [0, 1]) liar.mesh.send(to, liar.frame(claim as ServiceMessage, {}, none));
    await client.propose(kv.put('meanwhile', `${i}`));
  }
  // Each that is heard takes one term, and an election the next one.
  expect(termOf() - first).toBeLessThan(claims);
  const held = () =>
    nodes.map(
      (node) => node.status().use.find(({ id }) => id === 2)?.refused['raised-too-often'] ?? 0,
    );
  await until('both hold it back, and say so', () => held().every((count) => count > 0));
  expect(nodes.map((node) => node.status().counters.refused['bad-signature'])).toEqual([0, 0]);
});

test('elections that somebody wins are as frequent as leaders change', async () => {
  const group = await groupOf(raftOf({ n: 3 }));
  const nodes = await Promise.all([0, 1, 2].map((id) => group.start(id)));
  const client = await group.client();
  await client.propose(kv.put('before', '1'));
  // Two of them hand the lead to each other: each raises the term of the others six times.
  for (let i = 0; i < 12; i++) {
    await client.reconfigure(encodeTransfer(i % 2));
    await client.propose(kv.put('meanwhile', `${i}`));
  }
  for (const node of nodes) {
    expect(node.status().term).toBeGreaterThan(10);
    expect(node.status().counters.refused['raised-too-often']).toBe(0);
  }
});
