/**
 * What one liar does to the right protocol, and duels; the mutants have their schedules in
 * `exhibits.ts`, and one that needs two of them has the other here.
 */
import type { Protocol } from '@quorumlab/core';
import { describe, expect, it } from 'vitest';
import { type Filter, Group, link, random, to, value } from '../test/group.ts';
import { type BasicPaxos, basicPaxos } from './index.ts';
import { mutants } from './mutants.ts';

/** `accept` reaches `seats`, and `learner` alone hears of it: whoever knows an outcome tells it. */
const choose = (group: Group, learner: number, ...seats: readonly number[]): void => {
  group.deliver(to('accept', ...seats));
  group.deliver(to('accepted', learner));
  group.lose();
};

it('A-01: a promise that a crash takes breaks agreement, although nothing was accepted yet', () => {
  const play = (protocol: Protocol<BasicPaxos>): Group => {
    const group = new Group(protocol);
    group.prepare(0, 'x', 0, 1);
    group.prepare(2, 'y', 1, 2);
    const phase2 = group.packets;
    group.restart(1);
    const from = (id: number) => phase2.filter((packet) => packet.from === id);
    group.packets = from(0);
    choose(group, 0, 0, 1);
    group.packets = from(2);
    choose(group, 2, 1, 2);
    return group;
  };
  expect(play(basicPaxos({ n: 3 })).forked).toBe(false);
  const amnesia = mutants.amnesia;
  expect(play(amnesia({ n: 3 })).forked).toBe(true);
});

describe('one liar among 3: the right protocol promises nothing', () => {
  const right = (): Group => new Group(basicPaxos({ n: 3 }));

  it('A-04: an acceptor hides what it has accepted', () => {
    const group = right();
    group.prepare(0, 'x', 0, 1);
    choose(group, 0, 0, 1);
    group.betray(1);
    group.propose(2, 'y');
    const { ballot } = group.view(2);
    group.deliver(to('prepare', 2));
    group.deliver(to('promise', 2));
    group.inject(1, 2, { kind: 'promise', ballot, accepted: null });
    group.deliver(to('accept', 2));
    group.deliver(to('accepted', 2));
    group.inject(1, 2, { kind: 'accepted', ballot, value: value('y') });
    expect(group.decisions).toBe('x - y');
  });

  it('A-05: an acceptor invents a proposal', () => {
    const group = right();
    group.prepare(0, 'x', 0, 1);
    group.deliver(to('accept', 0, 1));
    group.settle(link([0], 'accepted'));
    group.inject(1, 0, { kind: 'accepted', ballot: 3, value: value('x') });
    expect(group.decisions).toBe('x - -');
    group.lose();
    group.betray(2);
    group.propose(1, 'y');
    const { ballot } = group.view(1);
    group.deliver(to('prepare', 1));
    group.deliver(to('promise', 1));
    const invented = { ballot: ballot - 1, value: value('nobody asked for this') };
    group.inject(2, 1, { kind: 'promise', ballot, accepted: invented });
    group.deliver(to('accept', 1));
    group.deliver(to('accepted', 1));
    group.inject(2, 1, { kind: 'accepted', ballot, value: invented.value });
    expect(group.decisions).toBe('x nobody asked for this -');
  });

  it('A-06: a proposer says two things under one number, and votes for both', () => {
    const group = right();
    group.betray(0);
    const ballot = 3;
    for (const [acceptor, text] of [
      [1, 'x'],
      [2, 'y'],
    ] as const) {
      group.inject(0, acceptor, { kind: 'prepare', ballot });
      group.inject(0, acceptor, { kind: 'accept', ballot, value: value(text) });
      group.inject(0, acceptor, { kind: 'accepted', ballot, value: value(text) });
      group.settle((packet) => packet.from === acceptor && packet.to === acceptor);
    }
    expect(group.decisions).toBe('- x y');
  });

  it('A-06: an honest acceptor does not help by voting twice under one number', () => {
    const group = right();
    group.betray(0);
    const accept = (text: string): void =>
      group.inject(0, 1, { kind: 'accept', ballot: 3, value: value(text) });
    accept('x');
    group.lose();
    accept('y');
    expect(group.packets).toEqual([]);
    expect(group.view(1).accepted).toEqual({ ballot: 3, value: value('x') });
  });
});

describe('§2.4: two proposers that duel', () => {
  const retry = 40_000;
  /** How long a phase takes: a quarter of the first wait. */
  const tick = retry / 4;

  /** Everything that `id` asks for next, and the answers to it; what it then asks for waits. */
  function turn(group: Group, id: number): void {
    const by: Filter = ({ from }) => from === id;
    group.deliver((packet) => by(packet) && packet.message.kind === 'accept');
    group.deliver((packet) => packet.message.kind === 'accepted');
    group.deliver(to('nack', id));
    group.deliver((packet) => by(packet) && packet.message.kind === 'prepare');
    group.deliver(to('promise', id));
  }

  /**
   * Both want something else and hear everything; their phases alternate. `draw` is where between
   * the least and the most a wait ends, from 0 to 1. Returns how many turns it took.
   */
  function duel(group: Group, turns: number, draw: () => number): number {
    group.propose(0, 'x');
    group.propose(2, 'y');
    const due = new Map<number, number>();
    for (let now = 0; now < turns; now++) {
      if (!group.decisions.includes('-')) return now;
      const id = now % 2 === 0 ? 0 : 2;
      const isDue = (): boolean => group.view(id).phase === 'waiting' && now >= (due.get(id) ?? 0);
      if (isDue()) group.timeout(id, 'retry');
      const { failures } = group.view(id);
      turn(group, id);
      if (group.view(id).failures === failures) continue;
      const after = group.node(id).timers.get('retry') ?? 0;
      const [least, most] = typeof after === 'number' ? [after, after] : after;
      due.set(id, now + Math.floor((least + draw() * (most - least)) / tick));
      if (!isDue()) continue;
      group.timeout(id, 'retry');
      turn(group, id);
    }
    return turns;
  }

  it('never end if whoever is refused tries again at once', () => {
    const make = mutants['duel-without-backoff'];
    const group = new Group(make({ n: 3, retry }));
    expect(duel(group, 2_000, () => 0)).toBe(2_000);
    expect(group.decisions).toBe('- - -');
    expect(group.view(0).failures).toBeGreaterThan(400);
    expect(group.view(2).failures).toBeGreaterThan(400);
  });

  it('end if they wait at random, and ever longer', () => {
    // The short form meets many variants of the code.
    const seeds = process.env.QUORUMLAB_SHORT_TESTS === '1' ? 10 : 200;
    for (let seed = 1; seed <= seeds; seed++) {
      const group = new Group(basicPaxos({ n: 3, retry }));
      const chance = random(seed);
      expect(duel(group, 1_000, () => chance.below(1_000) / 1_000)).toBeLessThan(200);
      expect(group.decisions).toMatch(/^(x x x|y y y)$/);
      expect(group.view(0).failures, 'they did duel').toBeGreaterThan(0);
    }
  });
});
