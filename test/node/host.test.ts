import { kv } from '@quorumlab/log';
import { describe, expect, test } from 'vitest';
import { agreement, groupsOfTests, textOf } from './support/groups.ts';
import { type AnyProtocol, pbftOf, raftOf } from './support/replicas.ts';

const groupOf = groupsOfTests();

const protocols: readonly (readonly [string, AnyProtocol])[] = [
  ['raft of 3', raftOf({ n: 3, snapshotEvery: 50 })],
  ['pbft of 4', pbftOf({ n: 4, checkpointEvery: 16 })],
];

describe.each(protocols)('%s over libp2p and disks', (_name, protocol) => {
  test('commits what a client and its own replicas propose, and all agree', async () => {
    const group = await groupOf(protocol);
    const nodes = await group.startAll();
    const client = await group.client();
    await Promise.all(
      Array.from({ length: 200 }, (_, i) => client.propose(kv.put(`key ${i}`, `value ${i}`))),
    );
    await Promise.all(nodes.map((node, id) => node.log.propose(kv.put(`from ${id}`, `${id}`))));
    expect(textOf(await client.read(kv.get('key 7')))).toBe('value 7');
    for (const id of protocol.members)
      expect(textOf(await client.read(kv.get(`from ${id}`)))).toBe(`${id}`);
    await agreement(nodes);
    for (const node of nodes)
      expect(Object.values(node.status().counters.refused).filter(Boolean)).toEqual([]);
  });

  test('keeps every acknowledged write when all replicas restart', async () => {
    const group = await groupOf(protocol);
    const before = await group.startAll((id) => ({ backEnd: id === 0 ? 'sqlite' : 'files' }));
    const client = await group.client();
    for (let round = 0; round < 3; round++)
      await Promise.all(
        Array.from({ length: 60 }, (_, i) => client.propose(kv.put(`${round}/${i}`, `${i}`))),
      );
    await Promise.all(before.map((node) => node.stop()));
    const after = await group.startAll((id) => ({
      backEnd: id === 0 ? 'sqlite' : 'files',
      mustExist: true,
    }));
    for (let round = 0; round < 3; round++)
      for (const i of [0, 31, 59])
        expect(textOf(await client.read(kv.get(`${round}/${i}`)))).toBe(`${i}`);
    await client.propose(kv.put('again', 'yes'));
    await agreement(after);
  });
});

test('a replica shows its log, and a client that aborts stops waiting', async () => {
  const group = await groupOf(raftOf({ n: 3 }));
  const nodes = await group.startAll();
  await nodes[0]?.log.propose(kv.put('a', '1'));
  await nodes[1]?.log.propose(kv.put('b', '2'));
  const seen: Uint8Array[] = [];
  for await (const { operation } of nodes[2]?.log.entries(0) ?? []) {
    seen.push(operation);
    if (seen.length === 2) break;
  }
  expect(seen).toEqual([kv.put('a', '1'), kv.put('b', '2')]);
  await Promise.all([0, 1].map((id) => nodes[id]?.stop()));
  const client = await group.client();
  const lonely = client.propose(kv.put('c', '3'), { signal: AbortSignal.timeout(100) });
  await expect(lonely).rejects.toMatchObject({ name: 'AbortError' });
});
