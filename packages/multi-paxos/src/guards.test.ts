/** What changes nothing, because of who says it or because its time is over. */
import { decode, encode, firstClient } from '@quorumlab/core';
import { describe, expect, test } from 'vitest';
import { type Cluster, cluster } from '../test/cluster.ts';
import { heartbeat, oneOfEach, promise, valueWith } from '../test/messages.ts';
import { type MultiPaxosMessage, multiPaxos } from './index.ts';

const fresh = (): Cluster => cluster(multiPaxos({ n: 3 }));
const stateOf = (group: Cluster, id: number) => group.nodes[id]?.machine.snapshot();

/** Replica 1 of three, in each role in which something is there to be disturbed. */
const roles: readonly (readonly [string, () => Cluster])[] = [
  ['a follower', fresh],
  [
    'a candidate',
    () => {
      const group = fresh();
      group.timeout(1, 'election');
      return group;
    },
  ],
  [
    'a leader',
    () => {
      const group = fresh();
      group.elect(1);
      group.propose(1, 'a');
      group.step(1, { type: 'read', id: 7 });
      return group;
    },
  ],
  [
    'one that is behind',
    () => {
      const group = fresh();
      group.inject(0, 1, heartbeat(3, 1));
      group.fire(1, 'catch-up');
      return group;
    },
  ],
  [
    'one that lost its disk',
    () => {
      const group = fresh();
      group.crash(1);
      group.restart(1, 'lost');
      return group;
    },
  ],
];

describe.each(roles)('%s', (_, make) => {
  test.each([1, 3, firstClient])('does not hear principal %i, who is no other member', (from) => {
    const group = make();
    group.packets.length = 0;
    const before = stateOf(group, 1);
    const own = ['prepare', 'promise', 'accept', 'accepted'];
    for (const message of [...oneOfEach(4), ...oneOfEach(6), ...oneOfEach(7)]) {
      // Its own part in both phases is played by messages to itself.
      if (from === 1 && own.includes(message.kind)) continue;
      group.inject(from, 1, message);
      expect(group.packets).toEqual([]);
      expect(stateOf(group, 1)).toEqual(before);
    }
  });
});

test('until it knows what its lost disk held, a replica promises and accepts nothing', () => {
  const group = fresh();
  group.crash(1);
  group.restart(1, 'lost');
  group.packets.length = 0;
  const before = stateOf(group, 1);
  const kinds = ['prepare', 'accept', 'heartbeat', 'recall', 'promise', 'accepted', 'forward'];
  for (const message of [...oneOfEach(3), ...oneOfEach(6)])
    if (kinds.includes(message.kind)) group.inject(0, 1, message);
  for (const timer of ['election', 'heartbeat', 'check-quorum', 'catch-up'] as const)
    group.fire(1, timer);
  expect(group.packets).toEqual([]);
  expect(stateOf(group, 1)).toEqual(before);
  expect([...(group.nodes[1]?.timers.keys() ?? [])]).toEqual(['recall']);
});

test('a timer of a reign or a question that is over changes nothing', () => {
  const group = fresh();
  group.elect(0);
  const before = [0, 1].map((id) => stateOf(group, id));
  for (const [id, timer] of [
    [1, 'heartbeat'],
    [1, 'check-quorum'],
    [1, 'recall'],
    [1, 'catch-up'],
    [0, 'election'],
    [0, 'recall'],
    [0, 'catch-up'],
  ] as const) {
    const { sends, early, timers } = group.wouldDo(id, { type: 'timeout', timer });
    expect([timer, sends, early, timers]).toEqual([timer, [], [], []]);
    group.step(id, { type: 'timeout', timer });
  }
  expect([0, 1].map((id) => stateOf(group, id))).toEqual(before);
});

test.each<[string, MultiPaxosMessage]>([
  ['a promise of another ballot', promise(1)],
  ['a promise that was not asked for', promise(4)],
  ['a vote for another ballot', { kind: 'accepted', ballot: 1, slot: 0 }],
  ['a vote for a slot that is not open', { kind: 'accepted', ballot: 4, slot: 1 }],
  ['an answer to a heartbeat of another ballot', { kind: 'heartbeat-ack', ballot: 1, round: 1 }],
  ['an answer to a heartbeat to come', { kind: 'heartbeat-ack', ballot: 4, round: 9 }],
])('%s is not counted', (_, message) => {
  // Of five, two are a minority with the leader's own vote; the first slot of it is open.
  const group = cluster(multiPaxos({ n: 5, initialMembers: [0, 1, 2] }));
  group.elect(1);
  const { ballot } = group.view(1);
  group.propose(1, 'a');
  group.step(1, { type: 'read', id: 7 });
  group.packets.length = 0;
  const from = message.kind === 'promise' && message.ballot === 4 ? 3 : 0;
  const sent =
    'ballot' in message && message.ballot === 4 ? { ...message, ballot } : { ...message };
  group.inject(from, 1, sent as MultiPaxosMessage);
  expect(group.packets).toEqual([]);
  expect(group.nodes[1]).toMatchObject({ decided: [], reads: [] });
  expect(group.view(1).open.get(0)?.accepted).toEqual([1]);
  expect(group.view(1).promises.has(3)).toBe(false);
});

test('what a candidate or a leader hears after it gave up changes nothing', () => {
  const group = fresh();
  group.elect(1);
  group.propose(1, 'a');
  const { ballot } = group.view(1);
  group.inject(0, 1, heartbeat(6));
  group.packets.length = 0;
  const before = stateOf(group, 1);
  for (const each of [0, ballot])
    for (const message of [
      promise(each),
      { kind: 'accepted', ballot: each, slot: 0 },
      { kind: 'heartbeat-ack', ballot: each, round: 1 },
      { kind: 'forward', command: valueWith('z')[0] as never },
    ] as const)
      group.inject(2, 1, message);
  expect(group.packets).toEqual([]);
  expect(stateOf(group, 1)).toEqual(before);
});

test.each(oneOfEach(7))('a message comes back from its bytes: $kind', (message) => {
  const { messages } = multiPaxos({ n: 3 });
  expect(decode(messages, encode(messages, message))).toEqual(message);
});

test('what is on a disk comes back from its bytes', () => {
  const { stored } = multiPaxos({ n: 3, snapshotEvery: 1 });
  const group = cluster(multiPaxos({ n: 3, snapshotEvery: 1 }));
  group.elect(0);
  group.propose(0, 'a');
  group.settle();
  const disk = group.nodes[0]?.disk;
  const snapshot = disk?.snapshot ?? null;
  expect(snapshot).toMatchObject({ slot: 0, configurations: [{ members: [0, 1, 2] }] });
  expect(decode(stored.snapshot, encode(stored.snapshot, snapshot))).toEqual(snapshot);
  const vote = { ballot: 3, value: valueWith('b') };
  expect(decode(stored.accepted, encode(stored.accepted, vote))).toEqual(vote);
});
