/** Zab takes for granted that channels are FIFO: here is what stands in for that. */
import { links } from '@quorumlab/protocol-testing';
import { expect, test } from 'vitest';
import { type Cluster, cluster, of, type Packet, zooKeeper } from '../test/cluster.ts';
import type { ZabOptions } from './index.ts';

/** A group of three led by 2. */
function led(options: Partial<ZabOptions> = {}): Cluster {
  const group = cluster(zooKeeper({ n: 3, ...options }));
  group.convene([0, 1, 2]);
  return group;
}

/** Takes what is on its way to `id` off it. */
function held(group: Cluster, id: number): Packet[] {
  const found = group.packets.filter(({ to }) => to === id);
  for (const packet of found) group.packets.splice(group.packets.indexOf(packet), 1);
  return found;
}

test('what comes too early waits for what it follows, whatever the order', () => {
  for (const order of [
    [2, 1, 0],
    [1, 2, 0],
    [2, 0, 1],
  ]) {
    const group = led();
    for (const text of ['a', 'b', 'c']) group.propose(2, text);
    const proposals = held(group, 1);
    for (const at of order) group.deliver(proposals[at] as Packet);
    expect(group.historyOf(1)).toEqual(['1a', '1b', '1c']);
    expect(group.view(1).early.size).toBe(0);
    group.settle();
    expect(group.disagreements).toEqual([]);
  }
});

test('no more is kept early than may be under way, and the rest is asked for again', () => {
  const group = led({ maxInFlight: 2 });
  const transactions = [{ epoch: 1, command: null }];
  for (let counter = 1; counter < 9; counter++)
    group.inject(2, 0, {
      kind: 'propose',
      epoch: 1,
      previous: { epoch: 1, counter },
      transactions,
    });
  expect(group.view(0).early.size).toBe(2);
  group.settle(() => false);
  for (const text of ['a', 'b']) group.propose(2, text);
  group.settle(links([1, 2]));
  for (let i = 0; i < 4; i++) group.beat(2);
  expect(group.historyOf(0).slice(0, 2)).toEqual(['1a', '1b']);
});

test('what is lost is sent again once a later ping is answered without it', () => {
  const group = led();
  group.propose(2, 'a');
  expect(held(group, 0)).toHaveLength(1);
  group.settle();
  expect(group.historyOf(0)).toEqual([]);
  // The answer to this ping shows it, and the next one sends it again.
  group.beat(2);
  group.beat(2);
  expect(group.historyOf(0)).toEqual(['1a']);
  expect(group.nodes[0]?.decided).toEqual(['a']);
  expect(group.lines.has('again')).toBe(true);
});

test('a follower that answers nothing is sent nothing again', () => {
  const group = led();
  group.propose(2, 'a');
  group.settle(links([1, 2]));
  for (let i = 0; i < 3; i++) {
    group.fire(2, 'ping');
    const toZero = group.packets.filter(({ to }) => to === 0);
    expect(toZero.map(({ message }) => message.kind)).toEqual(['ping']);
    group.settle(links([1, 2]));
  }
});

test('a repeated or late proposal is acknowledged and changes nothing', () => {
  const group = led();
  group.propose(2, 'a');
  const [first] = group.packets.filter(({ to }) => to === 0);
  group.settle();
  group.propose(2, 'b');
  group.settle();
  const before = group.view(0).history;
  if (first !== undefined) group.inject(2, 0, first.message);
  expect(group.view(0).history).toEqual(before);
});

test.each(['newepoch', 'ack-e', 'newleader', 'ack-ld', 'commit-ld'] as const)(
  'a %s that is lost does not keep an epoch from being established',
  (kind) => {
    const group = cluster(zooKeeper({ n: 3 }));
    group.convene([0, 1, 2], (packet) => !of(kind)(packet));
    for (let i = 0; i < 4; i++) {
      group.now += 30_000;
      for (const { id, timers } of group.nodes)
        for (const timer of ['join', 'ping'] as const) if (timers.has(timer)) group.fire(id, timer);
      group.settle();
    }
    expect(group.nodes.map(({ machine }) => machine.status().role)).toEqual([
      'follower',
      'follower',
      'leader',
    ]);
  },
);

test('a window is as wide as told, and what waits goes out as one message', () => {
  const group = led({ maxInFlight: 2 });
  for (const text of ['a', 'b', 'c', 'd']) group.propose(2, text);
  const proposals = group.packets.filter(({ to }) => to === 0);
  expect(proposals).toHaveLength(2);
  for (const packet of proposals) group.deliver(packet);
  const sizes: number[] = [];
  group.settle((packet) => {
    if (packet.to === 0 && packet.message.kind === 'propose')
      sizes.push(packet.message.transactions.length);
    return true;
  });
  expect(sizes).toEqual([2]);
  expect(group.historyOf(0)).toEqual(['1a', '1b', '1c', '1d']);
});
