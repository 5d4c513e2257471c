/** Real groups whose certificates are aggregates: they commit, lose a member, and take it back. */
import { existsSync } from 'node:fs';
import { bls12_381 } from '@noble/curves/bls12-381.js';
import { blsScheme } from '@quorumlab/bls';
import {
  aggregateBytes,
  type Certificate,
  isAggregated,
  type ReplicaId,
  type Signature,
  type Tagged,
} from '@quorumlab/core';
import { hotstuff } from '@quorumlab/hotstuff';
import { anyProtocol, kv, type ServiceMessage } from '@quorumlab/log';
import { type ClusterIdentity, certificateKeyOf, type FrameRefusal } from '@quorumlab/node';
import { tendermint } from '@quorumlab/tendermint';
import { digestOf, KeyError } from '@quorumlab/wire';
import { afterEach, describe, expect, test } from 'vitest';
import { seedOf, until } from '../../packages/node/test-support/cluster.ts';
import { agreement, groupsOfTests, textOf } from './support/groups.ts';
import { type Outsider, outsider } from './support/outsider.ts';
import { type Changes, pbftOf, type TestGroup, type TestReplica } from './support/replicas.ts';

const groupOf = groupsOfTests();
const certificates = await blsScheme();
const outsiders: Outsider[] = [];
afterEach(async () => {
  await Promise.all(outsiders.splice(0).map(({ mesh }) => mesh.stop()));
});

/** The cluster of `group`, with everybody's certificate key. */
const keyed = ({ cluster }: TestGroup): ClusterIdentity => ({
  ...cluster,
  members: cluster.members.map((each) => ({
    ...each,
    certificateKey: certificateKeyOf(certificates, seedOf(each.id)),
  })),
});

const isCertificate = (value: unknown): value is Certificate<Tagged> =>
  typeof value === 'object' && value !== null && 'seals' in value && 'body' in value;

/** Counts the certificates that a node hears of, by whether they are aggregates. */
function counting(): {
  readonly hooks: NonNullable<Changes['hooks']>;
  sums: number;
  lists: number;
} {
  const count = {
    sums: 0,
    lists: 0,
    hooks: {
      heard(message: object): void {
        for (const part of Object.values(message).flat(1))
          for (const each of [part, ...Object.values(part ?? {})])
            if (isCertificate(each)) count[isAggregated(each) ? 'sums' : 'lists']++;
      },
    },
  };
  return count;
}

const refused = (node: TestReplica, reason: FrameRefusal): number =>
  node.status().counters.refused[reason];

describe.each([
  ['pbft', () => pbftOf({ n: 4, checkpointEvery: 8 })],
  ['hotstuff', () => anyProtocol(hotstuff({ n: 4, digest: digestOf }))],
  ['tendermint', () => anyProtocol(tendermint({ n: 4, digest: digestOf }))],
])('%s', (_name, make) => {
  test('commits, goes on without a member, and takes it back by aggregates', async () => {
    const group = await groupOf(make());
    const changes = { cluster: keyed(group), certificates };
    const nodes = await group.startAll(() => changes);
    const client = await group.client();
    const write = async (from: number, to: number): Promise<void> => {
      for (let i = from; i < to; i++) await client.propose(kv.put('last', `${i}`));
    };
    await write(0, 4);
    await (nodes[3] as TestReplica).stop();
    await write(4, 16);
    const seen = counting();
    const back = await group.start(3, { ...changes, hooks: seen.hooks });
    await write(16, 18);
    const all = [...nodes.slice(0, 3), back];
    await agreement(all);
    expect(textOf(await client.read(kv.get('last')))).toBe('17');
    // What it missed it has learnt from certificates, and none of them was a list.
    expect(seen.sums).toBeGreaterThan(0);
    expect(seen.lists).toBe(0);
    expect(back.status().counters.signatures.pairings).toBeGreaterThan(0);
    for (const node of all) {
      expect(node.status().counters.signatures.badShares).toBe(0);
      for (const reason of ['bad-aggregate', 'bad-share', 'bad-evidence'] as const)
        expect(refused(node, reason)).toBe(0);
    }
  });
});

test('keys without their proof: the node says which, and does not start', async () => {
  const group = await groupOf(pbftOf({ n: 4 }));
  const cluster = keyed(group);
  const changed = (id: ReplicaId, key: object): ClusterIdentity => ({
    ...cluster,
    members: cluster.members.map((each) =>
      each.id === id && each.certificateKey !== undefined
        ? { ...each, certificateKey: { ...each.certificateKey, ...key } }
        : each,
    ),
  });
  const [zero, , , three] = cluster.members.map(({ certificateKey }) => certificateKey);
  const point = (key: typeof zero) =>
    bls12_381.G1.Point.fromBytes(key?.publicKey ?? new Uint8Array());
  const rogue = { publicKey: point(three).subtract(point(zero)).toBytes() };
  const infinity = Uint8Array.from({ length: 48 }, (_, i) => (i === 0 ? 0xc0 : 0));
  for (const [key, why] of [
    [rogue, /principal 3, .*no valid proof of possession: it may be a rogue key/],
    [zero ?? {}, /principal 3, .*no valid proof of possession/],
    [{ publicKey: infinity }, /principal 3, .*infinity/],
  ] as const) {
    const start = group.start(0, { cluster: changed(3, key), certificates });
    await expect(start).rejects.toThrow(why);
    await expect(start).rejects.toThrow(KeyError);
  }
  // Its own key, and none at all.
  const other = certificateKeyOf(certificates, seedOf(9));
  await expect(group.start(0, { cluster: changed(0, other), certificates })).rejects.toThrow(
    /principal 0, .*no valid proof/,
  );
  await expect(group.start(0, { certificates })).rejects.toThrow(
    /Replica 0 has no certificate key in the cluster test; put it there/,
  );
  await expect(group.start(0, { cluster, certificates, signatures: 'channel' })).rejects.toThrow(
    /nothing is signed on this channel/,
  );
  expect(existsSync(group.folder(0))).toBe(false);
});

test('forged aggregates are refused before any handler, and counted', async () => {
  const group = await groupOf(anyProtocol(hotstuff({ n: 4, digest: digestOf })));
  const node = await group.start(0, { cluster: keyed(group), certificates });
  const liar = await outsider(group, 3);
  outsiders.push(liar);
  await liar.mesh.ready(1);
  await until('replica 0 is idle', () => node.status().counters.steps > 0);
  const sum = (signature: Uint8Array, ...signers: readonly ReplicaId[]): ServiceMessage =>
    ({
      kind: 'new-view',
      timeouts: null,
      justify: {
        body: { kind: 'vote', set: 1, view: 3, block: 'ab'.repeat(32), justifyView: 2 },
        seals: signers.map((from, i) => ({
          from,
          signature: (i === 0 ? signature : new Uint8Array()) as Signature,
        })),
      },
    }) as unknown as ServiceMessage;
  // A good signature of the liar's own, said to be of three.
  const own = certificates.secret(seedOf(3)).sign(new Uint8Array(8));
  for (const each of [own, new Uint8Array(aggregateBytes), own.with(0, 0xc0)])
    liar.mesh.send(0, liar.frame(sum(each, 0, 1, 3)));
  await until('all were counted', () => refused(node, 'bad-aggregate') === 3);
  // A share behind what no share belongs to, and a frame cut within its share.
  const frame = liar.frame(sum(own, 0, 1, 3));
  liar.mesh.send(0, Uint8Array.from([2, ...frame.subarray(1), ...own]));
  await until('the form was counted', () => refused(node, 'malformed') === 1);
  expect(node.status().counters.signatures.pairings).toBeLessThanOrEqual(3);
});
