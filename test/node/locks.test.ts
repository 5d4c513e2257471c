/** Locks on groups of real nodes: sessions, keepers of time and elections as they are. */
import { decode, encode } from '@quorumlab/core';
import {
  type LockLog,
  type LockServiceOptions,
  lockOperation,
  lockResult,
  lockService,
  openSession,
  timeKeeper,
} from '@quorumlab/locks';
import type { ReplicatedLog } from '@quorumlab/log';
import { expect, test } from 'vitest';
import { until } from '../../packages/node/test-support/cluster.ts';
import { groupsOfTests, leaderOf } from './support/groups.ts';
import { pbftOf, raftOf } from './support/replicas.ts';

const groupOf = groupsOfTests();

/** The tests' nodes have logs of bytes. */
const lockLog = (log: ReplicatedLog<Uint8Array, Uint8Array, Uint8Array>): LockLog => ({
  propose: async (operation, options) =>
    decode(lockResult, await log.propose(encode(lockOperation, operation), options)),
  read: async (query, consistency, options) =>
    decode(lockResult, await log.read(encode(lockOperation, query), consistency, options)),
});

test.each([
  ['raft', raftOf({ n: 3 }), 3],
  ['pbft', pbftOf({ n: 4, requestTimeout: 500_000 }), 4],
])(
  'on %s a lock goes on to the next when its holder is gone, also over a change of leaders',
  async (_, protocol, n) => {
    const rules: LockServiceOptions = {
      keepers: protocol.members,
      faulty: 1,
      lease: 4000,
      stride: 900,
    };
    const group = await groupOf(protocol);
    const nodes = await group.startAll(() => ({ stateMachine: () => lockService(rules) }));
    const keepers = nodes.map((node) => timeKeeper(lockLog(node.log), { every: 200 }));
    const [one, two] = [await group.client(0), await group.client(1)];
    await Promise.all([one.ready(n), two.ready(n)]);

    const ann = await openSession(lockLog(one));
    const bob = await openSession(lockLog(two), { pollEvery: 50 });
    const first = await ann.acquire('door');
    const waiting = bob.acquire('door');

    const leader = await leaderOf(nodes);
    await keepers[leader]?.stop();
    await nodes[leader]?.stop();
    await until('the session outlives the change of leaders', () => ann.state === 'safe');
    expect(await ann.check(first.sequencer)).toBe(true);

    // Ann's process ends without a word.
    await one.stop();
    const second = await waiting;
    expect(second.sequencer.generation).toBeGreaterThan(first.sequencer.generation);
    expect(first.isHeld()).toBe(false);
    expect(await bob.check(first.sequencer)).toBe(false);
    await bob.close();
    await Promise.all(keepers.map((keeper) => keeper.stop()));
  },
);
