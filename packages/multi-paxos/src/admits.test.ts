/** What a replica of Multi-Paxos refuses before it steps: its group checks that nothing is lost. */
import { type Signature, seal } from '@quorumlab/core';
import { among, command } from '@quorumlab/protocol-testing';
import { expect, test } from 'vitest';
import { type Cluster, cluster, type Packet } from '../test/cluster.ts';
import { type MultiPaxosMessage, multiPaxos } from './index.ts';

const unsigned = new Uint8Array(0) as Signature;

const isAdmitted = (
  group: Cluster,
  to: number,
  from: number,
  message: MultiPaxosMessage,
): boolean => {
  const sealed = seal<MultiPaxosMessage>(message, from, unsigned);
  return group.nodes[to]?.machine.admits?.(sealed, group.now) !== false;
};

/** Replica 0 leads, and 2 does not hear it. */
function led(): Cluster {
  const group = cluster(multiPaxos({ n: 3 }));
  group.elect(0, among(0, 1));
  return group;
}

const lastTo = (group: Cluster, id: number, kind: MultiPaxosMessage['kind']): Packet => {
  const found = group.packets.filter(({ to, message }) => to === id && message.kind === kind);
  return found.at(-1) as Packet;
};

/** How often `to` answers what it is asked a hundred times, every `pause` microseconds. */
function answers(
  group: Cluster,
  to: number,
  from: number,
  message: MultiPaxosMessage,
  pause: number,
) {
  let count = 0;
  for (let i = 0; i < 100; i++) {
    group.now += pause;
    group.packets.length = 0;
    group.inject(from, to, message);
    count += group.packets.length;
  }
  return count;
}

test('a vote and an answer to a heartbeat count once', () => {
  const group = led();
  group.propose(0, 'x');
  group.deliver(lastTo(group, 1, 'accept'));
  const vote = lastTo(group, 0, 'accepted').message;
  expect(isAdmitted(group, 0, 1, vote)).toBe(true);
  group.inject(1, 0, vote);
  expect(group.nodes[0]?.decided).toEqual(['x']);
  expect(isAdmitted(group, 0, 1, vote)).toBe(false);
  group.timeout(0, 'heartbeat');
  group.deliver(lastTo(group, 1, 'heartbeat'));
  const ack = lastTo(group, 0, 'heartbeat-ack').message;
  expect(isAdmitted(group, 0, 1, ack)).toBe(true);
  group.inject(1, 0, ack);
  expect(isAdmitted(group, 0, 1, ack)).toBe(false);
});

test('what costs much to answer is answered twice until an honest member asks again', () => {
  const group = led();
  for (const text of ['x', 'y', 'z']) group.propose(0, text);
  group.settle(among(0, 1));
  const { promised: ballot } = group.view(1);
  const heartbeat = 300;
  const electionTimeout = 3_000;
  const votes = { kind: 'prepare', ballot, fromSlot: 0 } as const;
  expect(answers(group, 1, 0, votes, heartbeat)).toBe(2);
  expect(answers(group, 0, 2, { kind: 'catch-up', fromSlot: 0 }, electionTimeout)).toBe(2);
  expect(answers(group, 0, 2, { kind: 'catch-up', fromSlot: 9 }, electionTimeout)).toBe(0);
  expect(answers(group, 0, 2, { kind: 'recall', attempt: 1 }, electionTimeout)).toBe(2);
  const old = { kind: 'heartbeat', ballot: 3, round: 1, firstUnchosen: 0 } as const;
  group.now += 10_000_000;
  group.elect(1, among(1, 2));
  expect(answers(group, 1, 0, old, heartbeat)).toBe(2);
});

test('who catches up is taught as fast as it learns', () => {
  const group = cluster(multiPaxos({ n: 3 }));
  group.elect(0, among(0, 1));
  for (let i = 0; i < 9; i++) group.propose(0, `${i}`);
  group.settle(among(0, 1));
  const { firstUnchosen } = group.view(0);
  const taught = [0, firstUnchosen].map((fromSlot) => {
    group.packets.length = 0;
    group.inject(2, 0, { kind: 'catch-up', fromSlot });
    group.inject(2, 0, { kind: 'catch-up', fromSlot });
    return group.packets.length;
  });
  expect(taught).toEqual([1, 0]);
  group.propose(0, 'next');
  group.settle(among(0, 1));
  expect(isAdmitted(group, 0, 2, { kind: 'catch-up', fromSlot: firstUnchosen })).toBe(true);
});

test('what nobody has asked for is not needed', () => {
  const group = led();
  const report = { fromSlot: 0, firstUnchosen: 0, part: 0, parts: 1, votes: [] };
  for (const message of [
    { kind: 'learn', fromSlot: 0, votes: [{ ballot: 3, value: [] }], firstUnchosen: 1 },
    { kind: 'snapshot-offer', slot: 5, digest: 'd'.repeat(64) as never },
    { kind: 'recalled', attempt: 0, promised: 3, ...report },
    { kind: 'promise', ballot: 3, ...report },
    { kind: 'forward', command: command('x') },
    { kind: 'accepted', ballot: 3, slot: 0 },
    { kind: 'nack', ballot: 3, promised: 3 },
  ] as const)
    expect([message.kind, isAdmitted(group, 1, 2, message)]).toEqual([message.kind, false]);
  expect(isAdmitted(group, 0, 2, { kind: 'forward', command: command('x') })).toBe(true);
});
