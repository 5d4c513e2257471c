import { among, digestOfText } from '@quorumlab/protocol-testing';
import { expect, test } from 'vitest';
import { type Cluster, cluster } from '../test/cluster.ts';
import { raft } from './index.ts';

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
