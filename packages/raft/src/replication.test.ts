import { type Protocol, uncommittedBytes } from '@quorumlab/core';
import { among, command, links, random } from '@quorumlab/protocol-testing';
import { expect, test } from 'vitest';
import { type Cluster, cluster, mutant, type Packet } from '../test/cluster.ts';
import { append } from '../test/messages.ts';
import { groupOf } from './group.ts';
import { type AppendEntries, type Entry, type Raft, raft } from './index.ts';
import { firstOfTerm } from './log.ts';
import { rules } from './rules.ts';
import { firstStable, firstVolatile } from './state.ts';

const options = { n: 3 };

/** A group whose leader is 0, and whose followers all have its no-op. */
function led(protocol: Protocol<Raft>): Cluster {
  const group = cluster(protocol);
  group.elect(0);
  return group;
}

const entry = (term: number, text: string): Entry => ({ term, command: command(text) });

test('§5.3: a command is decided by all, at one slot, after one round of messages', () => {
  const group = led(raft(options));
  group.propose(0, 'x');
  group.settle();
  expect(group.nodes[0]?.decided).toEqual(['-', 'x']);
  group.timeout(0, 'heartbeat');
  group.settle();
  expect(group.nodes.map(({ decided }) => decided)).toEqual(Array(3).fill(['-', 'x']));
});

test.each([3, 5, 7])('in steady state n=%i a command costs 2(n-1) messages', (n) => {
  const group = led(raft({ n }));
  for (let i = 0; i < 10; i++) {
    group.propose(0, `x${i}`);
    expect(group.settle()).toBe(2 * (n - 1));
  }
  expect(group.nodes[0]?.decided).toHaveLength(11);
});

test('commands that come while the window is full go out together', () => {
  const group = led(raft({ n: 3, maxInFlight: 2 }));
  for (let i = 0; i < 50; i++) group.propose(0, `x${i}`);
  expect(group.packets).toHaveLength(4);
  group.settle(({ message }) => {
    if (message.kind === 'append-entries') expect([1, 48]).toContain(message.entries.length);
    return true;
  });
  expect(group.nodes[0]?.decided).toHaveLength(51);
});

test('a request that is asked for again while it waits is appended once, by each leader', () => {
  const group = led(raft({ n: 3 }));
  const asked = ['x', 'y'].map(command);
  for (let i = 0; i < 5; i++) for (const each of asked) group.request(0, each);
  expect(group.view(0).log.size).toBe(3);
  // Both reach replica 1 and are committed nowhere; it leads next and finds them in its log.
  group.settle(({ to, message }) => to === 1 && message.kind === 'append-entries');
  group.packets.length = 0;
  group.elect(1, ({ message }) => message.kind !== 'append-entries');
  for (let i = 0; i < 5; i++) for (const each of asked) group.request(1, each);
  for (let i = 0; i < 3; i++) {
    group.timeout(1, 'heartbeat');
    group.settle();
  }
  expect(group.nodes[1]?.decided).toEqual(['-', 'x', 'y', '-']);
  expect(group.view(1).uncommitted.size).toBe(0);
  expect(group.view(1).uncommittedBytes).toBe(0);
});

test('uncommitted entries are bounded in bytes, and make room once they are committed', () => {
  const group = led(raft({ n: 3, maxInFlight: 1 }));
  group.settle();
  const operations = Array.from({ length: 8 }, () => new Uint8Array(65_000));
  for (let i = 0; i < 200; i++) group.request(0, { ...command('large'), operations });
  const { uncommittedBytes: bytes, log } = group.view(0);
  expect(bytes).toBeLessThanOrEqual(uncommittedBytes);
  expect(log.size).toBeGreaterThan(100);
  expect(log.size).toBeLessThan(140);
  group.settle();
  group.propose(0, 'more');
  expect(group.view(0).uncommitted.size).toBe(1);
});

test('equal messages to several followers are one object, so a host encodes them once', () => {
  const group = led(raft({ n: 5 }));
  group.propose(0, 'x');
  expect(new Set(group.packets.map(({ message }) => message)).size).toBe(1);
});

test('an append carries at most maxEntriesPerAppend entries and maxBytesPerAppend bytes', () => {
  const group = led(raft({ n: 3, maxEntriesPerAppend: 8, maxInFlight: 1 }));
  for (let i = 0; i < 30; i++) group.propose(0, `x${i}`);
  const big = 'y'.repeat(60_000);
  for (let i = 0; i < 30; i++) group.propose(0, big);
  group.settle(({ message }) => {
    if (message.kind !== 'append-entries') return true;
    expect(message.entries.length).toBeLessThanOrEqual(8);
    return true;
  });
  expect(group.nodes[0]?.decided).toHaveLength(61);
  const other = led(raft({ n: 3, maxBytesPerAppend: 655_360, maxInFlight: 1 }));
  for (let i = 0; i < 30; i++) other.propose(0, big);
  other.settle(({ message }) => {
    if (message.kind === 'append-entries') expect(message.entries.length).toBeLessThanOrEqual(10);
    return true;
  });
  expect(other.nodes[0]?.decided).toHaveLength(31);
});

test('a leader ignores commands above maxUncommitted, and others ignore all', () => {
  const group = led(raft({ n: 3, maxUncommitted: 5 }));
  for (let i = 0; i < 9; i++) group.propose(0, `x${i}`);
  group.propose(1, 'y');
  expect(group.view(0).log.size).toBe(6);
  expect(group.view(1).log.size).toBe(1);
});

test('lost appends are sent again after the next heartbeat is answered', () => {
  const group = led(raft(options));
  group.propose(0, 'x');
  group.propose(0, 'y');
  group.packets.length = 0;
  for (let i = 0; i < 2; i++) {
    group.timeout(0, 'heartbeat');
    group.settle();
  }
  expect(group.nodes[0]?.decided).toEqual(['-', 'x', 'y']);
});

test('a silent follower gets heartbeats only, and everything once it answers', () => {
  const group = led(raft(options));
  group.crash(2);
  for (let i = 0; i < 20; i++) {
    group.propose(0, `x${i}`);
    group.settle();
  }
  for (let i = 0; i < 5; i++) {
    group.timeout(0, 'heartbeat');
    const toSilent = group.packets.filter(({ to }) => to === 2);
    expect(toSilent.map(({ message }) => (message as AppendEntries).entries)).toEqual([[]]);
    group.settle();
  }
  group.restart(2);
  for (let i = 0; i < 3; i++) {
    group.timeout(0, 'heartbeat');
    group.settle();
  }
  expect(group.nodes[2]?.decided).toHaveLength(21);
});

test('§5.3: a follower with a wrong tail is brought in line, one term at a time', () => {
  const group = cluster(raft(options));
  const wrong = [1, 1, 1, 2, 2, 2, 2, 3, 3, 3].map((term, i) => entry(term, `w${i}`));
  const right = [1, 1, 1, 4, 4, 5, 5, 6, 6, 6].map((term, i) => entry(term, `r${i}`));
  right.splice(0, 3, ...wrong.slice(0, 3));
  group.inject(1, 2, append({ term: 6, entries: wrong }));
  group.inject(1, 0, append({ term: 6, entries: right }));
  group.packets.length = 0;
  let refused = 0;
  group.elect(0, ({ message }) => {
    if (message.kind === 'append-reply' && !message.success) refused += 1;
    return true;
  });
  expect(group.logOf(2)).toEqual(group.logOf(0));
  expect(group.logOf(0)).toContain('6r9');
  expect(refused).toBeLessThanOrEqual(4);
  expect(group.disagreements).toEqual([]);
});

test('§5.4.2, A-15: entries of older terms are not committed by counting (Figure 8)', () => {
  const run = (protocol: Protocol<Raft>): Cluster => {
    const group = cluster(protocol);
    const p = entry(2, 'p');
    const base = [{ term: 1, command: null }];
    for (const id of [0, 1, 2, 3, 4]) group.inject((id + 1) % 5, id, append({ entries: base }));
    const followsUp = { prevIndex: 1, prevTerm: 1 };
    // S1 replicated p in term 2 to S2; S5 appended q in term 3 on its own.
    for (const id of [0, 1]) group.inject(3, id, append({ ...followsUp, term: 2, entries: [p] }));
    group.inject(3, 4, append({ ...followsUp, term: 3, entries: [entry(3, 'q')] }));
    for (const id of [0, 1, 2, 3])
      group.inject(4, id, { kind: 'vote', term: 3, candidate: 4, granted: false });
    group.packets.length = 0;
    // S1 leads term 4 and shows p, but not its own no-op, to S2 and S3.
    const withoutNoOp = ({ message }: Packet): boolean =>
      message.kind !== 'append-entries' || !message.entries.some(isNoOp4);
    const link = (packet: Packet): boolean => among(0, 1, 2)(packet) && withoutNoOp(packet);
    group.elect(0, link);
    for (const id of [1, 2]) group.inject(0, id, append({ ...followsUp, term: 4, entries: [p] }));
    group.settle(link);
    group.crash(0);
    // S5 wins term 5 with the votes of S3 and S4, whose logs end in an older term or index.
    for (let i = 0; i < 3 && group.view(4).role !== 'leader'; i++)
      group.elect(4, among(1, 2, 3, 4));
    group.propose(4, 'z');
    for (let i = 0; i < 4; i++) {
      group.timeout(4, 'heartbeat');
      group.settle(among(1, 2, 3, 4));
    }
    return group;
  };
  const right = run(raft({ n: 5 }));
  expect(right.view(4).role).toBe('leader');
  expect(right.disagreements).toEqual([]);
  expect(right.logOf(2)).toContain('3q');
  expect(run(mutant('figure-8', { n: 5 })).disagreements[0]).toMatch(/^slot 1: p and, at \d, q$/);
});

const isNoOp4 = ({ term, command: value }: Entry): boolean => term === 4 && value === null;

test('A-23: a late append does not cut off what was acknowledged after it', () => {
  const run = (protocol: Protocol<Raft>): Cluster => {
    const group = led(protocol);
    group.propose(0, 'e1');
    const late = group.packets.find(({ to }) => to === 1);
    group.settle();
    group.propose(0, 'e2');
    group.settle(among(0, 1));
    expect(group.nodes[0]?.decided).toEqual(['-', 'e1', 'e2']);
    if (late !== undefined) group.deliver(late);
    group.crash(0);
    for (let i = 0; i < 3; i++) group.elect(2, among(1, 2));
    group.elect(1, among(1, 2));
    group.propose(2, 'z');
    group.propose(1, 'z');
    group.settle(among(1, 2));
    return group;
  };
  const right = run(raft(options));
  expect(right.disagreements).toEqual([]);
  expect(right.logOf(1)).toContain('1e2');
  const wrong = run(mutant('truncate-on-stale-append', options));
  expect(wrong.logOf(1)).not.toContain('1e2');
  expect(wrong.disagreements).not.toEqual([]);
});

test('A-24: a follower commits only what this leader has shown to be equal', () => {
  const run = (protocol: Protocol<Raft>): string[] => {
    const group = cluster(protocol);
    group.inject(0, 2, append({ entries: [entry(1, 'e1'), entry(1, 'stale')] }));
    group.inject(1, 2, append({ term: 2, prevIndex: 1, prevTerm: 1, leaderCommit: 2 }));
    return group.nodes[2]?.decided ?? [];
  };
  expect(run(raft(options))).toEqual(['e1']);
  expect(run(mutant('commit-beyond-verified', options))).toEqual(['e1', 'stale']);
});

test('A-27: neither follower nor leader counts an entry before it is durable', () => {
  const group = cluster(raft(options), { instantSync: false });
  const sync = (id: number): void => {
    while (group.nodes[id]?.finishSync) group.nodes[id]?.finishSync?.();
  };
  group.timeout(0, 'election');
  for (let i = 0; i < 4; i++) {
    group.settle();
    for (const id of [0, 1, 2]) sync(id);
  }
  group.settle();
  expect(group.view(0)).toMatchObject({ role: 'leader', commitIndex: 1 });
  group.propose(0, 'x');
  expect(group.packets).toHaveLength(2); // Early: they overtake the leader's own disk.
  group.settle();
  expect(group.view(0).commitIndex).toBe(1);
  sync(1);
  group.settle();
  expect(group.view(0).commitIndex).toBe(1); // One follower, and not yet the leader itself.
  sync(0);
  expect(group.view(0).commitIndex).toBe(2);
});

test('many commands during one sync take one message to oneself', () => {
  const group = cluster(raft({ n: 1 }), { instantSync: false });
  const node = group.nodes[0];
  group.timeout(0, 'election');
  while (node?.finishSync) node.finishSync();
  for (let i = 0; i < 100; i++) group.propose(0, `x${i}`);
  let syncs = 0;
  while (node?.finishSync) {
    node.finishSync();
    syncs += 1;
  }
  expect(syncs).toBe(2);
  expect(group.view(0).commitIndex).toBe(101);
});

test('halving finds the same entry as looking at one after the other', () => {
  const chance = random(3);
  for (let i = 0; i < 300; i++) {
    const terms = Array.from({ length: chance.below(20) }, () => 1 + chance.below(5)).sort();
    const log = new Map(terms.map((term, at) => [at + 1, { term, command: null }]));
    const first = firstStable();
    const { initial } = groupOf({ n: 3 }, rules);
    const view = { ...first, ...firstVolatile(first, initial), log };
    const term = chance.below(7);
    const above = chance.below(terms.length + 1);
    const upTo = above + chance.below(terms.length - above + 1);
    const found = terms.findIndex((each, at) => at + 1 > above && at < upTo && each >= term);
    expect(firstOfTerm(view, term, above, upTo)).toBe(found < 0 ? upTo + 1 : found + 1);
  }
});

test('A-13: a leader that forks its log breaks agreement, and Raft cannot notice', () => {
  const protocol = raft(options);
  const group = led(protocol);
  const known = [command('y')];
  group.propose(0, 'x');
  for (const packet of group.packets.splice(0))
    group.inject(
      0,
      packet.to,
      packet.to === 2
        ? (protocol.conflict?.(packet.message, 1, known) ?? packet.message)
        : packet.message,
    );
  group.settle();
  group.timeout(0, 'heartbeat');
  group.settle();
  expect(group.nodes.map(({ decided }) => decided[1])).toEqual(['x', 'x', 'y']);
  expect(group.disagreements).toEqual(['slot 1: x and, at 2, y']);
});

test('a liar that would undo what is committed is not obeyed, and nothing throws', () => {
  const group = led(raft(options));
  group.propose(0, 'x');
  group.settle();
  group.timeout(0, 'heartbeat');
  group.settle();
  const lie = append({ term: 5, prevIndex: 1, prevTerm: 1, entries: [entry(5, 'lie')] });
  expect(group.wouldAnswer(2, 1, lie).sends).toEqual([]);
  group.inject(2, 1, lie);
  expect(group.logOf(1)).toEqual(['1-', '1x']);
  group.inject(2, 0, append({ term: 1, entries: [entry(1, 'lie')] }));
  expect(group.view(0).role).toBe('leader');
});

test('acknowledgements of an earlier term of the same leader do not count', () => {
  const group = cluster(raft({ n: 5 }));
  const isLate = ({ from, message }: Packet): boolean =>
    from === 1 && message.kind === 'append-reply' && message.success && message.index > 1;
  const late: Packet[] = [];
  group.elect(0);
  // 1 acknowledges three writes of term 1; the network keeps that for later.
  for (const text of ['a', 'b', 'c']) group.propose(0, text);
  group.settle((packet) => {
    if (isLate(packet)) late.push(packet);
    return links([0, 1])(packet) && !isLate(packet);
  });
  expect(group.view(1).log.size).toBe(4);
  // 2 leads term 2 without 1, and what 0 had appended gives way.
  for (let i = 0; i < 3; i++) group.elect(2, among(2, 3, 4));
  for (let i = 0; i < 3; i++) {
    group.timeout(2, 'heartbeat');
    group.settle(links([0, 2]));
  }
  expect(group.logOf(0)).toEqual(group.logOf(2));
  expect(group.view(0).log.size).toBe(2);
  // 0 leads again, and of its new write at the same index only 3 hears.
  for (let i = 0; i < 3; i++) group.elect(0, among(0, 3, 4));
  expect(group.view(0).role).toBe('leader');
  while (group.view(0).log.size < 4) group.propose(0, 'new');
  group.settle(links([0, 3]));
  const before = group.view(0).commitIndex;
  expect(before).toBeLessThan(4);
  expect(late.at(-1)?.message).toMatchObject({ index: 4, term: 1 });
  for (const packet of late) group.deliver(packet);
  expect(group.view(0)).toMatchObject({ role: 'leader', commitIndex: before });
});
