import { maxInteger, OptionsError, QuorumError, range, threshold } from '@quorumlab/core';
import { describe, expect, it, test } from 'vitest';
import { Group, link, to, value } from '../test/group.ts';
import { basicPaxos, paper } from './index.ts';

const three = (): Group => new Group(basicPaxos({ n: 3 }));
const x = value('x');
const y = value('y');

describe('§2.2: choosing a value', () => {
  it('takes four messages from the proposer to its decision, in both phases to all', () => {
    const group = three();
    group.propose(0, 'x');
    const kinds: string[] = [];
    while (group.packets.length > 0) {
      kinds.push(group.packets.map(({ message }) => message.kind).join(' '));
      group.deliver();
    }
    expect(kinds).toEqual([
      'prepare prepare prepare',
      'promise promise promise',
      'accept accept accept',
      Array(9).fill('accepted').join(' '),
    ]);
    expect(group.decisions).toBe('x x x');
  });

  it('phase 1 (b): an acceptor promises nothing lower, and says what it has promised', () => {
    const group = three();
    group.inject(1, 0, { kind: 'prepare', ballot: 7 });
    group.inject(2, 0, { kind: 'prepare', ballot: 5 });
    group.inject(2, 0, { kind: 'accept', ballot: 5, value: x });
    expect(group.packets.map(({ message }) => message)).toEqual([
      { kind: 'promise', ballot: 7, accepted: null },
      { kind: 'nack', ballot: 5, promised: 7 },
      { kind: 'nack', ballot: 5, promised: 7 },
    ]);
    expect(group.view(0)).toMatchObject({ promised: 7, accepted: null });
  });

  it('phase 2 (a): the value of the highest number reported is taken over', () => {
    const group = new Group(basicPaxos({ n: 5 }));
    group.propose(0, 'own');
    const { ballot } = group.view(0);
    group.lose();
    for (const [from, accepted] of [
      [1, { ballot: 2, value: y }],
      [2, { ballot: 4, value: x }],
      [3, null],
    ] as const)
      group.inject(from, 0, { kind: 'promise', ballot, accepted });
    expect(group.packets).toHaveLength(5);
    expect(group.packets[0]?.message).toEqual({ kind: 'accept', ballot, value: x });
  });

  it('promises count once per acceptor, only for this ballot, and only of members', () => {
    const group = three();
    group.propose(0, 'x');
    const { ballot } = group.view(0);
    group.lose();
    const promise = { kind: 'promise', ballot, accepted: null } as const;
    group.inject(1, 0, promise);
    group.inject(1, 0, promise);
    group.inject(65_536, 0, promise);
    group.inject(2, 0, { ...promise, ballot: ballot - 3 });
    expect(group.packets).toEqual([]);
    group.inject(2, 0, promise);
    group.inject(0, 0, promise);
    expect(group.packets.map(({ message }) => message.kind)).toEqual(Array(3).fill('accept'));
  });

  it('a ballot that belongs to somebody else, or to no member, is not answered', () => {
    const group = three();
    group.inject(2, 0, { kind: 'prepare', ballot: 7 });
    group.inject(65_536, 0, { kind: 'prepare', ballot: 65_536 });
    expect(group.packets).toEqual([]);
    expect(group.view(0).promised).toBe(0);
  });

  it('a late copy of a prepare request is answered alike, or not at all', () => {
    const group = three();
    const prepare = { kind: 'prepare', ballot: 4 } as const;
    group.inject(1, 0, prepare);
    group.inject(1, 0, prepare);
    expect(group.packets[1]?.message).toEqual(group.packets[0]?.message);
    group.inject(1, 0, { kind: 'accept', ballot: 4, value: x });
    group.lose();
    group.inject(1, 0, prepare);
    expect(group.packets).toEqual([]);
  });

  it('a number is above all that the proposer has used, promised or been refused with', () => {
    const group = three();
    group.propose(0, 'x');
    group.inject(1, 0, { kind: 'nack', ballot: 3, promised: 10 });
    group.lose();
    group.timeout(0, 'retry');
    expect(group.view(0).ballot).toBe(12);
    group.inject(2, 0, { kind: 'prepare', ballot: 17 });
    group.timeout(0, 'retry');
    expect(group.view(0).ballot).toBe(18);
  });

  it('numbers end at the largest of the wire: then nothing is tried any more', () => {
    const group = three();
    group.propose(0, 'x');
    // What one member says would not be heard.
    for (const from of [2, 1])
      group.inject(from, 0, { kind: 'nack', ballot: 3, promised: maxInteger - 1 });
    group.lose();
    group.timeout(0, 'retry');
    expect(group.packets).toEqual([]);
    group.propose(0, 'y');
    expect(group.packets).toEqual([]);
  });
});

describe('§2.3: learning a chosen value', () => {
  const accepted = (ballot: number, what = x) =>
    ({ kind: 'accepted', ballot, value: what }) as const;

  it('needs a quorum of votes for one proposal, each acceptor once', () => {
    const group = new Group(basicPaxos({ n: 5 }));
    group.inject(1, 0, accepted(6));
    group.inject(1, 0, accepted(6));
    group.inject(2, 0, accepted(7));
    group.inject(3, 0, accepted(6, y));
    group.inject(65_537, 0, accepted(6));
    group.inject(4, 0, accepted(6));
    expect(group.node(0).decided).toBeUndefined();
    group.inject(2, 0, accepted(6)); // Older than what 2 said before: it has moved on.
    expect(group.node(0).decided).toBeUndefined();
    group.inject(0, 0, accepted(6));
    expect(group.node(0).decided).toBe('x');
  });

  it('what was learnt is decided again after a restart, and told to whoever asks', () => {
    const group = three();
    group.propose(0, 'x');
    group.settle();
    group.restart(0);
    expect(group.node(0).decided).toBe('x');
    group.inject(1, 0, { kind: 'prepare', ballot: 10 });
    group.now += 50_000;
    group.inject(1, 0, { kind: 'ask' });
    const told = { from: 0, to: 1, message: { kind: 'decided', value: x } };
    expect(group.packets).toEqual([told, told]);
  });

  it('a learner that a crash cut off asks, and counts the votes that it is told of', () => {
    const group = three();
    group.prepare(0, 'x', 0, 1);
    group.deliver(to('accept', 0, 1));
    group.lose();
    group.restart(0);
    group.restart(1);
    group.settle();
    expect(group.decisions).toBe('- x -'); // 1 was down when 0 asked.
    group.timeout(0, 'ask');
    group.settle();
    expect(group.decisions).toBe('x x -');
  });

  it('a learner that has missed votes asks again, less and less often', () => {
    const group = three();
    group.inject(1, 2, accepted(4));
    const waits: unknown[] = [];
    for (let i = 0; i < 7; i++) {
      waits.push(group.node(2).timers.get('ask'));
      group.timeout(2, 'ask');
      group.lose();
    }
    expect(waits.map((each) => (each as readonly number[])[0])).toEqual(
      [50, 100, 200, 400, 500, 500, 500].map((milliseconds) => milliseconds * 1_000),
    );
  });
});

describe('§2.4: progress', () => {
  it('who is refused waits before the next attempt, and one attempt is refused once', () => {
    const group = three();
    group.propose(0, 'x');
    group.lose();
    for (const from of [1, 2]) group.inject(from, 0, { kind: 'nack', ballot: 3, promised: 7 });
    expect(group.view(0)).toMatchObject({ phase: 'waiting', failures: 1 });
    expect(group.node(0).timers.get('retry')).toEqual([100_000, 200_000]);
    expect(group.packets).toEqual([]);
  });

  it('an attempt whose messages are lost is followed by the next', () => {
    const group = three();
    group.propose(0, 'x');
    group.lose();
    group.timeout(0, 'retry');
    group.settle();
    expect(group.decisions).toBe('x x x');
    expect(group.nodes.map(({ timers }) => timers.size)).toEqual([0, 0, 0]);
  });
});

describe('§2.5: the disk', () => {
  it('a number, a promise and a vote are on it before anybody hears of them', () => {
    const protocol = basicPaxos({ n: 3 });
    const group = new Group(protocol);
    group.propose(0, 'x');
    group.settle(link([0, 1, 2], 'prepare', 'promise', 'accept'));
    for (const { disk } of group.nodes)
      expect(disk).toMatchObject({ promised: 3, accepted: { ballot: 3, value: x } });
    expect(group.node(0).disk.ballot).toBe(3);
  });

  it('a replica that lost it is a learner for ever: it promises, accepts, proposes nothing', () => {
    const group = three();
    group.prepare(0, 'x', 0, 1);
    group.deliver(to('accept', 1));
    group.restart(1, 'lost');
    expect(group.packets.filter(to('ask', 0, 2))).toHaveLength(2);
    group.lose();
    group.inject(2, 1, { kind: 'prepare', ballot: 8 });
    group.inject(2, 1, { kind: 'accept', ballot: 8, value: y });
    group.propose(1, 'z');
    group.step(1, { type: 'read', id: 1 });
    expect(group.packets).toEqual([]);
    group.restart(1); // Once more, with what is on the disk now.
    group.lose();
    group.inject(2, 1, { kind: 'prepare', ballot: 8 });
    expect(group.packets).toEqual([]);
    expect(group.node(1).machine?.status().role).toBe('learner');
    group.timeout(0, 'retry');
    group.settle();
    expect(group.decisions).toBe('x x x');
    expect(group.node(1).disk).toMatchObject({ promised: 0, accepted: null });
  });
});

describe('reads', () => {
  const read = (group: Group, id: number): void => group.step(0, { type: 'read', id });

  it('of nothing: a quorum has accepted nothing since the read was asked for', () => {
    const group = three();
    read(group, 1);
    group.settle();
    expect(group.node(0).reads).toEqual([{ id: 1, upTo: -1 }]);
    expect(group.decisions).toBe('- - -');
    expect(group.node(0).timers.has('retry')).toBe(false);
  });

  it('of something accepted: it is finished first', () => {
    const group = three();
    group.prepare(2, 'x', 1, 2);
    group.deliver(to('accept', 1));
    group.lose();
    read(group, 1);
    group.settle(link([0, 1]));
    expect(group.view(0).phase).toBe('waiting'); // 1 has promised a higher number.
    group.timeout(0, 'retry');
    group.settle(link([0, 1]));
    expect(group.decisions).toBe('x x -');
    expect(group.node(0).reads).toEqual([{ id: 1, upTo: 0 }]);
    read(group, 2);
    expect(group.node(0).reads[1]).toEqual({ id: 2, upTo: 0 });
  });

  it('promises from before the read was asked for say nothing about it', () => {
    const group = three();
    read(group, 1);
    group.deliver(to('prepare', 0, 1));
    const promises = group.packets.filter(to('promise', 0));
    // Meanwhile x is chosen by the others, and its client knows; then the second read begins.
    group.packets = [];
    group.prepare(2, 'x', 1, 2);
    group.settle(link([1, 2]));
    expect(group.decisions).toBe('- x x');
    read(group, 2);
    group.packets = promises;
    group.deliver();
    expect(group.node(0).reads).toEqual([{ id: 1, upTo: -1 }]);
    group.settle();
    expect(group.node(0).reads).toEqual([
      { id: 1, upTo: -1 },
      { id: 2, upTo: 0 },
    ]);
  });
});

describe('options', () => {
  it.each([
    [{ n: 0 }, /n is 0/],
    [{ n: 2, f: 1 }, /2 replicas cannot survive 1 crashes.*n = 3 or more/],
    [{ n: 3, f: -1 }, /f is -1/],
    [{ n: 3, retry: 0 }, /retry is 0/],
    [{ n: 3, retry: 10, maxRetry: 9 }, /maxRetry is 9; use an integer of 10 or more/],
  ])('%j is refused', (options, why) => {
    expect(() => basicPaxos(options)).toThrow(OptionsError);
    expect(() => basicPaxos(options)).toThrow(why);
  });

  it('quorums that do not meet are refused, unless that is what one wants to see', () => {
    const quorums = { phase1: threshold(range(4), 2), phase2: threshold(range(4), 2) };
    expect(() => basicPaxos({ n: 4, quorums })).toThrow(QuorumError);
    const group = new Group(basicPaxos({ n: 4, quorums, unsafe: true }));
    for (const [id, text, seats] of [
      [0, 'x', [0, 1]],
      [2, 'y', [2, 3]],
    ] as const) {
      group.propose(id, text);
      group.settle(link(seats));
    }
    expect(group.decisions).toBe('x x y y');
  });
});

test('a configuration request is no value: there is no group to change after one decision', () => {
  const group = three();
  const { operations: _, ...rest } = x;
  const command = { ...rest, operations: [], configuration: new Uint8Array([1]) };
  group.step(0, { type: 'propose', command });
  expect(group.packets).toEqual([]);
});

test('lines: what handlers mark is in the paper', () => {
  const group = three();
  group.propose(0, 'x');
  group.settle();
  for (const line of group.lines) expect(Object.keys(paper)).toContain(line);
});
