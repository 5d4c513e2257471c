/** "Paxos Made Live", 5.2: master leases, where a group has them. */
import { among } from '@quorumlab/protocol-testing';
import { describe, expect, test } from 'vitest';
import { type Cluster, cluster } from '../test/cluster.ts';
import { leaseLength } from './group.ts';
import { type MultiPaxosOptions, multiPaxos } from './index.ts';

const electionTimeout = 300_000;
const length = leaseLength(electionTimeout, 1000);

/** n0 leads, everything that it found is chosen, and all have answered its last heartbeat. */
function led(more: Partial<MultiPaxosOptions> = {}): Cluster {
  const group = cluster(multiPaxos({ n: 3, reads: 'lease', electionTimeout, ...more }));
  group.now += electionTimeout;
  group.elect(0);
  group.propose(0, 'a');
  group.settle();
  group.fire(0, 'heartbeat');
  group.settle();
  return group;
}

const readsAt = (group: Cluster, id: number, read: number): number => {
  group.step(id, { type: 'read', id: read });
  return group.nodes[id]?.reads.length ?? 0;
};

const promises = (group: Cluster): number =>
  group.packets.filter(({ message }) => message.kind === 'promise').length;

describe('a leader with a lease', () => {
  test('answers a read at once and without a message, and without one asks', () => {
    const group = led();
    expect(readsAt(group, 0, 7)).toBe(1);
    expect(group.packets).toEqual([]);
    group.now += length + 1;
    expect(readsAt(group, 0, 8)).toBe(1);
    expect(group.packets.map(({ message }) => message.kind)).toContain('heartbeat');
    const other = led({ reads: 'quorum' });
    expect(readsAt(other, 0, 7)).toBe(0);
  });

  test('counts it from the sending of what was answered', () => {
    const group = led();
    group.now += length / 2;
    group.fire(0, 'heartbeat');
    const sent = group.now;
    // The answer is late; the lease is not longer for that.
    group.now += 100_000;
    group.settle(among(0, 1));
    group.now = sent + length - 1;
    expect(readsAt(group, 0, 1)).toBe(1);
    group.now += 1;
    expect(readsAt(group, 0, 2)).toBe(1);
  });

  test('has none from too few, nor once it gave up its ballot', () => {
    const group = led({ n: 5 });
    group.now += length;
    group.fire(0, 'heartbeat');
    group.settle(among(0, 1));
    expect(readsAt(group, 0, 7)).toBe(0);
    group.inject(2, 0, { kind: 'nack', ballot: group.view(0).ballot, promised: 900 });
    expect(readsAt(group, 0, 8)).toBe(0);
    expect(group.view(0)).toMatchObject({ roundsSent: [], reads: [] });
  });
});

describe('whoever granted a lease', () => {
  const ask = (group: Cluster, acceptor: number): void =>
    group.inject(2, acceptor, { kind: 'prepare', ballot: 302, fromSlot: 0 });

  test('promises nobody else anything for an election timeout', () => {
    const group = led();
    group.now += electionTimeout - 1;
    ask(group, 1);
    expect(promises(group)).toBe(0);
    group.now += 1;
    ask(group, 1);
    expect(promises(group)).toBe(1);
  });

  test('waits it out after a restart', () => {
    for (const reads of ['lease', 'quorum'] as const) {
      const group = led({ reads });
      group.crash(1);
      group.restart(1);
      ask(group, 1);
      expect(promises(group)).toBe(reads === 'lease' ? 0 : 1);
      group.now += electionTimeout;
      ask(group, 1);
      expect(promises(group)).toBeGreaterThan(0);
    }
  });

  test('a drift that leaves no lease is refused', () => {
    expect(() => led({ clockDrift: 600_000 })).toThrow(/clockDrift/);
  });
});
