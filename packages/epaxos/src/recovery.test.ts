/** Rules 7 to 13: what becomes of an instance whose leader is silent. */
import { among } from '@quorumlab/protocol-testing';
import { describe, expect, test } from 'vitest';
import { type Cluster, cluster, mutant, type Packet } from '../test/cluster.ts';
import { epaxos } from './index.ts';

function settle(group: Cluster, which: (packet: Packet) => boolean = () => true): void {
  for (let i = 0; i < 50; i++) for (const each of group.packets.filter(which)) group.deliver(each);
  group.packets.length = 0;
}

/** Replica `leader` opens an instance of which only `seats` hear, and nobody of their answers. */
function open(group: Cluster, leader: number, text: string, ...seats: number[]): void {
  group.propose(leader, text);
  for (const each of group.packets.splice(0))
    if (each.message.kind === 'pre-accept' && seats.includes(each.to))
      group.inject(each.from, each.to, each.message);
  group.packets.length = 0;
}

function recover(group: Cluster, id: number, ...seats: number[]): void {
  group.packets.length = 0;
  group.recover(id);
  settle(group, among(id, ...seats));
}

describe('recovery', () => {
  test('what was committed on the fast path is committed as it was', () => {
    const group = cluster(epaxos({ n: 3 }));
    group.propose(0, 'x');
    settle(group, ({ to, message }) => to !== 2 && message.kind !== 'commit');
    expect(group.knows(0, 0)).toBe('committed x after []');
    recover(group, 1, 2);
    expect(group.knows(1, 0)).toBe('committed x after []');
    expect(group.knows(2, 0)).toBe('committed x after []');
  });

  test('of values that were accepted, that of the highest ballot is', () => {
    const group = cluster(epaxos({ n: 3 }));
    open(group, 2, 'y', 1);
    open(group, 0, 'x', 1, 2);
    recover(group, 1);
    recover(group, 2, 1);
    expect(group.knows(1, 0)).toBe(group.knows(2, 0));
  });

  test('with its leader in the quorum an open instance comes to nothing, and begins again', () => {
    const group = cluster(epaxos({ n: 3 }));
    open(group, 0, 'x', 1);
    group.packets.length = 0;
    group.recover(1);
    settle(group);
    expect(group.knows(1, 0)).toBe('committed - after []');
    settle(group);
    group.recover(0);
    settle(group);
    for (const { decided } of group.nodes) expect(decided).toEqual(['x']);
  });

  test('what nobody else has heard of comes to nothing, once somebody asks', () => {
    const group = cluster(epaxos({ n: 3 }));
    open(group, 0, 'x');
    group.crash(0);
    group.propose(1, 'y');
    settle(group);
    expect(group.nodes[1]?.decided).toEqual(['y']);
  });
});

describe('validation', () => {
  /** Ann is with 0 and 1 alone; Bob was committed by 4, 2 and 3, without her. 0 is gone. */
  const unheard = (group: Cluster): Cluster => {
    open(group, 0, 'Ann', 1);
    group.crash(0);
    group.propose(4, 'Bob');
    settle(group, among(2, 3, 4));
    recover(group, 1, 2, 3);
    return group;
  };

  test('an obstacle outside of the quorum: the fast path was not taken', () => {
    const group = unheard(cluster(epaxos({ n: 5 })));
    expect(group.knows(2, 0)).toBe('committed - after []');
  });

  test('without it both are committed, and neither knows of the other', () => {
    const group = unheard(cluster(mutant('no-validation', { n: 5 })));
    expect(group.knows(2, 0)).toBe('committed Ann after []');
    expect(group.knows(4, 4)).toBe('committed Bob after []');
  });

  test('the first instance of a group is an obstacle like any other', () => {
    // n = 7, f = 3, e = 2: Bob is with 6, 3, 4 and 5, and Ann, instance 0, with 0, 1 and 2.
    const group = cluster(epaxos({ n: 7 }));
    open(group, 0, 'Ann', 1, 2);
    open(group, 6, 'Bob', 3, 4, 5);
    recover(group, 3, 4, 5, 1);
    expect([...group.view(3).driven.values()].map(({ step }) => step)).toEqual(['wait']);
    expect(group.knows(3, 6)).toBe('pre-accepted Bob after []');
  });
});
