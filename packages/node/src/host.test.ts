import { kv } from '@quorumlab/log';
import { afterEach, describe, expect, test } from 'vitest';
import { until } from '../test-support/cluster.ts';
import {
  type AnyProtocol,
  pbftOf,
  raftOf,
  type TestGroup,
  type TestReplica,
  testGroup,
} from '../test-support/replicas.ts';

const groups: TestGroup[] = [];
afterEach(async () => {
  await Promise.all(groups.splice(0).map((group) => group.end()));
});

async function groupOf(protocol: AnyProtocol): Promise<TestGroup> {
  const group = await testGroup(protocol);
  groups.push(group);
  return group;
}

const value = (result: Uint8Array): string => {
  const answer = kv.result(result);
  if (answer.kind !== 'value') throw new Error(`not a value but ${answer.kind}`);
  return answer.value === null ? 'nothing' : new TextDecoder().decode(answer.value);
};

const agreed = (nodes: readonly TestReplica[]): boolean =>
  nodes.every((node) => {
    const { applied, state } = node.status();
    const first = (nodes[0] as TestReplica).status();
    return applied === first.applied && state === first.state;
  });

const protocols: readonly (readonly [string, AnyProtocol])[] = [
  ['raft of 3', raftOf({ n: 3, snapshotEvery: 50 })],
  ['pbft of 4', pbftOf({ n: 4, checkpointEvery: 16 })],
];

describe.each(protocols)('%s over libp2p and files', (_name, protocol) => {
  test('commits what a client and its own replicas propose, and all agree', async () => {
    const group = await groupOf(protocol);
    const nodes = await group.startAll();
    const client = await group.client();
    await Promise.all(
      Array.from({ length: 200 }, (_, i) => client.propose(kv.put(`key ${i}`, `value ${i}`))),
    );
    await Promise.all(nodes.map((node, id) => node.log.propose(kv.put(`from ${id}`, `${id}`))));
    expect(value(await client.read(kv.get('key 7')))).toBe('value 7');
    for (const id of protocol.members)
      expect(value(await client.read(kv.get(`from ${id}`)))).toBe(`${id}`);
    await until('all replicas have run everything', () => agreed(nodes));
    for (const node of nodes) expect(node.status().counters.refused).toMatchObject(none);
  });

  test('keeps every acknowledged write when all replicas restart', async () => {
    const group = await groupOf(protocol);
    const before = await group.startAll();
    const client = await group.client();
    for (let round = 0; round < 3; round++)
      await Promise.all(
        Array.from({ length: 60 }, (_, i) => client.propose(kv.put(`${round}/${i}`, `${i}`))),
      );
    await Promise.all(before.map((node) => node.stop()));
    const after = await group.startAll();
    for (let round = 0; round < 3; round++)
      for (const i of [0, 31, 59])
        expect(value(await client.read(kv.get(`${round}/${i}`)))).toBe(`${i}`);
    await client.propose(kv.put('again', 'yes'));
    await until('all replicas agree', () => agreed(after));
  });
});

const none = {
  oversized: 0,
  'wrong-version': 0,
  'wrong-domain': 0,
  'not-a-member': 0,
  'not-the-sender': 0,
  'unknown-kind': 0,
  malformed: 0,
  'bad-signature': 0,
  'bad-evidence': 0,
  overload: 0,
};
