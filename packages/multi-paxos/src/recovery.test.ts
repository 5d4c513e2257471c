import { maxInteger } from '@quorumlab/core';
import { among, command } from '@quorumlab/protocol-testing';
import { describe, expect, test } from 'vitest';
import { type Cluster, cluster, type Packet } from '../test/cluster.ts';
import { multiPaxos } from './index.ts';

const lead = (group: Cluster, id: number, link?: Parameters<Cluster['settle']>[0]): void => {
  for (let i = 0; i < 3 && group.view(id).role !== 'leader'; i++) {
    group.timeout(id, 'election');
    group.settle(link);
  }
  expect(group.view(id).role).toBe('leader');
};

describe('§3: a new leader', () => {
  test('fills gaps with no-ops and proposes again what it finds, then new commands', () => {
    const group = cluster(multiPaxos({ n: 3, maxCommandsPerSlot: 1 }));
    group.elect(0);
    for (const text of ['a', 'b', 'c']) group.propose(0, text);
    // Slot 1 reaches nobody else; slot 2 reaches 1.
    for (const packet of group.packets.splice(0))
      if (packet.message.kind === 'accept' && packet.message.slot !== 1 && packet.to === 1)
        group.deliver(packet);
    group.packets.length = 0;
    group.crash(0);
    lead(group, 1, among(1, 2));
    group.propose(1, 'd');
    group.settle(among(1, 2));
    expect(group.nodes[1]?.decided).toEqual(['a', '-', 'c', 'd']);
  });

  test('does not lead without a phase 1 quorum, and counts nobody twice', () => {
    const group = cluster(multiPaxos({ n: 5 }));
    group.timeout(0, 'election');
    group.settle(among(0, 1));
    expect(group.view(0).role).toBe('candidate');
    const { ballot } = group.view(0);
    const report = { fromSlot: 0, firstUnchosen: 0, part: 0, parts: 1, votes: [] };
    for (let i = 0; i < 3; i++) group.inject(1, 0, { kind: 'promise', ballot, ...report });
    expect(group.view(0).role).toBe('candidate');
  });

  test('counts a promise in parts only when all parts are there', () => {
    const group = cluster(multiPaxos({ n: 3 }));
    group.timeout(0, 'election');
    group.packets.length = 0;
    const { ballot } = group.view(0);
    const report = { fromSlot: 0, firstUnchosen: 0, parts: 2, votes: [] };
    group.inject(1, 0, { kind: 'promise', ballot, ...report, part: 0 });
    group.inject(1, 0, { kind: 'promise', ballot, ...report, part: 0 });
    expect(group.view(0).role).toBe('candidate');
    group.inject(1, 0, { kind: 'promise', ballot, ...report, part: 1 });
    expect(group.view(0).role).toBe('leader');
  });

  test('first learns what was compacted away, by a snapshot', () => {
    const group = cluster(multiPaxos({ n: 3, snapshotEvery: 4, keepSlots: 0 }));
    group.elect(0);
    for (let i = 0; i < 9; i++) {
      group.propose(0, `${i}`);
      group.settle(among(0, 1));
    }
    group.fire(0, 'heartbeat');
    group.settle(among(0, 1));
    group.crash(0);
    // 2 has nothing, and asks for everything from slot 0 on.
    group.timeout(2, 'election');
    group.timeout(2, 'election');
    group.settle(among(1, 2));
    expect(group.view(2).role).toBe('candidate');
    group.install(2);
    group.settle(among(1, 2));
    expect(group.view(2).role).toBe('leader');
    expect(group.nodes[2]?.decided).toEqual(['0', '1', '2', '3', '4', '5', '6', '7', '8']);
    expect(group.disagreements).toEqual([]);
  });

  test('learns what a late promise knows to be chosen, although it proposed that again', () => {
    const group = cluster(multiPaxos({ n: 5, pipeline: 1 }));
    group.elect(0);
    group.propose(0, 'a');
    group.settle(among(0, 1, 2));
    group.fire(0, 'heartbeat');
    group.settle(among(0, 1));
    group.crash(0);
    // 2, 3 and 4 are a quorum, and only 1 knows that slot 0 is chosen.
    for (let i = 0; i < 2; i++) group.timeout(3, 'election');
    const asked = group.packets.filter(({ to }) => to === 1).slice(-1);
    group.settle(({ from, to, message }) =>
      message.kind === 'accept' ? false : among(2, 3, 4)({ from, to } as never),
    );
    expect(group.view(3)).toMatchObject({ role: 'leader', firstUnchosen: 0 });
    expect(group.view(3).open.size).toBe(1);
    for (const { from, to, message } of asked) group.inject(from, to, message);
    group.settle(among(1, 3));
    expect(group.nodes[3]?.decided).toEqual(['a']);
    expect(group.view(3).open.size).toBe(0);
    group.propose(3, 'b');
    group.settle(among(2, 3, 4));
    expect(group.nodes[3]?.decided).toEqual(['a', 'b']);
  });

  test('takes a command whose vote a late promise reports where something else is by now', () => {
    const group = cluster(multiPaxos({ n: 3 }));
    group.elect(0);
    const lost = command('lost');
    group.request(0, lost);
    group.settle(among(0));
    group.crash(0);
    group.restart(0);
    for (let i = 0; i < 2; i++) group.timeout(1, 'election');
    const asked = group.packets.filter(({ to }) => to === 0).slice(-1);
    group.settle(among(1, 2));
    expect(group.view(1).role).toBe('leader');
    group.propose(1, 'b');
    for (const { from, to, message } of asked) group.inject(from, to, message);
    group.settle();
    expect(group.nodes[1]?.decided).toEqual(['b']);
    // The client has heard nothing and asks again.
    group.request(1, lost);
    group.settle();
    expect(group.nodes[1]?.decided).toEqual(['b', 'lost']);
  });

  test('is not helped against a leader that is heard', () => {
    const group = cluster(multiPaxos({ n: 3 }));
    group.elect(0);
    group.timeout(2, 'election');
    group.timeout(2, 'election');
    const asked = group.packets.splice(0);
    group.fire(0, 'heartbeat');
    group.settle(among(0, 1));
    for (const packet of asked) group.inject(packet.from, packet.to, packet.message);
    group.settle();
    expect(group.lines.has('loyal')).toBe(true);
    expect(group.view(2).role).not.toBe('leader');
  });

  test('deposes an old one, which steps down at the first nack', () => {
    const group = cluster(multiPaxos({ n: 3 }));
    group.elect(0);
    lead(group, 1, among(1, 2));
    expect(group.view(0).role).toBe('leader');
    group.propose(0, 'old');
    group.settle();
    expect(group.view(0).role).toBe('follower');
    expect(group.nodes[0]?.decided).toEqual([]);
  });

  test('a leader that no quorum answers makes room', () => {
    const group = cluster(multiPaxos({ n: 3 }));
    group.elect(0);
    group.now += 200_000;
    group.fire(0, 'heartbeat');
    group.settle();
    group.timeout(0, 'check-quorum');
    expect(group.view(0).role).toBe('leader');
    group.timeout(0, 'check-quorum');
    expect(group.view(0).role).toBe('follower');
  });
});

describe('reads by a round of heartbeats', () => {
  test('wait until what earlier leaders decided is known, and for a quorum of answers', () => {
    const group = cluster(multiPaxos({ n: 5 }));
    group.elect(0);
    group.propose(0, 'a');
    group.settle(among(0, 1, 2));
    group.crash(0);
    for (let i = 0; i < 2; i++) group.timeout(1, 'election');
    // It leads, and slot 0 is proposed again but not chosen yet.
    group.settle(({ from, to, message }) =>
      among(1, 2, 3)({ from, to } as never) ? message.kind !== 'accept' : false,
    );
    expect(group.view(1).role).toBe('leader');
    group.step(1, { type: 'read', id: 7 });
    group.settle(among(1, 2, 3));
    expect(group.nodes[1]?.reads).toEqual([]);
    for (let i = 0; i < 2; i++) {
      group.fire(1, 'heartbeat');
      group.settle(among(1, 2, 3));
    }
    expect(group.nodes[1]?.reads).toEqual([{ id: 7, upTo: 0 }]);
  });

  test('a leader that was replaced answers none', () => {
    const group = cluster(multiPaxos({ n: 3 }));
    group.elect(0);
    lead(group, 1, among(1, 2));
    group.step(0, { type: 'read', id: 1 });
    group.settle();
    expect(group.nodes[0]?.reads).toEqual([]);
  });
});

describe('a restart', () => {
  test('never uses a ballot again, and executes again what the disk knows to be chosen', () => {
    const group = cluster(multiPaxos({ n: 3 }));
    group.elect(0);
    for (const text of ['a', 'b', 'c']) {
      group.propose(0, text);
      group.settle();
    }
    const { ballot } = group.view(0);
    group.crash(0);
    group.restart(0);
    expect(group.nodes[0]?.decided).toEqual(['a', 'b']);
    lead(group, 0);
    expect(group.view(0).ballot).toBeGreaterThan(ballot);
    expect(group.nodes[0]?.decided).toEqual(['a', 'b', 'c']);
    expect(group.disagreements).toEqual([]);
  });
});

describe('a lost disk', () => {
  const prepared = (): Cluster => {
    const group = cluster(multiPaxos({ n: 3 }));
    group.elect(0);
    group.propose(0, 'a');
    group.settle(among(0, 1));
    group.crash(1);
    return group;
  };

  test('is made good by all others together; until then nothing is promised or accepted', () => {
    const group = prepared();
    group.restart(1, 'lost');
    expect(group.view(1).role).toBe('rejoining');
    group.settle(among(0, 1));
    expect(group.view(1).role).toBe('rejoining');
    group.timeout(2, 'election');
    group.settle(among(1, 2));
    expect(group.view(2).role).toBe('candidate');
    group.fire(1, 'recall');
    group.settle(among(1, 2));
    expect(group.view(1)).toMatchObject({ role: 'follower', rejoining: false });
    // It holds again what it had voted for, so 2 cannot lead past it.
    lead(group, 2, among(1, 2));
    group.propose(2, 'b');
    group.settle(among(1, 2));
    expect(group.nodes[2]?.decided).toEqual(['a', 'b']);
    expect(group.disagreements).toEqual([]);
  });

  test('had accepted what its leader had not yet: the leader tells of that too', () => {
    const group = cluster(multiPaxos({ n: 3 }), { instantSync: false });
    const sync = (...ids: readonly number[]): void => {
      for (let i = 0; i < 4; i++) for (const id of ids) group.nodes[id]?.finishSync?.();
    };
    const flow = (link?: (packet: Packet) => boolean): void => {
      for (let i = 0; i < 6; i++) {
        group.settle(link);
        sync(0, 1, 2);
      }
    };
    group.timeout(0, 'election');
    flow();
    expect(group.view(0).role).toBe('leader');
    // The leader's vote for 'b' waits behind the one for 'a', and its Accepts overtake both.
    group.propose(0, 'a');
    group.propose(0, 'b');
    for (const packet of group.packets.filter(({ to }) => to === 1)) group.deliver(packet);
    sync(1);
    const votes = group.packets.filter(({ from }) => from === 1);
    group.crash(1);
    group.restart(1, 'lost');
    sync(1);
    const about = ({ message }: Packet): boolean =>
      message.kind === 'recall' || message.kind === 'recalled';
    for (const packet of group.packets.filter(about)) group.deliver(packet);
    flow(about);
    expect(group.view(1).role).toBe('follower');
    // The votes of before the loss arrive, and make a quorum with the leader's own.
    for (const { message } of votes) group.inject(1, 0, message);
    flow(among(0));
    expect(group.nodes[0]?.decided).toEqual(['a', 'b']);
    for (let i = 0; i < 3 && group.view(2).role !== 'leader'; i++) {
      group.timeout(2, 'election');
      flow(among(1, 2));
    }
    group.propose(2, 'c');
    flow(among(1, 2));
    expect(group.nodes[2]?.decided).toEqual(['a', 'b', 'c']);
    expect(group.disagreements).toEqual([]);
  });

  test('is remembered through a second crash', () => {
    const group = prepared();
    group.restart(1, 'lost');
    group.crash(1);
    group.restart(1);
    expect(group.view(1).role).toBe('rejoining');
  });

  test('lifts own ballots above all that may have been used', () => {
    const group = prepared();
    group.restart(1, 'lost');
    group.settle();
    lead(group, 1, among(1, 2));
    expect(group.view(1).ballot).toBeGreaterThan(3 * 2 ** 20);
  });

  test('an answer to an earlier question counts for nothing', () => {
    const group = prepared();
    group.restart(1, 'lost');
    const report = { fromSlot: 0, firstUnchosen: 0, part: 0, parts: 1, votes: [] };
    const stale = { kind: 'recalled', attempt: group.lives + 1, promised: 0, ...report } as const;
    group.inject(0, 1, stale);
    group.inject(2, 1, stale);
    expect(group.view(1).role).toBe('rejoining');
  });
});

describe('hostile members', () => {
  const sizeOf = (group: Cluster, id: number): number => {
    const { accepted, accepts, promises, reported, open, waiting, contacts } = group.view(id);
    const parts = [accepted, accepts, promises, reported, open, contacts];
    return parts.reduce((sum, { size }) => sum + size, waiting.length);
  };

  test('slots, ballots and rounds without bound leave the memory flat and stop nobody', () => {
    const group = cluster(multiPaxos({ n: 3 }));
    group.elect(0);
    const { ballot } = group.view(0);
    const top = maxInteger - (maxInteger % 3) - 3; // A ballot of member 0.
    for (let i = 0; i < 2_000; i++) {
      const slot = i * 1_000_003;
      group.inject(0, 1, { kind: 'accept', ballot, slot, value: [], firstUnchosen: slot });
      group.inject(2, 0, { kind: 'accepted', ballot, slot });
      group.inject(2, 0, { kind: 'heartbeat-ack', ballot, round: slot });
      const report = { fromSlot: slot, firstUnchosen: slot, part: 0, parts: 1, votes: [] };
      group.inject(2, 0, { kind: 'promise', ballot, ...report });
      group.inject(2, 1, { kind: 'learn', fromSlot: slot, votes: [], firstUnchosen: slot });
      group.inject(2, 1, { kind: 'prepare', ballot: top + 2, fromSlot: slot });
      group.inject(2, 1, { kind: 'nack', ballot: 1, promised: top + i });
    }
    group.packets.length = 0;
    expect(sizeOf(group, 0)).toBeLessThan(100);
    expect(sizeOf(group, 1)).toBeLessThan(100);
  });

  test('a ballot belongs to one member: nobody else can use it', () => {
    const group = cluster(multiPaxos({ n: 3 }));
    group.inject(1, 2, { kind: 'prepare', ballot: 3, fromSlot: 0 });
    group.inject(1, 2, { kind: 'heartbeat', ballot: 3, round: 1, firstUnchosen: 0 });
    group.inject(65_536, 2, { kind: 'prepare', ballot: 3, fromSlot: 0 });
    expect(group.view(2).promised).toBe(0);
    expect(group.packets).toEqual([]);
  });

  test('where the numbers of the wire end there are no more elections', () => {
    const group = cluster(multiPaxos({ n: 3 }));
    const ballot = maxInteger - (maxInteger % 3);
    // What one member says would not be heard.
    group.inject(1, 2, { kind: 'nack', ballot: 0, promised: ballot });
    group.inject(0, 2, { kind: 'prepare', ballot, fromSlot: 0 });
    expect(group.view(2).promised).toBe(ballot);
    group.packets.length = 0;
    for (let i = 0; i < 3; i++) group.timeout(2, 'election');
    expect(group.view(2).role).toBe('follower');
    expect(group.packets).toEqual([]);
  });
});
