import { among, digestOfText } from '@quorumlab/protocol-testing';
import { describe, expect, test } from 'vitest';
import { type Cluster, cluster, zooKeeper } from '../test/cluster.ts';
import { zxid } from '../test/messages.ts';

const options = { n: 3, snapshotEvery: 10, keepTransactions: 3 };
/** So long that a leader keeps nothing for a follower. */
const awayFor = 1_000_000;

/** 2 leads, 0 and 1 follow. */
function led(more: object = {}): Cluster {
  const group = cluster(zooKeeper({ ...options, ...more }));
  group.convene([0, 1, 2]);
  return group;
}

function commands(group: Cluster, leader: number, count: number, ...ids: number[]): void {
  for (let i = 0; i < count; i++) {
    group.propose(leader, `x${i}`);
    group.settle(among(...ids));
  }
}

function beats(group: Cluster, leader: number, count: number): void {
  for (let i = 0; i < count; i++) {
    group.now += 30_000;
    for (const { id, timers } of group.nodes) if (timers.has('join')) group.fire(id, 'join');
    group.beat(leader);
    for (const { id } of group.nodes) group.install(id);
    group.settle();
  }
}

/** 0 is away while 24 commands are committed, and comes back. */
function behind(group: Cluster): void {
  group.crash(0);
  group.now += awayFor;
  commands(group, 2, 24, 1, 2);
  group.restart(0);
  group.nominate([0]);
  for (let i = 0; i < 3; i++) group.beat(2);
}

test('a snapshot shortens the history but for the last transactions, and the disk with it', () => {
  const group = led();
  commands(group, 2, 24, 0, 1, 2);
  const view = group.view(2);
  expect(view.snapshot).toMatchObject({ zxid: zxid(1, 20) });
  expect(view.compacted).toEqual(zxid(1, 17));
  expect([...view.history.keys()]).toEqual([18, 19, 20, 21, 22, 23, 24]);
  expect([...(group.nodes[2]?.disk.history.keys() ?? [])]).toHaveLength(7);
});

test('a follower that is too far behind gets the state, and goes on from there', () => {
  const group = led();
  behind(group);
  expect(group.lines.has('snap')).toBe(true);
  expect(group.view(0).fetching).toHaveLength(1);
  beats(group, 2, 4);
  expect(group.nodes[0]?.decided).toEqual(group.nodes[2]?.decided);
  expect(group.view(0).snapshot).toMatchObject({ zxid: zxid(1, 20) });
  expect(group.view(0).currentEpoch).toBe(1);
  expect(group.disagreements).toEqual([]);
});

test('what follows a snapshot stays until the follower that fetches it has that too', () => {
  const group = led({ keepTransactions: 0 });
  behind(group);
  for (let i = 0; i < 4; i++) {
    group.beat(2);
    commands(group, 2, 10, 0, 1, 2);
  }
  // Later snapshots were taken meanwhile, and what comes after the first one is still there.
  expect(group.view(2).snapshot?.zxid.counter).toBe(60);
  expect(group.view(2).compacted.counter).toBe(20);
  beats(group, 2, 4);
  expect(group.nodes[0]?.decided).toEqual(group.nodes[2]?.decided);
});

test('what is in no snapshot of the leader is cut by the state as well', () => {
  const group = led({ keepTransactions: 0 });
  for (const text of ['lost', 'too']) group.propose(2, text);
  group.packets.length = 0;
  group.crash(2);
  group.convene([0, 1]);
  group.now += awayFor;
  commands(group, 1, 12, 0, 1);
  group.restart(2);
  group.nominate([2]);
  group.settle();
  beats(group, 1, 4);
  expect(group.nodes[2]?.decided).toEqual(group.nodes[1]?.decided);
  expect(group.disagreements).toEqual([]);
});

test('an idle group brings a follower up to date that missed everything', () => {
  const group = led();
  group.crash(0);
  commands(group, 2, 5, 1, 2);
  group.restart(0);
  group.nominate([0]);
  beats(group, 2, 4);
  expect(group.nodes[0]?.decided).toEqual(group.nodes[2]?.decided);
});

describe('a follower', () => {
  const snap = (counter: number) =>
    ({ kind: 'snap', epoch: 1, zxid: zxid(1, counter), digest: digestOfText('state') }) as const;

  test('knows of four snapshots at most, and of none that is behind it', () => {
    const group = led();
    commands(group, 2, 5, 0, 1, 2);
    group.inject(2, 0, snap(5));
    expect(group.view(0).fetching).toEqual([]);
    for (let counter = 10; counter < 20; counter++) group.inject(2, 0, snap(counter));
    expect(group.view(0).fetching.map((each) => each.zxid.counter)).toEqual([16, 17, 18, 19]);
    group.inject(2, 0, { ...snap(30), zxid: zxid(9, 30) });
    expect(group.view(0).fetching).toHaveLength(4);
  });

  test('takes back nothing for a snapshot or a cut that comes late', () => {
    const group = led();
    commands(group, 2, 5, 0, 1, 2);
    const before = group.historyOf(0);
    group.inject(2, 0, { kind: 'trunc', epoch: 1, to: zxid(0, 0) });
    group.step(0, { type: 'snapshot-installed', slot: 3, digest: digestOfText('state') });
    expect(group.historyOf(0)).toEqual(before);
  });
});
