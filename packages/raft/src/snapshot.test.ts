import type { Output } from '@quorumlab/core';
import { among, digestOfText } from '@quorumlab/protocol-testing';
import { describe, expect, test } from 'vitest';
import { type Cluster, cluster } from '../test/cluster.ts';
import { acknowledgement, append } from '../test/messages.ts';
import { type Raft, raft } from './index.ts';

const options = { n: 3, snapshotEvery: 10, keepEntries: 3 };

/** So long that its leader keeps nothing for a follower. */
const awayFor = 1_000_000;

function commands(group: Cluster, leader: number, count: number, ...ids: number[]): void {
  for (let i = 0; i < count; i++) {
    group.propose(leader, `x${i}`);
    group.settle(among(...ids));
  }
}

function heartbeats(group: Cluster, leader: number, count: number): void {
  for (let i = 0; i < count; i++) {
    group.timeout(leader, 'heartbeat');
    group.settle();
    for (const { id } of group.nodes) group.install(id);
    group.settle();
  }
}

test('§7: a snapshot shortens the log but for the last entries, and the disk with it', () => {
  const group = cluster(raft(options));
  group.elect(0);
  commands(group, 0, 24, 0, 1, 2);
  const view = group.view(0);
  expect(view.snapshot).toMatchObject({ index: 20, term: 1 });
  expect(view.compacted).toEqual({ index: 17, term: 1 });
  expect([...view.log.keys()]).toEqual([18, 19, 20, 21, 22, 23, 24, 25]);
  expect([...(group.nodes[0]?.disk.log.keys() ?? [])]).toHaveLength(8);
});

test('§7: a follower that is too far behind installs the snapshot and goes on from there', () => {
  const group = cluster(raft(options));
  group.elect(0);
  group.crash(2);
  group.now += awayFor;
  commands(group, 0, 34, 0, 1);
  group.restart(2);
  heartbeats(group, 0, 5);
  expect(group.nodes[2]?.decided).toEqual(group.nodes[0]?.decided);
  expect(group.view(2).snapshot).toMatchObject({ index: 30 });
  expect(group.disagreements).toEqual([]);
});

test('§7: what follows a snapshot stays until the follower that fetches it has that too', () => {
  const group = cluster(raft({ ...options, keepEntries: 0 }));
  group.elect(0);
  group.crash(2);
  group.now += awayFor;
  commands(group, 0, 34, 0, 1);
  group.restart(2);
  for (let i = 0; i < 2; i++) {
    group.timeout(0, 'heartbeat');
    group.settle();
  }
  const told = group.nodes[2]?.wanted;
  expect(told).toMatchObject({ slot: 29 });
  // Three snapshots later the first one has come. Nobody has to fetch another.
  commands(group, 0, 30, 0, 1, 2);
  expect(group.view(0)).toMatchObject({ snapshot: { index: 60 }, compacted: { index: 30 } });
  group.step(2, { type: 'snapshot-installed', slot: 29, digest: told?.digest ?? '' });
  group.settle();
  group.timeout(0, 'heartbeat');
  group.settle();
  expect(group.view(2).commitIndex).toBe(group.view(0).commitIndex);
  // A follower that does not answer keeps nothing.
  group.crash(2);
  group.now += awayFor;
  commands(group, 0, 10, 0, 1);
  expect(group.view(0).compacted.index).toBe(70);
});

test('§7: a follower that is a little behind gets entries and no snapshot', () => {
  const group = cluster(raft(options));
  group.elect(0);
  commands(group, 0, 17, 0, 1, 2);
  commands(group, 0, 2, 0, 1);
  const kinds = new Set<string>();
  for (let i = 0; i < 4; i++) {
    group.timeout(0, 'heartbeat');
    group.settle(({ message }) => kinds.add(message.kind).size > 0);
  }
  expect(kinds).toEqual(new Set(['append-entries', 'append-reply']));
  expect(group.nodes[2]?.decided).toHaveLength(20);
});

test('a restarted replica begins at its snapshot and decides everything after it again', () => {
  const group = cluster(raft(options));
  group.elect(0);
  commands(group, 0, 24, 0, 1, 2);
  const before = group.nodes[1]?.decided.slice();
  group.crash(1);
  group.restart(1);
  expect(group.view(1)).toMatchObject({ commitIndex: 20, lastApplied: 20 });
  heartbeats(group, 0, 2);
  expect(group.nodes[1]?.decided.slice(0, before?.length)).toEqual(before);
  expect(group.nodes[1]?.decided).toHaveLength(25);
});

const snapshotOf = (index: number, term: number) =>
  ({
    kind: 'install-snapshot',
    term,
    lastIndex: index,
    lastTerm: 1,
    digest: digestOfText('state'),
  }) as const;

test('A-26: a late snapshot takes back nothing that was acknowledged since', () => {
  const group = cluster(raft({ n: 3, snapshotEvery: 0 }));
  group.elect(0);
  commands(group, 0, 10, 0, 1, 2);
  const log = group.logOf(1);
  group.inject(0, 1, snapshotOf(5, 1));
  expect(group.logOf(1)).toEqual(log);
  expect(group.nodes[1]?.wanted).toBeUndefined();
  expect(group.packets.map(({ message }) => message)).toEqual([
    { kind: 'snapshot-reply', term: 1, lastIndex: 5 },
  ]);
});

test('§7, Figure 13: entries after the last one of the snapshot are kept, others are not', () => {
  for (const lastTerm of [1, 2]) {
    const group = cluster(raft({ n: 3, snapshotEvery: 0 }));
    const entries = [1, 1, 1, 1].map((term) => ({ term, command: null }));
    const none = { prevIndex: 0, prevTerm: 0, leaderCommit: 0, round: 0 };
    group.inject(0, 1, { kind: 'append-entries', term: 3, ...none, entries });
    group.inject(0, 1, { ...snapshotOf(2, 3), lastTerm });
    group.inject(0, 1, { ...snapshotOf(2, 3), lastTerm });
    expect(group.nodes[1]?.wanted).toEqual({ slot: 1, digest: digestOfText('state'), holder: 0 });
    group.step(1, { type: 'snapshot-installed', slot: 1, digest: digestOfText('other') });
    expect(group.view(1).commitIndex).toBe(0);
    group.step(1, { type: 'snapshot-installed', slot: 1, digest: digestOfText('state') });
    expect([...group.view(1).log.keys()]).toEqual(lastTerm === 1 ? [3, 4] : []);
    expect(group.view(1)).toMatchObject({ commitIndex: 2, lastApplied: 2, fetching: [] });
    expect(group.packets.at(-1)?.message).toEqual({
      kind: 'snapshot-reply',
      term: 3,
      lastIndex: 2,
    });
  }
});

describe('a follower that is told to install a snapshot', () => {
  const [state, other] = ['state', 'other'].map(digestOfText) as [string, string];
  const told = (group: Cluster, index: number, digest = state): Output<Raft> =>
    group.wouldAnswer(0, 1, { ...snapshotOf(index, 1), digest });
  const tell = (group: Cluster, index: number, digest = state): void =>
    group.inject(0, 1, { ...snapshotOf(index, 1), digest });
  const fresh = (): Cluster => cluster(raft({ n: 3, snapshotEvery: 0 }));

  test('follows its leader in its term, as if it had sent entries', () => {
    const group = fresh();
    group.timeout(1, 'election');
    expect(told(group, 5).writes).toContainEqual({
      type: 'save',
      registers: { currentTerm: 1, votedFor: null },
    });
    tell(group, 5);
    expect(group.nodes[1]?.machine.status()).toEqual({ leader: 0, term: 1, role: 'follower' });
    expect(group.view(1).lastContact).toBe(group.now);
    const leader = fresh();
    leader.elect(1);
    expect(leader.wouldAnswer(0, 1, snapshotOf(5, 1))).toMatchObject({ sends: [], fetches: [] });
  });

  test('asks its leader for it, and then the others; for the empty state nobody', () => {
    expect(told(fresh(), 5).fetches).toEqual([{ slot: 4, digest: state, holders: [0, 2] }]);
    expect(told(fresh(), 0)).toMatchObject({ sends: [], fetches: [] });
  });

  test('installs any of the last four that it was told of, and none besides', () => {
    const group = fresh();
    for (const index of [1, 2, 3, 4, 5]) tell(group, index);
    tell(group, 5, other);
    tell(group, 5, other);
    expect(group.view(1).fetching.map(({ index, digest }) => [index, digest])).toEqual([
      [3, state],
      [4, state],
      [5, state],
      [5, other],
    ]);
    const install = (index: number, digest: string): void =>
      group.step(1, { type: 'snapshot-installed', slot: index - 1, digest });
    install(2, state);
    install(4, other);
    expect(group.view(1).commitIndex).toBe(0);
    install(4, state);
    expect(group.view(1)).toMatchObject({ commitIndex: 4, snapshot: { index: 4, digest: state } });
    expect(group.view(1).fetching.map(({ index }) => index)).toEqual([5, 5]);
    // An older one that comes late takes nothing back.
    install(3, state);
    expect(group.view(1).commitIndex).toBe(4);
  });

  test('answers that it has it if its log has got there meanwhile, and does not go back', () => {
    const group = fresh();
    tell(group, 2);
    const entries = [1, 1, 1].map((term) => ({ term, command: null }));
    group.inject(0, 1, append({ entries, leaderCommit: 2 }));
    const reply = { kind: 'snapshot-reply', term: 1, lastIndex: 2 };
    expect(told(group, 2)).toMatchObject({ sends: [{ to: 0, message: reply }], fetches: [] });
    const before = group.view(1);
    group.step(1, { type: 'snapshot-installed', slot: 1, digest: state });
    expect(group.view(1)).toEqual({ ...before, fetching: [] });
  });

  test('tells nobody that it is there if it follows nobody', () => {
    const group = fresh();
    tell(group, 2);
    group.inject(2, 1, { kind: 'vote', term: 4, candidate: 2, granted: false });
    const { sends } = group.wouldDo(1, { type: 'snapshot-installed', slot: 1, digest: state });
    expect(sends).toEqual([]);
    group.elect(1);
    expect(group.view(1).role).toBe('leader');
    const installed = { type: 'snapshot-installed', slot: 1, digest: state } as const;
    expect(group.wouldDo(1, installed).sends).toEqual([]);
  });

  test('that lost its disk is what it was once the state is as good as the log was', () => {
    const group = fresh();
    group.crash(1);
    group.restart(1, 'lost');
    const nonce = group.view(1).rejoining?.nonce ?? 0;
    const best = { term: 1, lastIndex: 2, lastTerm: 1, ownTerm: 9 };
    for (const from of [0, 2]) group.inject(from, 1, { kind: 'rejoin-reply', nonce, ...best });
    tell(group, 2);
    group.step(1, { type: 'snapshot-installed', slot: 1, digest: state });
    expect(group.view(1).rejoining?.best).toEqual({ index: 0, term: 0 });
  });

  test('takes entries that begin before it, and only what follows it', () => {
    const group = fresh();
    tell(group, 2);
    group.step(1, { type: 'snapshot-installed', slot: 1, digest: state });
    // What a snapshot holds was committed, whatever an append that comes late says of it.
    for (const [prevIndex, prevTerm] of [
      [1, 1],
      [2, 7],
      [0, 0],
    ] as const) {
      const entries = Array(4 - prevIndex).fill({ term: 1, command: null });
      const { writes, sends } = group.wouldAnswer(0, 1, append({ prevIndex, prevTerm, entries }));
      const row = { term: 1, command: null };
      expect(writes).toEqual([3, 4].map((index) => ({ type: 'put', table: 'log', index, row })));
      expect(sends).toEqual([{ to: 0, message: acknowledgement(4) }]);
    }
  });
});

describe('a leader that is answered about a snapshot', () => {
  test('counts it in its own term only, and goes on behind it at once', () => {
    const group = cluster(raft({ n: 5, snapshotEvery: 0 }));
    group.elect(0);
    group.settle();
    group.elect(1, () => false);
    for (let i = 0; i < 3; i++) group.propose(0, `x${i}`);
    group.packets.length = 0;
    const reply = (term: number) => ({ kind: 'snapshot-reply', term, lastIndex: 3 }) as const;
    for (const from of [1, 2]) group.inject(from, 0, reply(0));
    expect(group.view(0).commitIndex).toBe(1);
    group.inject(1, 0, reply(1));
    expect(group.view(0).matchIndex.get(1)).toBe(3);
    group.inject(2, 0, reply(1));
    expect(group.view(0).commitIndex).toBe(3);
    expect(group.wouldAnswer(2, 0, reply(2)).writes).toMatchObject([
      { registers: { currentTerm: 2 } },
    ]);
  });

  test('sends what comes after it', () => {
    const group = cluster(raft(options));
    group.elect(0);
    group.now += awayFor;
    commands(group, 0, 14, 0, 1);
    const { index = 0 } = group.view(0).snapshot ?? {};
    const snapshotReply = { kind: 'snapshot-reply', term: 1, lastIndex: index } as const;
    const { early } = group.wouldAnswer(2, 0, snapshotReply);
    expect(early).toMatchObject([
      { to: 2, message: { prevIndex: index, entries: Array(5).fill({}) } },
    ]);
  });

  test('takes a snapshot once, and drops nothing for it a second time', () => {
    const group = cluster(raft(options));
    group.elect(0);
    commands(group, 0, 14, 0, 1, 2);
    const digest = digestOfText('state');
    for (const slot of [9, 5])
      expect(group.wouldDo(0, { type: 'snapshot-taken', slot, digest }).writes).toEqual([]);
    const { writes } = group.wouldDo(0, { type: 'snapshot-taken', slot: 9 + 1, digest });
    expect(writes.map(({ type }) => type)).toEqual(['save', 'drop', 'save']);
    const all = cluster(raft({ ...options, keepEntries: 1_000 }));
    all.elect(0);
    commands(all, 0, 4, 0, 1, 2);
    const taken = all.wouldDo(0, { type: 'snapshot-taken', slot: 3, digest });
    expect(taken.writes.map(({ type }) => type)).toEqual(['save']);
  });
});

test('§5.1: the snapshot of a leader of an older term is refused', () => {
  const group = cluster(raft(options));
  group.inject(2, 1, { kind: 'vote', term: 4, candidate: 2, granted: false });
  group.inject(0, 1, snapshotOf(5, 3));
  expect(group.nodes[1]?.wanted).toBeUndefined();
  group.settle();
  expect(group.view(0).currentTerm).toBe(4);
});

test('a snapshot that one leader did not finish comes from the next one', () => {
  const group = cluster(raft(options));
  group.elect(0);
  group.crash(2);
  group.now += awayFor;
  commands(group, 0, 34, 0, 1);
  group.restart(2);
  for (let i = 0; i < 2; i++) {
    group.timeout(0, 'heartbeat');
    group.settle();
  }
  expect(group.nodes[2]?.wanted).toMatchObject({ slot: 29, holder: 0 });
  group.crash(0);
  group.now += awayFor;
  group.elect(1, among(1, 2));
  heartbeats(group, 1, 5);
  expect(group.nodes[2]?.decided).toEqual(group.nodes[1]?.decided);
  expect(group.disagreements).toEqual([]);
});
