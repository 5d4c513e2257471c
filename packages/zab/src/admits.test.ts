/** What a replica of Zab refuses before it steps: the group's tests check that nothing is lost. */
import { firstClient, type Signature, type Signed, seal } from '@quorumlab/core';
import { describe, expect, test } from 'vitest';
import { type Cluster, cluster, of, type Packet, zooKeeper } from '../test/cluster.ts';
import { oneOfEach, zxid } from '../test/messages.ts';
import type { ZabMessage } from './index.ts';

const unsigned = new Uint8Array(0) as Signature;
const signed = (message: ZabMessage, from: number): Signed<ZabMessage> =>
  seal<ZabMessage>(message, from, unsigned);

/** 2 leads, 0 and 1 follow. */
function led(): Cluster {
  const group = cluster(zooKeeper({ n: 3 }));
  group.convene([0, 1, 2]);
  return group;
}

const isAdmitted = (group: Cluster, to: number, from: number, message: ZabMessage): boolean =>
  group.nodes[to]?.machine.admits?.(signed(message, from), group.now) !== false;

describe.each<[string, number, () => Cluster]>([
  ['a leader', 2, led],
  ['a follower', 1, led],
  ['one that looks', 1, () => cluster(zooKeeper({ n: 3 }))],
])('%s', (_, id, make) => {
  test.each([id, 3, firstClient])('does not hear %i, who is no other member', (from) => {
    const group = make();
    const before = group.nodes[id]?.machine.snapshot();
    for (const message of [...oneOfEach(1), ...oneOfEach(7)]) {
      // What a leader says to itself counts.
      if (from === id && ['ack-e', 'ack-ld', 'ack'].includes(message.kind)) continue;
      group.inject(from, id, message);
      expect(group.packets.splice(0)).toEqual([]);
      expect(group.nodes[id]?.machine.snapshot()).toEqual(before);
    }
  });
});

test('an acknowledgement counts once, and to a later ping again', () => {
  const group = led();
  group.propose(2, 'x');
  const [first] = group.packets.filter(({ to }) => to === 0) as [Packet];
  group.deliver(first);
  const [packet] = group.packets.filter(of('ack')) as [Packet];
  expect(isAdmitted(group, 2, 0, packet.message)).toBe(true);
  group.deliver(packet);
  expect(group.view(2).committed).toBe(1);
  expect(isAdmitted(group, 2, 0, packet.message)).toBe(false);
  group.settle();
  group.fire(2, 'ping');
  for (const ping of group.packets.filter(of('ping'))) group.deliver(ping);
  const [again] = group.packets.filter(({ from, to }) => from === 0 && to === 2) as [Packet];
  expect(isAdmitted(group, 2, 0, again.message)).toBe(true);
  // Nobody can have heard a ping that is still to come, or have more than its leader.
  const late = { kind: 'ack', epoch: 1, zxid: zxid(1, 1), beat: 99 } as const;
  expect(isAdmitted(group, 2, 0, late)).toBe(false);
  expect(isAdmitted(group, 2, 0, { ...late, beat: 1, zxid: zxid(1, 9) })).toBe(false);
});

test('only the leader of the epoch is heard, and only of that epoch', () => {
  const group = led();
  for (const message of oneOfEach(1)) {
    if (!['trunc', 'snap', 'diff', 'newleader', 'propose', 'commit', 'ping'].includes(message.kind))
      continue;
    expect(isAdmitted(group, 0, 2, message)).toBe(true);
    expect(isAdmitted(group, 0, 1, message)).toBe(false);
    expect(isAdmitted(group, 1, 0, message)).toBe(false);
  }
  for (const message of oneOfEach(2))
    if (message.kind === 'propose') expect(isAdmitted(group, 0, 2, message)).toBe(false);
});

test('one that looks is told whom to follow, once in half a heartbeat', () => {
  const group = led();
  const vote = { leader: 0, currentEpoch: 0, zxid: zxid(0, 0) };
  const message: ZabMessage = { kind: 'notification', state: 'looking', round: 1, ...vote };
  for (let i = 0; i < 3; i++) {
    expect(isAdmitted(group, 2, 0, message)).toBe(true);
    group.inject(0, 2, message);
    expect(group.packets.splice(0)).toMatchObject([{ to: 0, message: { state: 'leading' } }]);
    expect(isAdmitted(group, 2, 0, message)).toBe(false);
    group.inject(0, 2, message);
    expect(group.packets).toEqual([]);
    group.now += 15_000;
  }
});

test('a nomination counts once in a round, and none is of a round that nobody reaches', () => {
  const group = cluster(zooKeeper({ n: 5 }));
  const vote = { leader: 3, currentEpoch: 0, zxid: zxid(0, 0) };
  const message: ZabMessage = { kind: 'notification', state: 'looking', round: 1, ...vote };
  expect(isAdmitted(group, 0, 3, message)).toBe(true);
  group.inject(3, 0, message);
  expect(isAdmitted(group, 0, 3, message)).toBe(false);
  expect(isAdmitted(group, 0, 3, { ...message, leader: 4 })).toBe(true);
  expect(isAdmitted(group, 0, 3, { ...message, leader: 9 })).toBe(false);
  expect(isAdmitted(group, 0, 3, { ...message, round: 2 ** 40 })).toBe(false);
});
