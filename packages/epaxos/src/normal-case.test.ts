/** Rules 1 to 6 and 14, one schedule each. */
import { among } from '@quorumlab/protocol-testing';
import { describe, expect, test } from 'vitest';
import { type Cluster, cluster, type Packet } from '../test/cluster.ts';
import { proposal } from '../test/messages.ts';
import { epaxos } from './index.ts';

const kindsIn = (group: Cluster): string[] => group.packets.map(({ message }) => message.kind);
const only =
  (kind: string) =>
  ({ message }: Packet): boolean =>
    message.kind === kind;

/** Delivers what fits now and nothing that it causes. */
function pass(group: Cluster, which: (packet: Packet) => boolean = () => true): void {
  for (const packet of group.packets.filter(which)) group.deliver(packet);
}

/** Delivers what fits, and what that causes, and loses the rest. */
function settle(group: Cluster, which: (packet: Packet) => boolean = () => true): void {
  for (let i = 0; i < 50; i++) pass(group, which);
  group.packets.length = 0;
}

describe('the fast path', () => {
  test.each([3, 5, 7])('one round trip commits what nothing interferes with, n=%i', (n) => {
    const group = cluster(epaxos({ n }));
    group.propose(1, 'x');
    expect(kindsIn(group)).toEqual(Array(n - 1).fill('pre-accept'));
    pass(group, only('pre-accept'));
    expect(kindsIn(group)).toEqual(Array(n - 1).fill('pre-accept-ok'));
    pass(group, only('pre-accept-ok'));
    expect(group.knows(1, 1)).toBe('committed x after []');
    expect(kindsIn(group)).toEqual(Array(n - 1).fill('commit'));
    settle(group);
    for (const { decided } of group.nodes) expect(decided).toEqual(['x']);
  });

  test('with e down it is still open, and with one more it is not', () => {
    // n = 7, f = 3: e is 2, so five equal answers commit.
    const group = cluster(epaxos({ n: 7 }));
    group.propose(0, 'x');
    settle(group, among(0, 1, 2, 3, 4));
    expect(group.knows(0, 0)).toBe('committed x after []');
    group.propose(0, 'y');
    settle(group, among(0, 1, 2, 3));
    expect(group.knows(0, 7)).toBe('pre-accepted y after [0x1]');
    group.timeout(0, 'grace');
    settle(group, among(0, 1, 2, 3));
    expect(group.knows(0, 7)).toBe('committed y after [0x1]');
  });

  test('a second command depends on the first', () => {
    const group = cluster(epaxos({ n: 3 }));
    group.propose(0, 'x');
    settle(group);
    group.propose(1, 'y');
    settle(group);
    expect(group.knows(2, 1)).toBe('committed y after [0x1]');
    for (const { decided } of group.nodes) expect(decided).toEqual(['x', 'y']);
  });
});

describe('the slow path', () => {
  test('different answers: all dependencies that were named are accepted', () => {
    const group = cluster(epaxos({ n: 3 }));
    group.propose(0, 'x');
    group.propose(1, 'y');
    pass(group, among(0, 1));
    pass(group, among(0, 1));
    group.timeout(0, 'grace');
    group.timeout(1, 'grace');
    expect(group.knows(0, 0)).toBe('accepted x after [1x1]');
    expect(group.knows(1, 1)).toBe('accepted y after [0x1]');
    settle(group);
    // Each depends on the other: they run in the order of their numbers.
    for (const { decided } of group.nodes) expect(decided).toEqual(['x', 'y']);
  });

  test('A-37 epaxos/execute-early: nothing runs before what it depends on is committed', () => {
    const group = cluster(epaxos({ n: 3 }));
    group.inject(1, 2, { kind: 'commit', ballot: 0, ...proposal(1, 'y', [{ from: 0, count: 1 }]) });
    expect(group.knows(2, 1)).toBe('committed y after [0x1]');
    expect(group.nodes[2]?.decided).toEqual([]);
    group.inject(0, 2, { kind: 'commit', ballot: 0, ...proposal(0, 'x', [{ from: 1, count: 1 }]) });
    expect(group.nodes[2]?.decided).toEqual(['x', 'y']);
  });

  test('a long chain is executed from its end', () => {
    const group = cluster(epaxos({ n: 3 }));
    const count = 300;
    for (let i = count - 1; i >= 0; i--) {
      const before = i === 0 ? [] : [{ from: (i - 1) * 3, count: 1 }];
      group.inject(0, 1, { kind: 'commit', ballot: 0, ...proposal(i * 3, `${i}`, before) });
    }
    expect(group.nodes[1]?.decided).toHaveLength(count);
    expect(group.nodes[1]?.decided.slice(0, 3)).toEqual(['0', '1', '2']);
  });
});

describe('A-39 epaxos/early-ack', () => {
  test('a write that is committed is not decided before what it depends on', () => {
    const group = cluster(epaxos({ n: 3 }));
    // The third command is open; the first one depends on it and commits.
    group.propose(2, 'third');
    pass(group, ({ to, message }) => to === 1 && message.kind === 'pre-accept');
    group.packets.length = 0;
    group.propose(0, 'first');
    settle(group, among(0, 1));
    group.timeout(0, 'grace');
    settle(group, among(0, 1));
    expect(group.knows(0, 0)).toBe('committed first after [2x1]');
    // Whoever is answered now could read without it afterwards.
    expect(group.nodes[0]?.decided).toEqual([]);
  });
});

describe('A-36 epaxos/forked-commit', () => {
  const told = (other: string): Cluster => {
    const group = cluster(epaxos({ n: 3 }));
    group.inject(0, 1, { kind: 'commit', ballot: 0, ...proposal(0, 'x') });
    group.inject(0, 2, { kind: 'commit', ballot: 0, ...proposal(0, other) });
    return group;
  };

  test('a command leader with two stories forks the order', () => {
    expect(told('y').disagreements).not.toEqual([]);
  });

  test('an honest one does not', () => {
    expect(told('x').disagreements).toEqual([]);
  });
});

describe('A-38 epaxos/execution-livelock', () => {
  test('a command leader opens no more than its pipeline before it executes', () => {
    const group = cluster(epaxos({ n: 3, pipeline: 2, maxCommandsPerInstance: 1 }));
    for (let i = 0; i < 10; i++) group.propose(0, `${i}`);
    expect(group.packets.filter(({ to }) => to === 1)).toHaveLength(2);
    settle(group);
    expect(group.nodes[1]?.decided).toHaveLength(10);
  });
});
