/** Where all replicas meet: snapshots, what is dropped, and who comes back. */
import { command } from '@quorumlab/protocol-testing';
import { describe, expect, test } from 'vitest';
import { type Cluster, cluster, type Packet } from '../test/cluster.ts';
import { epaxos } from './index.ts';

function settle(group: Cluster, which: (packet: Packet) => boolean = () => true): void {
  for (let i = 0; i < 50; i++) for (const each of group.packets.filter(which)) group.deliver(each);
  group.packets.length = 0;
}

/** Asks all replicas in turn, `count` times. */
function load(group: Cluster, from: number, count: number, ids = [0, 1, 2]): void {
  for (let i = 0; i < count; i++) {
    group.propose(ids[i % ids.length] as number, `${from + i}`);
    settle(group);
    group.packets.length = 0;
  }
}

const small = { n: 3, snapshotEvery: 5 } as const;

describe('checkpoints', () => {
  test('all replicas take their snapshots at the same slots, and drop what led to them', () => {
    const group = cluster(epaxos(small));
    load(group, 0, 60);
    expect(group.disagreements).toEqual([]);
    const [first, ...others] = group.nodes.map(({ id }) => group.view(id).snapshot);
    expect(first?.cut.checkpoints).toBeGreaterThan(5);
    for (const each of others) expect(each).toEqual(first);
    // Three windows would be hundreds; what was executed two checkpoints ago is dropped.
    for (const { id } of group.nodes) {
      expect(group.view(id).instances.size).toBeLessThan(30);
      expect(group.view(id).executed.size).toBeLessThan(30);
    }
  });

  test('who slept through several of them gets a snapshot and goes on', () => {
    const group = cluster(epaxos(small));
    load(group, 0, 3);
    group.crash(2);
    load(group, 100, 40, [0, 1]);
    group.restart(2);
    for (let i = 0; i < 4; i++) {
      for (const { id } of group.nodes) {
        group.now += 2_000_000;
        group.step(id, { type: 'timeout', timer: 'tick' });
        settle(group);
      }
      group.install(2);
      settle(group);
    }
    expect(group.nodes[2]?.decided.join()).toBe(group.nodes[0]?.decided.join());
    load(group, 200, 6);
    expect(group.nodes[2]?.decided.join()).toBe(group.nodes[0]?.decided.join());
    expect(group.disagreements).toEqual([]);
  });

  test('an idle replica opens its next instance above all that were executed', () => {
    const group = cluster(epaxos(small));
    load(group, 0, 30, [0]);
    const { cut } = group.view(2);
    expect(cut.checkpoints).toBeGreaterThan(2);
    group.propose(2, 'late');
    settle(group);
    expect(group.nodes[0]?.decided.at(-1)).toBe('late');
    expect(group.view(2).nextOwn).toBeGreaterThan(cut.base);
  });
});

describe('a replica that lost its disk', () => {
  test('takes part again when all others have told what is open', () => {
    const group = cluster(epaxos(small));
    load(group, 0, 8);
    group.crash(2);
    group.restart(2, 'lost');
    expect(group.nodes[2]?.machine.status().role).toBe('rejoining');
    settle(group);
    expect(group.nodes[2]?.machine.status().role).toBe('replica');
    load(group, 100, 12);
    expect(group.disagreements).toEqual([]);
    expect(group.nodes[2]?.machine.status().role).toBe('replica');
  });

  test('answers nobody before, and uses no number that it may have used', () => {
    const group = cluster(epaxos({ n: 3 }));
    group.propose(2, 'unheard');
    const used = group.view(2).nextOwn;
    group.packets.length = 0;
    group.crash(2);
    group.restart(2, 'lost');
    group.packets.length = 0;
    group.propose(0, 'x');
    const asked = group.packets.find(({ to }) => to === 2) as Packet;
    group.packets.length = 0;
    group.inject(asked.from, asked.to, asked.message);
    expect(group.packets).toEqual([]);
    group.timeout(2, 'recall');
    for (const { id } of group.nodes) group.recover(id);
    settle(group);
    expect(group.nodes[2]?.machine.status().role).toBe('replica');
    expect(group.view(2).nextOwn).toBeGreaterThan(used);
  });
});

test('a command is taken once, however often it is asked for', () => {
  const group = cluster(epaxos({ n: 3 }));
  const request = command('x');
  for (let i = 0; i < 3; i++) group.request(0, request);
  expect(group.packets).toHaveLength(2);
  settle(group);
  expect(group.nodes[0]?.decided).toEqual(['x']);
});
