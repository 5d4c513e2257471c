import { maxInteger } from '@quorumlab/core';
import { links } from '@quorumlab/protocol-testing';
import { describe, expect, test } from 'vitest';
import { type Cluster, cluster, mutant, type Packet } from '../test/cluster.ts';
import { raft } from './index.ts';

const only =
  (...kinds: string[]) =>
  ({ message }: Packet): boolean =>
    kinds.includes(message.kind);

/** Both right and wrong under one schedule: what comes of it with and without `rejoin`. */
const both = [
  ['told that its disk was lost', raft({ n: 3 }), true],
  ['started as if it had never run', mutant('rejoin-as-new', { n: 3 }), false],
] as const;

/** Leaders of `term`, by what they believe themselves. */
const leadersOf = (group: Cluster, term: number): number[] =>
  group.nodes
    .filter(({ up, machine }) => {
      const status = machine.status();
      return up && status.role === 'leader' && status.term === term;
    })
    .map(({ id }) => id);

describe.each(both)('a replica with an empty disk, %s', (_, protocol, isSafe) => {
  test(`votes ${isSafe ? 'only once' : 'twice, and elects two leaders in one term'}`, () => {
    const group = cluster(protocol);
    // 0 and 2 both run for term 1; 1 votes for 0, which alone hears of it.
    group.timeout(0, 'election');
    group.settle((packet) => links([0, 1])(packet) && packet.message.kind !== 'append-entries');
    expect(leadersOf(group, 1)).toEqual([0]);
    group.packets.length = 0;
    group.crash(1);
    group.restart(1, 'lost');
    group.settle(only('rejoin', 'rejoin-reply'));
    group.timeout(2, 'election');
    group.settle(links([1, 2]));
    expect(leadersOf(group, 1)).toEqual(isSafe ? [0] : [0, 2]);
  });

  test(`${isSafe ? 'loses no' : 'loses a'} committed write`, () => {
    const group = cluster(protocol);
    group.elect(0);
    // 0 and 1 commit a write of which 2 hears nothing.
    group.propose(0, 'written');
    group.settle(links([0, 1]));
    expect(group.nodes[0]?.decided).toContain('written');
    group.crash(1);
    group.restart(1, 'lost');
    // 1 hears everybody's answer and then no more of 0, which holds the write.
    group.settle(only('rejoin', 'rejoin-reply'));
    for (let i = 0; i < 3; i++) group.elect(2, links([1, 2]));
    const isLost = group.view(2).role === 'leader';
    expect(isLost).toBe(!isSafe);
    if (!isSafe) return;
    // Once 0 is there again, all go on, and the write is everywhere.
    for (let i = 0; i < 6; i++) {
      group.timeout(0, 'heartbeat');
      group.timeout(1, 'rejoin');
      group.settle();
    }
    expect(group.nodes[1]?.decided).toContain('written');
    group.crash(0);
    // The first timeout only finds that the leader was heard lately.
    for (let i = 0; i < 3; i++) group.elect(1);
    expect(group.view(1).role).toBe('leader');
    expect(group.disagreements).toEqual([]);
  });
});

test('until all others have answered, it takes part in nothing', () => {
  const group = cluster(raft({ n: 3 }));
  group.elect(0);
  group.crash(1);
  group.restart(1, 'lost');
  group.settle(links([0, 1]));
  expect(group.nodes[1]?.machine.status().role).toBe('rejoining');
  expect(group.view(1).heard.size).toBe(1);
  group.propose(0, 'a');
  group.settle(links([0, 1]));
  expect(group.nodes[0]?.decided).not.toContain('a');
  expect(group.view(1)).toMatchObject({ currentTerm: 0, votedFor: null });
  expect([...(group.nodes[1]?.timers.keys() ?? [])]).toEqual(['rejoin']);
});

test('a crash on the way back changes nothing: its disk says that it is coming back', () => {
  const group = cluster(raft({ n: 3 }));
  group.elect(0);
  group.crash(1);
  group.restart(1, 'lost');
  group.crash(1);
  group.packets.length = 0;
  group.restart(1);
  expect(group.nodes[1]?.machine.status().role).toBe('rejoining');
  expect([...(group.nodes[1]?.timers.keys() ?? [])]).toEqual(['rejoin']);
  group.settle();
  expect(group.nodes[1]?.machine.status()).toMatchObject({ role: 'follower', term: 1 });
});

test('an answer to an older question does not count', () => {
  const group = cluster(raft({ n: 3 }));
  group.elect(0);
  group.crash(1);
  group.restart(1, 'lost');
  const { rejoining } = group.view(1);
  const nonce = (rejoining?.nonce ?? 0) - 1;
  const answer = { term: 1, lastIndex: 0, lastTerm: 0, ownTerm: 9 };
  for (const from of [0, 2]) group.inject(from, 1, { kind: 'rejoin-reply', nonce, ...answer });
  expect(group.view(1).heard.size).toBe(0);
  expect(group.nodes[1]?.machine.status().role).toBe('rejoining');
});

test('it votes for nobody in the newest term it hears of, and starts terms never used', () => {
  const group = cluster(raft({ n: 3 }));
  group.elect(0);
  // An election of its own that nobody has heard of.
  group.timeout(1, 'election');
  group.now += 1_000_000;
  group.crash(1);
  group.packets.length = 0;
  group.restart(1, 'lost');
  group.settle();
  expect(group.view(1)).toMatchObject({ currentTerm: 1, votedFor: 1 });
  group.timeout(0, 'heartbeat');
  group.timeout(1, 'rejoin');
  group.settle();
  group.crash(0);
  group.timeout(1, 'election');
  group.settle();
  const first = group.view(1).currentTerm;
  expect(first).toBeGreaterThan(2 ** 20);
  expect(group.view(1).role).toBe('leader');
  // The next time it loses its disk, further terms are set aside, although nobody heard of these.
  group.restart(0);
  group.crash(1);
  group.now += 1_000;
  group.restart(1, 'lost');
  group.settle();
  expect(group.view(1).rejoining?.ownTerm).toBeGreaterThan(first);
});

test('after the last term there are no more elections of its own', () => {
  const group = cluster(raft({ n: 3 }));
  group.crash(1);
  group.restart(1, 'lost');
  const nonce = group.view(1).rejoining?.nonce ?? 0;
  const answer = { term: 1, lastIndex: 0, lastTerm: 0, ownTerm: maxInteger };
  // The first is not heard before another says as much: nobody gets that far by honest means.
  for (const from of [0, 2, 0]) group.inject(from, 1, { kind: 'rejoin-reply', nonce, ...answer });
  expect(group.nodes[1]?.machine.status()).toMatchObject({ term: 1, role: 'follower' });
  group.packets.length = 0;
  group.timeout(1, 'election');
  expect(group.packets).toEqual([]);
});

test('a group of one has nobody to ask, so it stays as it is', () => {
  const group = cluster(raft({ n: 1 }));
  group.elect(0);
  group.crash(0);
  group.restart(0, 'lost');
  group.timeout(0, 'rejoin');
  expect(group.nodes[0]?.machine.status().role).toBe('rejoining');
});

test('the best log that others tell of is the one of the later term, and not the longest', () => {
  const group = cluster(raft({ n: 3 }));
  group.crash(1);
  group.restart(1, 'lost');
  const nonce = group.view(1).rejoining?.nonce ?? 0;
  const answer = { kind: 'rejoin-reply', nonce, ownTerm: 0 } as const;
  group.inject(0, 1, { ...answer, term: 2, lastIndex: 9, lastTerm: 1 });
  group.inject(2, 1, { ...answer, term: 2, lastIndex: 3, lastTerm: 2 });
  group.packets.length = 0;
  const granted = (from: number, lastIndex: number, lastTerm: number): boolean => {
    group.inject(from, 1, { kind: 'request-vote', term: 5, lastIndex, lastTerm });
    return group.packets.splice(0).some(({ message }) => 'granted' in message && message.granted);
  };
  // What it has acknowledged may be the entry of term 2, and a log that ends in term 1 lacks it.
  expect(granted(0, 9, 1)).toBe(false);
  expect(granted(2, 2, 2)).toBe(false);
  expect(granted(2, 3, 2)).toBe(true);
});

describe('on the way back', () => {
  /** Replica 1 of three lost its disk; the others hold two writes, of which both are committed. */
  function returning(): Cluster {
    const group = cluster(raft({ n: 3 }));
    group.elect(0);
    for (const text of ['a', 'b']) group.propose(0, text);
    group.settle();
    group.timeout(0, 'heartbeat');
    group.settle();
    group.crash(1);
    group.restart(1, 'lost');
    return group;
  }
  const catchUp = (group: Cluster): void => {
    for (let i = 0; i < 4; i++) {
      group.settle();
      group.timeout(0, 'heartbeat');
    }
    group.settle();
  };
  const asked = (group: Cluster): number[] =>
    group.packets.filter(only('rejoin')).map(({ to }) => to);

  test('only whoever has not answered is asked again', () => {
    const group = returning();
    expect(asked(group)).toEqual([0, 2]);
    group.settle(links([1, 2]));
    group.timeout(1, 'rejoin');
    expect(asked(group)).toEqual([0]);
  });

  test('once all have answered, all are told at once what is lacking, until it has come', () => {
    const group = returning();
    group.settle((packet) => only('rejoin', 'rejoin-reply')(packet) && packet.to !== 1);
    group.timeout(1, 'rejoin');
    const replies = () => group.packets.filter(only('rejoin-reply'));
    for (const packet of group.packets.filter(only('rejoin'))) group.deliver(packet);
    for (const packet of replies()) group.deliver(packet);
    expect(group.view(1).rejoining?.best).toEqual({ index: 3, term: 1 });
    expect(asked(group)).toEqual([0, 2]);
    group.packets.length = 0;
    group.timeout(1, 'rejoin');
    expect(asked(group)).toEqual([0, 2]);
    catchUp(group);
    expect(group.nodes[1]?.decided).toEqual(['-', 'a', 'b']);
    expect(group.view(1).rejoining?.best).toEqual({ index: 0, term: 0 });
    group.timeout(1, 'rejoin');
    expect(group.packets).toEqual([]);
  });

  test('a log that was complete once is a log like any other, also when it is cut later', () => {
    const group = returning();
    catchUp(group);
    const append = { kind: 'append-entries', prevIndex: 3, prevTerm: 1, round: 0 } as const;
    const tail = { term: 1, command: null };
    group.inject(0, 1, { ...append, term: 1, entries: [tail], leaderCommit: 3 });
    expect(group.view(1).log.size).toBe(4);
    const { rejoining } = group.view(1);
    // It is noted once, and not with every append.
    const again = { ...append, prevIndex: 4, term: 1, entries: [], leaderCommit: 3 };
    expect(group.wouldAnswer(0, 1, again).writes).toEqual([]);
    group.inject(2, 1, { ...append, term: 2, entries: [{ ...tail, term: 2 }], leaderCommit: 3 });
    expect(group.logOf(1).at(-1)).toBe('2-');
    expect(group.view(1).rejoining).toEqual(rejoining);
    group.packets.length = 0;
    for (let i = 0; i < 2; i++) group.timeout(1, 'election');
    expect(group.packets.map(({ message }) => message.kind)).toContain('pre-vote');
  });

  test('nobody leads before its log is what it may have acknowledged', () => {
    const group = returning();
    group.settle(only('rejoin', 'rejoin-reply'));
    expect(group.nodes[1]?.machine.status()).toEqual({ term: 1, role: 'follower' });
    const { sends, timers } = group.wouldDo(1, { type: 'timeout', timer: 'election' });
    expect([sends, timers.map(({ type }) => type)]).toEqual([[], ['set']]);
    catchUp(group);
    group.now += 1_000_000;
    expect(group.wouldDo(1, { type: 'timeout', timer: 'election' }).sends).toHaveLength(2);
  });

  test('who never lost a disk notes nothing about it', () => {
    const group = returning();
    catchUp(group);
    expect(group.view(2).rejoining).toBeNull();
  });

  test('what the lost disk had acknowledged does not count any more', () => {
    const group = cluster(raft({ n: 5 }));
    group.elect(0);
    group.propose(0, 'x');
    group.settle(links([0, 1]));
    expect(group.view(0).matchIndex.get(1)).toBe(2);
    group.crash(1);
    group.restart(1, 'lost');
    group.packets.length = 0;
    group.inject(1, 0, { kind: 'rejoin', nonce: 7, lastIndex: 0 });
    // The leader answers, and sends at once what it has to begin with.
    const sent = group.packets.filter(({ to }) => to === 1).map(({ message }) => message.kind);
    expect(sent.sort()).toEqual(['append-entries', 'rejoin-reply']);
    group.packets.length = 0;
    for (let i = 0; i < 3; i++) {
      group.timeout(0, 'heartbeat');
      group.settle(links([0, 2]));
    }
    expect(group.view(2).log.size).toBe(2);
    expect(group.view(0).commitIndex).toBe(1);
  });

  test.each([2, 3])('who has all %i acknowledged entries is counted as before', (lastIndex) => {
    const group = cluster(raft({ n: 3 }));
    group.elect(0);
    group.propose(0, 'x');
    group.settle();
    expect(group.view(0).matchIndex.get(1)).toBe(2);
    group.inject(1, 0, { kind: 'rejoin', nonce: 7, lastIndex });
    expect(group.view(0).matchIndex.get(1)).toBe(2);
  });

  test('terms are set aside once for a question, however often it is asked', () => {
    const group = returning();
    const ask = (nonce: number) => {
      group.now += 300_000;
      group.inject(1, 2, { kind: 'rejoin', nonce, lastIndex: 0 });
    };
    ask(70);
    const { setAside } = group.view(2);
    ask(70);
    expect(group.view(2).setAside).toEqual(setAside);
    ask(71);
    expect(group.view(2).setAside.ownTerm).toBeGreaterThan(setAside.ownTerm);
  });
});
