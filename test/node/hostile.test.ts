/**
 * One hostile member, or client, with a good key sends every kind of message of its protocol, as
 * the schemas make them, while others work. How much of their time that takes is measured by
 * `npm run bench -- --only hostile`.
 */
import { hotstuff } from '@quorumlab/hotstuff';
import { anyProtocol, kv, serviced } from '@quorumlab/log';
import { minbft } from '@quorumlab/minbft';
import { defaultHostLimits } from '@quorumlab/node';
import { streamlet } from '@quorumlab/streamlet';
import { tendermint } from '@quorumlab/tendermint';
import { digests, domainOf, envelopes } from '@quorumlab/wire';
import { expect, test } from 'vitest';
import { nodeKeyring } from '../../packages/node/src/keyring.ts';
import { chance } from '../../packages/node/test-support/child-of.ts';
import { seedOf, until } from '../../packages/node/test-support/cluster.ts';
import { type Any, forged, variants } from '../bench/hostile/forge.ts';
import { outsider } from './support/outsider.ts';
import {
  type AnyProtocol,
  pbftOf,
  raftOf,
  type TestGroup,
  type TestReplica,
  testGroup,
} from './support/replicas.ts';

/** One frame of each kind and each way to be wrong, unless the long forms are asked for. */
const isLong = process.env.QUORUMLAB_LONG_TESTS === '1';
const each = isLong ? 6 : 1;
const largeBytes = isLong ? 2 ** 20 : 4 * 1024;

const protocols: Readonly<Record<string, AnyProtocol>> = {
  raft: raftOf({ n: 3 }),
  pbft: pbftOf({ n: 4 }),
  hotstuff: anyProtocol(hotstuff({ n: 4, digest: digests() })),
  tendermint: anyProtocol(tendermint({ n: 4, digest: digests() })),
  streamlet: anyProtocol(streamlet({ n: 4, digest: digests() })),
  minbft: anyProtocol(minbft({ n: 4, f: 1, digest: digests() })),
};

/** Frames of every kind of message, as principal `self` would make them. */
function* framesBy(self: number, { cluster, protocol }: TestGroup) {
  const group = serviced(protocol);
  const { messages } = group;
  const keyring = nodeKeyring<Any>({
    signatures: undefined,
    self,
    secretKey: seedOf(self),
    cluster,
    protocol,
    messages,
    evidence: group,
  });
  const seal = envelopes(domainOf(protocol, cluster), messages);
  const common = { self, keyring, envelopes: seal, heard: [], chance: chance(self), largeBytes };
  for (const field of messages.kinds)
    for (const variant of variants)
      for (let i = 0; i < each; i++) {
        const facts = { term: 1 + (i % 4), applied: 8 };
        const frame = forged({ ...common, field, facts }, variant);
        if (frame !== undefined) yield frame;
      }
}

const waitingOf = (node: TestReplica, peer: number): number =>
  node.status().use.find(({ id }) => id === peer)?.waitingBytes ?? 0;

// Together, because each waits most of the time.
for (const [name, protocol] of Object.entries(protocols))
  for (const by of ['member', 'client'])
    test.concurrent(`${name}: a hostile ${by} stops no replica and nobody's work`, async ({
      onTestFinished,
    }) => {
      const group = await testGroup(protocol);
      onTestFinished(() => group.end());
      const n = protocol.members.length;
      const others = protocol.members.slice(0, n - 1);
      const nodes = await Promise.all(others.map((id) => group.start(id)));
      const failures: Error[] = [];
      for (const node of nodes) void node.failed.then((error) => failures.push(error));
      const client = await group.client();
      await client.propose(kv.put('before', '1'));
      const self = by === 'member' ? n - 1 : 65_538;
      const liar = await outsider(group, self);
      onTestFinished(() => liar.mesh.stop());
      await liar.mesh.ready(others.length);
      const answered: Promise<unknown>[] = [];
      let count = 0;
      for (const frame of framesBy(self, group)) {
        // Outside of what a protocol for crashes is for: such a leader is followed.
        if (protocol.claims.faults === 'crash' && by === 'member' && count > 400) break;
        for (const to of others) liar.mesh.send(to, frame);
        if (++count % 25 === 0) {
          answered.push(client.propose(kv.put(`key ${count}`, '1')));
          await until('the frames are under way', () => true);
        }
        for (const node of nodes)
          expect(waitingOf(node, self)).toBeLessThanOrEqual(defaultHostLimits.waitingBytesPerPeer);
      }
      await Promise.all(answered);
      await client.propose(kv.put('after', '1'));
      expect(failures).toEqual([]);
      // Nothing of it is passed over: it was refused by a reason, or nobody needed it.
      const held = (node: TestReplica): number => {
        const { refused, notNeeded } = node.status().counters;
        if (by === 'client') return refused['not-for-clients'];
        return Object.values(refused).reduce((sum, one) => sum + one, notNeeded);
      };
      await until('all have refused some of it', () => nodes.every((node) => held(node) > 0));
    });
