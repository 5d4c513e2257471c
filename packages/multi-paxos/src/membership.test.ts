import { OptionsError, QuorumError, threshold } from '@quorumlab/core';
import { among } from '@quorumlab/protocol-testing';
import { describe, expect, test } from 'vitest';
import { type Cluster, cluster } from '../test/cluster.ts';
import { ConfigurationError, encodeChange, type MultiPaxosOptions, multiPaxos } from './index.ts';

const options: MultiPaxosOptions = { n: 5, f: 1, alpha: 4, initialMembers: [0, 1, 2] };

function start(more: Partial<MultiPaxosOptions> = {}): Cluster {
  const group = cluster(multiPaxos({ ...options, ...more }));
  group.elect(0);
  return group;
}

const membersAt = (group: Cluster, id: number): readonly number[] | undefined =>
  group.view(id).configurations.at(-1)?.members;

/** Heartbeats until nobody lacks anything. */
function calm(group: Cluster, link?: Parameters<Cluster['settle']>[0]): void {
  for (let i = 0; i < 4; i++) {
    for (const { id, timers, up } of group.nodes) {
      if (!up) continue;
      if (timers.has('heartbeat')) group.fire(id, 'heartbeat');
      if (timers.has('catch-up')) group.fire(id, 'catch-up');
    }
    group.settle(link);
  }
}

describe('§3: the members are part of the state', () => {
  test('a change governs from alpha slots on, and no-ops lead there', () => {
    const group = start();
    group.propose(0, 'a');
    group.settle();
    group.change(0, [0, 3, 4]);
    group.settle();
    expect(group.nodes[0]?.decided).toEqual(['a', '*', '-', '-', '-']);
    expect(group.view(0).configurations).toMatchObject([{ members: [0, 3, 4], fromSlot: 5 }]);
    // The old group decides nothing any more: the new one does, without 1 and 2.
    group.propose(0, 'b');
    group.settle(among(0, 3));
    expect(group.nodes[0]?.decided.at(-1)).toBe('b');
    group.crash(1);
    group.crash(2);
    calm(group);
    expect(group.nodes[4]?.decided).toEqual(group.nodes[0]?.decided);
  });

  test('those who are no members learn, promise nothing that counts, and never campaign', () => {
    const group = start();
    group.propose(0, 'a');
    group.settle();
    calm(group);
    expect(group.nodes[4]?.decided).toEqual(['a']);
    group.timeout(4, 'election');
    group.timeout(4, 'election');
    expect(group.packets.map(({ message }) => message.kind)).toEqual(['catch-up']);
    expect(group.view(4).role).toBe('follower');
  });

  test('who became a member while it was away learns of it where nobody leads', () => {
    const group = start();
    group.crash(3);
    group.change(0, [0, 1, 2, 3]);
    group.settle();
    group.change(0, [3]);
    group.settle();
    calm(group);
    // All of the group before are no members, so none of them leads or campaigns; 1 is gone too.
    expect(group.view(0).role).toBe('follower');
    group.crash(1);
    group.restart(3);
    expect(membersAt(group, 3)).toEqual([0, 1, 2]);
    for (let i = 0; i < 6; i++) {
      for (const id of [0, 2, 3, 4]) group.timeout(id, 'election');
      group.settle();
      if (group.nodes[3]?.timers.has('catch-up')) group.timeout(3, 'catch-up');
    }
    expect(membersAt(group, 3)).toEqual([3]);
    expect(group.view(3).role).toBe('leader');
    group.propose(3, 'a');
    group.settle();
    expect(group.nodes[3]?.decided.at(-1)).toBe('a');
    expect(group.disagreements).toEqual([]);
  });

  test('slots of the new group wait for promises of the new group', () => {
    const group = start();
    group.change(0, [0, 3, 4]);
    group.settle(among(0, 1, 2));
    group.propose(0, 'b');
    group.settle(among(0, 1, 2));
    // Slots 0 to 3 are the old group's. 0 is alone of the new one and proposes nothing at slot 4.
    expect(group.nodes[0]?.decided).toEqual(['*', '-', '-', '-']);
    expect(group.view(0).open.size).toBe(0);
    expect(group.lines.has('phase-1-each')).toBe(true);
    calm(group);
    expect(group.nodes[0]?.decided).toEqual(['*', '-', '-', '-', 'b']);
  });

  test('a leader that the group leaves behind decides the rest and steps down', () => {
    const group = start();
    group.change(0, [1, 2, 3]);
    group.settle();
    expect(group.lines.has('leave')).toBe(true);
    expect(group.view(0).role).toBe('follower');
    calm(group);
    group.timeout(0, 'election');
    group.timeout(0, 'election');
    expect(group.view(0).role).toBe('follower');
    group.timeout(1, 'election');
    group.timeout(1, 'election');
    group.settle();
    group.propose(1, 'a');
    group.settle(among(1, 3));
    expect(group.nodes[1]?.decided.at(-1)).toBe('a');
    expect(group.disagreements).toEqual([]);
  });

  test('a new leader completes a change that it finds, and asks the new group as well', () => {
    const group = start();
    group.change(0, [2, 3, 4]);
    group.settle(({ to, from }) => to + from < 4 && among(0, 1, 2)({ from, to } as never));
    group.crash(0);
    group.timeout(2, 'election');
    group.timeout(2, 'election');
    group.settle();
    calm(group);
    group.propose(2, 'a');
    group.settle(among(2, 3));
    expect(membersAt(group, 2)).toEqual([2, 3, 4]);
    expect(group.nodes[2]?.decided.at(-1)).toBe('a');
    expect(group.disagreements).toEqual([]);
  });

  test('the sizes of quorums can be part of a change', () => {
    const quorums = (members: readonly number[], told: string) => {
      const size = told === '' ? Math.floor(members.length / 2) + 1 : Number(told);
      const phase2 = threshold(members, size);
      return { phase1: threshold(members, members.length + 1 - size), phase2 };
    };
    const group = start({ n: 3, initialMembers: [0, 1, 2], quorums });
    group.change(0, [0, 1, 2], '3');
    group.settle();
    group.propose(0, 'a');
    group.settle(among(0, 1));
    expect(group.nodes[0]?.decided).not.toContain('a');
    calm(group);
    expect(group.nodes[0]?.decided.at(-1)).toBe('a');
    group.change(0, [0, 1, 2], '4');
    group.settle();
    expect(group.refusals.join()).toContain('cannot be formed');
  });
});

describe('changes that are refused change nothing', () => {
  test.each<[string, readonly number[], string]>([
    ['an unknown member', [0, 1, 9], 'replica 9 is not one of the 5 known'],
    ['a group disjoint from the present one', [3, 4], 'nobody of the present group is in it'],
  ])('%s', (_what, members, why) => {
    const group = start();
    group.change(0, members);
    group.settle();
    expect(group.refusals[0]).toContain(why);
    expect(membersAt(group, 0)).toEqual([0, 1, 2]);
  });

  test('a second change while the first is on its way', () => {
    const group = start();
    group.change(0, [0, 1, 2, 3]);
    group.change(0, [0, 1]);
    group.settle();
    expect(group.refusals[0]).toContain('an earlier change takes effect at slot 4; wait for it');
    expect(membersAt(group, 0)).toEqual([0, 1, 2, 3]);
  });

  test('bytes that are no change', () => {
    const group = start();
    const request = { kind: 'request', client: 65_536, sequence: 1, acknowledged: 0 } as const;
    const signature = new Uint8Array(0) as never;
    const configuration = Uint8Array.of(255, 255, 255);
    const command = { ...request, operations: [], configuration, from: 65_536, signature };
    group.step(0, { type: 'propose', command });
    group.settle();
    expect(group.refusals[0]).toContain('cannot be read');
  });

  test('an empty group, and numbers that nobody has, are not even encoded', () => {
    expect(() => encodeChange([])).toThrow(ConfigurationError);
    expect(() => encodeChange([-1])).toThrow(ConfigurationError);
    expect(() => encodeChange([1024])).toThrow(/from 0 to 1023/);
  });
});

test('options that no group can have are refused by name', () => {
  expect(() => multiPaxos({ n: 3, initialMembers: [] })).toThrow(ConfigurationError);
  expect(() => multiPaxos({ n: 3, initialMembers: [0, 3] })).toThrow(/initial member 3/);
  expect(() => multiPaxos({ n: 2, f: 1 })).toThrow(OptionsError);
  expect(() => multiPaxos({ n: 0 })).toThrow(OptionsError);
  expect(() => multiPaxos({ n: 3, alpha: 0 })).toThrow(/alpha is 0/);
  expect(() => multiPaxos({ n: 3, alpha: 2, pipeline: 3 })).toThrow(/pipeline is 3/);
  expect(() => multiPaxos({ n: 3, heartbeat: 400_000 })).toThrow(/too late/);
  expect(() => multiPaxos({ n: 3, heartbeat: 160_000 })).toThrow(/too late/);
  const phases = { phase1: threshold([0, 1, 2], 1), phase2: threshold([0, 1, 2], 2) };
  expect(() => multiPaxos({ n: 3, quorums: () => phases })).toThrow(QuorumError);
  expect(multiPaxos({ n: 3, quorums: () => phases, unsafe: true }).f).toBe(1);
});

test('what just works is not refused, and who may be meant is said exactly', () => {
  expect(multiPaxos({ n: 3, heartbeat: 150_000 }).f).toBe(1);
  expect(() => multiPaxos({ n: 4, f: 2 })).toThrow(
    '4 members cannot survive 2 crashes: the 2 left are no majority of 4, ' +
      'so use 5 or more, or f = 1 or less',
  );
  expect(() => multiPaxos({ n: 3, f: -1 })).toThrow('f is -1; use an integer of 0 or more');
  expect(() => multiPaxos({ n: 3, alpha: 1025 })).toThrow(/of 1 or more and 1024 or less$/);
  expect(() => multiPaxos({ n: 3, maxReads: 0 })).toThrow(/of 1 or more$/);
  const { claims, client, limitedBy } = multiPaxos({ n: 12, initialMembers: [10, 2, 2, 1] });
  expect([0, 1, 2].map(claims.replicas)).toEqual([1, 3, 5]);
  expect(claims).toMatchObject({ faults: 'crash', order: 'total' });
  expect(client).toEqual({ matching: 1, ask: 'leader', signed: false, forwards: true });
  expect(Object.values(limitedBy ?? {})).toEqual(Array(4).fill('maxBytesPerSlot'));
  const group = cluster(multiPaxos({ n: 12, initialMembers: [10, 2, 2, 1] }));
  expect(membersAt(group, 1)).toEqual([1, 2, 10]);
});
