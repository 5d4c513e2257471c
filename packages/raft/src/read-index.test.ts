import type { Protocol } from '@quorumlab/core';
import { among } from '@quorumlab/protocol-testing';
import { expect, test } from 'vitest';
import { type Cluster, cluster, mutant } from '../test/cluster.ts';
import { type Raft, raft } from './index.ts';

const options = { n: 3 };

const readAt = (group: Cluster, id: number, read: number): void =>
  group.step(id, { type: 'read', id: read });

test('thesis 6.4: a read is allowed once a majority has answered a later heartbeat', () => {
  const group = cluster(raft(options));
  group.elect(0);
  readAt(group, 0, 7);
  expect(group.nodes[0]?.reads).toEqual([]);
  group.settle(among(0, 1));
  expect(group.nodes[0]?.reads).toEqual([{ id: 7, upTo: 0 }]);
});

test('thesis 6.4: reads that come during a round share the next one', () => {
  const group = cluster(raft(options));
  group.elect(0);
  for (let read = 0; read < 100; read++) readAt(group, 0, read);
  expect(group.packets).toHaveLength(2);
  expect(group.settle()).toBe(8);
  expect(group.nodes[0]?.reads.map(({ id }) => id)).toEqual([...Array(100).keys()]);
});

test('a read whose round is lost is allowed by the answers to the next heartbeat', () => {
  const group = cluster(raft(options));
  group.elect(0);
  readAt(group, 0, 7);
  group.packets.length = 0;
  group.timeout(0, 'heartbeat');
  group.settle();
  expect(group.nodes[0]?.reads).toEqual([{ id: 7, upTo: 0 }]);
});

test('a group of one answers itself, and waiting reads are bounded at leader and follower', () => {
  const one = cluster(raft({ n: 1 }));
  one.elect(0);
  readAt(one, 0, 1);
  expect(one.nodes[0]?.reads).toEqual([{ id: 1, upTo: 0 }]);
  const group = cluster(raft({ n: 3, maxReads: 10 }));
  group.elect(0);
  for (let read = 0; read < 50; read++) for (const id of [0, 1]) readAt(group, id, read);
  group.settle();
  expect(group.nodes[1]?.reads).toHaveLength(10);
  expect(group.nodes[0]?.reads).toHaveLength(10);
});

test('A-18: a leader that was cut off answers no read', () => {
  const run = (protocol: Protocol<Raft>): number => {
    const group = cluster(protocol);
    group.elect(0);
    group.propose(0, 'x=1');
    group.settle();
    group.elect(1, among(1, 2));
    group.propose(1, 'x=2');
    group.settle(among(1, 2));
    expect(group.nodes[1]?.decided).toContain('x=2');
    readAt(group, 0, 7);
    group.settle(among(1, 2));
    return group.nodes[0]?.reads.length ?? 0;
  };
  expect(run(raft(options))).toBe(0);
  expect(run(mutant('stale-leader-read', options))).toBe(1);
});

test('A-19: a new leader answers no read before an entry of its own term is committed', () => {
  const run = (protocol: Protocol<Raft>) => {
    const group = cluster(protocol);
    group.elect(0);
    group.propose(0, 'x');
    group.settle(among(0, 1));
    expect(group.nodes[0]?.decided).toEqual(['-', 'x']);
    group.crash(0);
    // Replica 1 is elected but its no-op does not get through.
    group.elect(
      1,
      (packet) =>
        among(1, 2)(packet) &&
        !(packet.message.kind === 'append-entries' && packet.message.entries.length > 0),
    );
    expect(group.view(1)).toMatchObject({ role: 'leader', commitIndex: 1 });
    readAt(group, 1, 7);
    group.settle(among(1, 2));
    const early = group.nodes[1]?.reads.slice();
    for (let i = 0; i < 3; i++) {
      group.timeout(1, 'heartbeat');
      group.settle(among(1, 2));
    }
    return [early, group.nodes[1]?.reads];
  };
  expect(run(raft(options))).toEqual([[], [{ id: 7, upTo: 2 }]]);
  expect(run(mutant('readindex-without-noop', options))[0]).toEqual([{ id: 7, upTo: 0 }]);
});

test('reads that wait at a leader that steps down are forgotten', () => {
  const group = cluster(raft(options));
  group.elect(0);
  readAt(group, 0, 7);
  readAt(group, 0, 8);
  group.inject(2, 0, { kind: 'vote', term: 9, candidate: 2, granted: false });
  expect(group.view(0)).toMatchObject({ role: 'follower', reads: [], readRound: null });
});
