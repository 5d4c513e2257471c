import type { Protocol } from '@quorumlab/core';
import { among } from '@quorumlab/protocol-testing';
import { describe, expect, test } from 'vitest';
import { type Cluster, cluster, mutant } from '../test/cluster.ts';
import { leaseLength } from './group.ts';
import { type Raft, type RaftOptions, raft } from './index.ts';

const electionTimeout = 300_000;
const options: RaftOptions = { n: 3, reads: 'lease', electionTimeout };
const length = leaseLength(electionTimeout, 1000);

const readsOf = (group: Cluster, id: number, read: number): number => {
  group.step(id, { type: 'read', id: read });
  return group.nodes[id]?.reads.length ?? 0;
};

/** n0 leads, an entry of its term is committed, and all have answered its last heartbeat. */
function led(protocol: Protocol<Raft> = raft(options)): Cluster {
  const group = cluster(protocol);
  group.elect(0);
  group.timeout(0, 'heartbeat');
  group.settle();
  return group;
}

describe('thesis 6.4.1: a leader with a lease', () => {
  test('answers a read at once and without a message', () => {
    const group = led();
    expect(readsOf(group, 0, 7)).toBe(1);
    expect(group.packets).toEqual([]);
  });

  test('counts it from the sending of what was answered, and asks again when it is over', () => {
    const group = led();
    const before = group.now;
    group.timeout(0, 'heartbeat');
    const sent = group.now;
    expect(sent).toBeGreaterThan(before);
    // The answer is late; the lease is not longer for that.
    group.now += 100_000;
    group.settle(among(0, 1));
    group.now = sent + length - 1;
    expect(readsOf(group, 0, 1)).toBe(1);
    group.now += 1;
    expect(readsOf(group, 0, 2)).toBe(1);
    expect(group.packets.map(({ message }) => message.kind)).toContain('append-entries');
    group.settle();
    expect(group.nodes[0]?.reads.map(({ id }) => id)).toEqual([1, 2]);
  });

  test('has none before an entry of its own term is committed', () => {
    const group = cluster(raft(options));
    group.elect(0, ({ message }) => message.kind !== 'append-reply');
    group.timeout(0, 'heartbeat');
    group.settle(({ message }) => message.kind === 'append-entries');
    expect(readsOf(group, 0, 7)).toBe(0);
  });

  test('has none from too few, and none after it stepped down', () => {
    const group = led(raft({ ...options, n: 5 }));
    group.now += length;
    group.timeout(0, 'heartbeat');
    group.settle(among(0, 1));
    expect(readsOf(group, 0, 7)).toBe(0);
    group.inject(2, 0, { kind: 'vote', term: 9, candidate: 2, granted: false });
    expect(readsOf(group, 0, 8)).toBe(0);
    expect(group.view(0)).toMatchObject({ roundsSent: [], reads: [] });
  });

  test('takes an answer to an older round for what it is', () => {
    const group = led();
    for (let i = 0; i < 3; i++) {
      group.timeout(0, 'heartbeat');
      group.settle(among(0, 1));
    }
    const granted = group.view(0).pipelines.get(2)?.grantedAt ?? 0;
    const rounds = group.view(0).roundsSent.map(({ at }) => at);
    expect(rounds.indexOf(granted)).toBeLessThan(rounds.length - 1);
    expect(group.view(0).pipelines.get(1)?.grantedAt).toBe(rounds.at(-1));
  });

  test('remembers a bounded number of rounds', () => {
    const group = led();
    for (let i = 0; i < 200; i++) group.timeout(0, 'heartbeat');
    expect(group.view(0).roundsSent).toHaveLength(64);
  });
});

describe('thesis 4.2.3: who granted a lease', () => {
  const votes = (group: Cluster): readonly (readonly [number, boolean])[] =>
    group.packets.flatMap(({ from, message }) =>
      message.kind === 'vote' ? [[from, message.granted] as const] : [],
    );
  const ask = (group: Cluster, voter: number, term: number): void =>
    group.inject(2, voter, { kind: 'request-vote', term, lastIndex: 9, lastTerm: 9 });

  test('helps nobody else for an election timeout, although it has heard of a later term', () => {
    const group = led();
    group.inject(2, 1, { kind: 'pre-vote-reply', term: 5, granted: false });
    expect(group.view(1)).toMatchObject({ currentTerm: 5, leader: null });
    for (const term of [5, 6]) ask(group, 1, term);
    expect(votes(group)).toEqual([]);
    group.now += electionTimeout;
    ask(group, 1, 6);
    expect(votes(group)).toEqual([[1, true]]);
  });

  test('A-10: waits it out after a restart, and without that two leaders answer', () => {
    const run = (protocol: Protocol<Raft>): readonly (readonly [number, boolean])[] => {
      const group = led(protocol);
      group.restart(1);
      ask(group, 1, 6);
      return votes(group);
    };
    expect(run(raft(options))).toEqual([]);
    expect(run(mutant('lease-forgotten', options))).toEqual([[1, true]]);
  });

  test('waits it out after it lost its disk, too', () => {
    const group = led();
    group.restart(1, 'lost');
    group.settle();
    group.inject(0, 1, { kind: 'pre-vote-reply', term: 5, granted: false });
    ask(group, 1, 6);
    expect(votes(group)).toEqual([]);
  });
});

test('A-20: a lease is shorter than a grant by what two clocks may differ', () => {
  for (const drift of [0, 100, 1000, 200_000]) {
    const lease = leaseLength(electionTimeout, drift);
    // The slowest leader's clock against the fastest voter's, in true time.
    const leaderIsSure = lease / (1 - drift / 1e6);
    const voterWaits = electionTimeout / (1 + drift / 1e6);
    expect(leaderIsSure).toBeLessThanOrEqual(voterWaits);
    expect(leaderIsSure).toBeGreaterThan(0.999 * voterWaits);
  }
});

test('A-20: where a clock is wrong by more than the bound, a lease answers what is stale', () => {
  /** The leader's clock is a tenth too slow and the others' a tenth too fast; all is true else. */
  const run = (clockDrift: number): number => {
    const group = led(raft({ ...options, clockDrift }));
    const began = group.now;
    const showsAfter = (milliseconds: number, rate: number): void => {
      group.now = began + 1000 * milliseconds * rate;
    };
    showsAfter(320, 1.1);
    group.elect(1, among(1, 2));
    group.propose(1, 'x=2');
    group.settle(among(1, 2));
    expect(group.nodes[1]?.decided).toContain('x=2');
    showsAfter(320, 0.9);
    return readsOf(group, 0, 7);
  };
  expect(run(1000)).toBe(1);
  expect(run(100_000)).toBe(0);
});

test('leases without loyal voters are refused in words, and so are clocks that stand', () => {
  expect(() => raft({ ...options, checkQuorum: false })).toThrow(/leave checkQuorum on/);
  expect(() => raft({ ...options, clockDrift: 600_000 })).toThrow(/clockDrift is 600000/);
});
