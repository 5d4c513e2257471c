/** The gallery's entries for Multi-Paxos: each flaw shows, and the right protocol survives. */
import type { Protocol, Slot } from '@quorumlab/core';
import { among } from '@quorumlab/protocol-testing';
import { describe, expect, test } from 'vitest';
import { type Cluster, cluster, mutant } from '../test/cluster.ts';
import { type MultiPaxos, type MultiPaxosOptions, multiPaxos } from './index.ts';

type Run = (protocol: Protocol<MultiPaxos>) => readonly string[];

/** A flaw, and the schedule that shows it. */
function entry(name: string, flaw: string, options: MultiPaxosOptions, run: Run): void {
  describe(name, () => {
    test(`${flaw} breaks agreement`, () => {
      expect(run(mutant(flaw, options))).not.toEqual([]);
    });
    test('the right protocol survives the same schedule', () => {
      expect(run(multiPaxos(options))).toEqual([]);
    });
  });
}

/** The commit notice of `id` reaches all that live, and what is missing is asked for. */
function spread(group: Cluster, id: number, alive: readonly number[]): void {
  group.fire(id, 'heartbeat');
  group.settle(among(...alive));
  for (const each of alive) {
    if (group.nodes[each]?.timers.has('catch-up')) group.fire(each, 'catch-up');
    group.settle(among(...alive));
  }
}

entry('A-08 multipaxos/gap-noop', 'gap-noop', { n: 3, maxCommandsPerSlot: 1 }, (protocol) => {
  const group = cluster(protocol);
  group.elect(0);
  // Slot 0: x at 0 and 1. Slot 1: y at 0 and 2. Both are chosen.
  group.propose(0, 'x');
  group.settle(among(0, 1));
  group.propose(0, 'y');
  group.settle(among(0, 2));
  group.crash(0);
  group.timeout(2, 'election');
  group.settle(among(1, 2));
  spread(group, 2, [1, 2]);
  return group.disagreements;
});

entry(
  'A-09 multipaxos/alpha-ignored',
  'alpha-ignored',
  { n: 5, f: 1, alpha: 4, initialMembers: [0, 1, 2], maxCommandsPerSlot: 1 },
  (protocol) => {
    const group = cluster(protocol);
    group.elect(0, among(0, 1, 2));
    // Slot 0 is the change to {2,3,4}, slot 1 is x; both go to the old group at once.
    group.change(0, [2, 3, 4]);
    group.propose(0, 'x');
    for (const packet of group.packets.splice(0)) if (packet.to === 1) group.deliver(packet);
    // The answer about slot 1 comes first: both slots are chosen by 0 and 1.
    for (const packet of group.packets.splice(0).reverse()) group.deliver(packet);
    group.packets.length = 0;
    expect(group.nodes[0]?.decided.slice(0, 2)).toEqual(['*', 'x']);
    // 3 learns slot 0, and no more, from the old leader.
    const told = group.view(0).accepted.get(0);
    if (told === undefined) throw new Error('slot 0 is chosen');
    const { ballot } = told;
    group.inject(0, 3, { kind: 'heartbeat', ballot, round: 1, firstUnchosen: 1 });
    group.fire(3, 'catch-up');
    group.packets.length = 0;
    group.inject(0, 3, { kind: 'learn', fromSlot: 0, votes: [told], firstUnchosen: 1 });
    group.packets.length = 0;
    expect(group.nodes[3]?.decided).toEqual(['*']);
    // It runs for leader. The new group has promised everything and knows nothing of slot 1.
    group.timeout(3, 'election'); // It has just heard the old leader, and waits once more.
    group.timeout(3, 'election');
    group.settle(among(3, 4));
    group.propose(3, 'y');
    group.settle(among(3, 4));
    return group.disagreements;
  },
);

entry(
  'rule 10 multipaxos/commit-by-index',
  'commit-by-index',
  { n: 3, maxCommandsPerSlot: 1 },
  (protocol) => {
    const group = cluster(protocol);
    group.elect(0);
    // 0 proposes x at slot 0, and only it votes for that.
    group.propose(0, 'x');
    group.settle(among(0));
    group.crash(0);
    group.elect(1, among(1, 2));
    group.propose(1, 'y');
    group.settle(among(1, 2));
    group.restart(0);
    // 0 still holds x there; the leader says that slot 0 is chosen.
    spread(group, 1, [0, 1, 2]);
    return group.disagreements;
  },
);

entry('A-01 paxos/amnesia', 'amnesia', { n: 3, maxCommandsPerSlot: 1 }, (protocol) => {
  const group = cluster(protocol);
  group.elect(0);
  group.propose(0, 'x');
  group.settle(among(0, 1));
  expect(group.nodes[0]?.decided).toEqual(['x']);
  group.crash(1);
  group.restart(1);
  group.timeout(2, 'election');
  group.settle(among(1, 2));
  group.timeout(2, 'election');
  group.settle(among(1, 2));
  group.propose(2, 'y');
  group.settle(among(1, 2));
  return group.disagreements;
});

entry('A-03 paxos/wrong-value-rule', 'first-value', { n: 3 }, (protocol) => {
  const group = cluster(protocol);
  group.elect(0);
  group.propose(0, 'x');
  group.settle(among(0));
  group.crash(0);
  group.elect(1, among(1, 2));
  group.propose(1, 'y');
  group.settle(among(1, 2));
  expect(group.nodes[1]?.decided).toEqual(['y']);
  // 0 has voted for x at a lower ballot, 2 for y; 0 runs with its own vote first.
  group.crash(1);
  group.restart(0);
  group.timeout(0, 'election');
  group.settle(among(0, 2));
  group.timeout(0, 'election');
  group.settle(among(0, 2));
  spread(group, 0, [0, 2]);
  return group.disagreements;
});

entry(
  'A-50 snapshot/without-configuration',
  'snapshot-without-configuration',
  { n: 4, f: 1, alpha: 1, initialMembers: [0, 1, 2], snapshotEvery: 4, keepSlots: 0 },
  (protocol) => {
    const group = cluster(protocol);
    const all = [0, 1, 2, 3];
    group.elect(0, among(0, 1, 2));
    // 1 hears nothing of the change to {0,2,3} until it can only get a snapshot of it.
    const without1 = among(0, 2, 3);
    group.change(0, [0, 2, 3]);
    for (let i = 0; i < 6; i++) {
      group.settle(without1);
      spread(group, 0, [0, 2, 3]);
      group.propose(0, `${i}`);
    }
    group.settle(without1);
    spread(group, 0, [0, 2, 3]);
    spread(group, 0, all);
    group.install(1);
    group.settle();
    // The new group decides one more without 0 and 1: 2 and 3 are a majority of {0,2,3}.
    const next = group.nodes[1]?.decided.length as Slot;
    expect(next).toBeGreaterThanOrEqual(4);
    const own = group.view(0).configurations.at(-1)?.members;
    expect(own).toEqual([0, 2, 3]);
    return own?.join() === group.view(1).configurations.at(-1)?.members.join()
      ? group.disagreements
      : ['replica 1 counts quorums of a group that is no more'];
  },
);

describe('A-07 multipaxos/leader-forks-log', () => {
  const fork = (n: number, equivocates: boolean): Cluster => {
    const group = cluster(multiPaxos({ n }));
    group.elect(0);
    group.propose(0, 'x');
    const honest = group.packets.splice(0);
    const first = Math.floor((n - 1) / 2);
    for (const { to, message } of honest) {
      if (message.kind !== 'accept') continue;
      const other = { ...message, value: [] };
      group.inject(0, to, equivocates && to > first ? other : message);
    }
    group.packets.length = 0;
    // It announces to both halves that the slot is chosen.
    const { ballot } = group.view(0);
    for (let to = 1; to < n; to++)
      group.inject(0, to, { kind: 'heartbeat', ballot, round: 9, firstUnchosen: 1 });
    return group;
  };

  test.each([3, 5])('a lying leader forks the log, n=%i', (n) => {
    expect(fork(n, true).disagreements).not.toEqual([]);
  });

  test.each([3, 5])('an honest one does not, n=%i', (n) => {
    expect(fork(n, false).disagreements).toEqual([]);
  });

  test('who is told both stories keeps the first, and can prove the lie', () => {
    const group = cluster(multiPaxos({ n: 3 }));
    group.elect(0);
    group.propose(0, 'x');
    const [packet] = group.packets.splice(0);
    if (packet?.message.kind !== 'accept') throw new Error('a proposal is an accept');
    group.inject(0, 1, packet.message);
    group.packets.length = 0;
    group.inject(0, 1, { ...packet.message, value: [] });
    expect(group.accusations).toEqual(['accept']);
    expect(group.packets).toEqual([]);
    expect(Object.values(group.votesOf(1))).toEqual([`${packet.message.ballot}:x`]);
    // The same one twice is no lie: it is only repeated.
    group.inject(0, 1, packet.message);
    expect(group.accusations).toHaveLength(1);
  });
});
