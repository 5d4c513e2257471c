import { OptionsError, QuorumError, range } from '@quorumlab/core';
import { encodeChange } from '@quorumlab/multi-paxos';
import { among } from '@quorumlab/protocol-testing';
import { describe, expect, it } from 'vitest';
import { type Filter, Group } from '../test/group.ts';
import {
  encodeQuorumChange,
  flexiblePaxos,
  parseQuorums,
  phasesOf,
  type Quorums,
  quorumText,
  toleranceOf,
} from './index.ts';

const group = (options: Omit<Parameters<typeof flexiblePaxos>[0], 'n'> & { n?: number } = {}) =>
  new Group(flexiblePaxos({ n: 5, snapshotEvery: 0, ...options }));

/** `id` proposes `text`, and what happens happens among `seats`. */
function write(at: Group, id: number, text: string, ...seats: readonly number[]): boolean {
  at.propose(id, text);
  at.settle(among(...seats));
  return at.log(id).split(' ').includes(text);
}

describe('the textbook example: n = 5', () => {
  it('q1 = 4, q2 = 2 commits with three crashed, and elects nobody until four are back', () => {
    const five = group({ q1: 4, q2: 2 });
    expect(five.elect(0)).toBe(true);
    for (const id of [2, 3, 4]) five.crash(id);
    expect(write(five, 0, 'x', 0, 1)).toBe(true);
    five.timeout(0, 'heartbeat');
    five.settle();
    expect(five.log(1)).toContain('x');
    five.crash(0);
    expect(five.elect(1)).toBe(false);
    five.restart(2);
    five.restart(3);
    expect(five.elect(1)).toBe(false);
    five.restart(4);
    expect(five.elect(4)).toBe(true);
    expect(five.log(4)).toContain('x');
    expect(write(five, 4, 'y', 1, 2, 3, 4)).toBe(true);
  });

  it('q1 = 2, q2 = 4 elects with three crashed, and commits nothing until four are back', () => {
    const five = group({ q1: 2, q2: 4 });
    expect(five.elect(0)).toBe(true);
    expect(write(five, 0, 'x', 0, 1, 2, 3)).toBe(true);
    for (const id of [0, 2, 3]) five.crash(id);
    expect(five.elect(1)).toBe(true);
    expect(write(five, 1, 'y', 1, 4)).toBe(false);
    for (const id of [2, 3]) five.restart(id);
    for (let i = 0; i < 3; i++) {
      five.timeout(1, 'heartbeat');
      five.settle();
    }
    expect(five.log(1)).toMatch(/x.*y/);
    expect(five.forked).toBe(false);
  });

  it.each([
    [{ q1: 3, q2: 3 }, 2, 2],
    [{ q1: 4, q2: 2 }, 3, 1],
    [{ q1: 2, q2: 4 }, 1, 3],
    [{ q1: 5, q2: 1 }, 4, 0],
  ])('%j survives %i crashes in steady state and %i when it elects', (sizes, steady, election) => {
    const quorums: Quorums = { kind: 'simple', ...sizes };
    expect(toleranceOf(phasesOf(range(5), quorums))).toEqual({
      maxCrashSteady: steady,
      maxCrashElection: election,
    });
    expect(flexiblePaxos({ n: 5, ...sizes }).f).toBe(Math.min(steady, election));
  });
});

describe('quorum systems', () => {
  it('a grid: a row elects, one of each row commits', () => {
    const six = group({ n: 6, grid: '2x3' });
    expect(six.elect(0, among(0, 1, 5))).toBe(false);
    expect(six.elect(0, among(0, 1, 2))).toBe(true);
    expect(write(six, 0, 'x', 0, 1, 2)).toBe(false);
    six.timeout(0, 'heartbeat');
    six.settle(among(0, 4));
    six.timeout(0, 'heartbeat');
    six.settle(among(0, 4));
    expect(six.log(0)).toContain('x');
    expect(toleranceOf(phasesOf(range(6), parseQuorums('grid 2x3')))).toEqual({
      maxCrashSteady: 2,
      maxCrashElection: 1,
    });
  });

  it('weights: the heavy replica and one more are as good as three', () => {
    const four = group({ n: 4, weights: '3,1,1,1' });
    expect(quorumText(parseQuorums('weights 3,1,1,1 4 3'))).toBe('weights 3,1,1,1 4 3');
    expect(four.elect(1, among(1, 2, 3))).toBe(false);
    expect(four.elect(0, among(0, 1))).toBe(true);
    expect(write(four, 0, 'x', 0)).toBe(true);
  });

  it('q2 alone, or q1 alone, is completed so that both just meet', () => {
    const q2Of = (options: object): string => {
      const one = new Group(flexiblePaxos({ n: 6, ...options }));
      return one.view(0).firstQuorums;
    };
    expect(q2Of({})).toBe('simple 4 3');
    expect(q2Of({ q2: 2 })).toBe('simple 5 2');
    expect(q2Of({ q1: 3 })).toBe('simple 3 4');
    expect(q2Of({ weights: '2,1,1,1,1,1' })).toBe('weights 2,1,1,1,1,1 4 4');
  });
});

describe('quorums that do not meet are refused, and two of them named', () => {
  it.each([
    [{ q1: 2, q2: 3 }, 'the phase 1 quorum {0, 1} and the phase 2 quorum {2, 3, 4} share nobody'],
    [
      { weights: '2,2,1,1,1', q1: 4, q2: 3 },
      'the phase 1 quorum {0, 1} and the phase 2 quorum {2, 3, 4} share nobody',
    ],
  ])('%j', (options, why) => {
    expect(() => flexiblePaxos({ n: 5, ...options })).toThrow(QuorumError);
    expect(() => flexiblePaxos({ n: 5, ...options })).toThrow(why);
    expect(() => flexiblePaxos({ n: 5, ...options, unsafe: true })).not.toThrow();
  });

  it.each([
    [{ q1: 6 }, QuorumError, /names no quorums|cannot be formed/],
    [{ q1: 2.5 }, QuorumError, /names no quorums/],
    [{ grid: '2x2' }, QuorumError, /4 places for 5 members/],
    [{ grid: 'a x b' }, QuorumError, /"grid a x b" names no quorums/],
    [{ weights: '1,1,1' }, QuorumError, /replica 3 has no weight: there are 3/],
    [{ weights: '1,x' }, QuorumError, /names no quorums/],
    [{ grid: '1x5', q1: 3 }, OptionsError, /a grid of 1x5 is told together with/],
    [{ q1: 4, q2: 2, f: 2 }, OptionsError, /survive 1 and not 2; use f = 1/],
  ])('%j is refused', (options, error, why) => {
    expect(() => flexiblePaxos({ n: 5, ...options })).toThrow(error);
    expect(() => flexiblePaxos({ n: 5, ...options })).toThrow(why);
  });
});

describe('quorums are part of the log', () => {
  const all: Filter = () => true;

  it('a change governs from alpha slots after its own on', () => {
    const five = group({ alpha: 3, pipeline: 3 });
    five.elect(0, all);
    five.change(0, encodeQuorumChange(range(5), { kind: 'simple', q1: 4, q2: 2 }));
    five.settle();
    const changed = [...five.node(0).decided].find(([, text]) => text === '*')?.[0] ?? -1;
    expect(changed).toBeGreaterThanOrEqual(0);
    expect(five.view(0).configurations.at(-1)).toMatchObject({
      fromSlot: changed + 3,
      quorums: 'simple 4 2',
    });
    // No-ops lead there at once, and from there on two of five are enough.
    for (let i = 0; i < 3; i++) {
      five.timeout(0, 'heartbeat');
      five.settle();
    }
    expect(five.view(0).firstUnchosen).toBeGreaterThanOrEqual(changed + 3);
    expect(write(five, 0, 'x', 0, 1)).toBe(true);
    expect(five.elect(4, among(2, 3, 4))).toBe(false);
  });

  it('a change to quorums that do not meet is refused before any state changes', () => {
    const apart: Quorums = { kind: 'simple', q1: 2, q2: 3 };
    expect(() => encodeQuorumChange(range(5), apart)).toThrow('{0, 1} and the phase 2 quorum {2,');
    const five = group();
    five.elect(0);
    const before = five.view(0).configurations;
    // A client that does not check what it asks for.
    five.change(0, encodeChange(range(5), quorumText(apart)));
    five.change(0, encodeChange(range(5), 'as you like'));
    five.settle();
    expect(five.node(0).refusals).toHaveLength(2);
    expect(five.node(0).refusals[0]).toContain('{0, 1} and the phase 2 quorum {2, 3, 4}');
    expect(five.node(0).refusals[1]).toContain('"as you like" names no quorums');
    expect(five.view(0).configurations).toEqual(before);
    expect(write(five, 0, 'x', 0, 1, 2)).toBe(true);
  });

  it('a change of members that names no quorums that fit is refused', () => {
    const four = group({ n: 4, grid: '2x2' });
    four.elect(0);
    four.change(0, encodeChange([0, 1, 2]));
    four.settle();
    expect(four.node(0).refusals[0]).toContain('4 places for 3 members');
  });

  it('a replica that is started again with other quorums stops at once', () => {
    const five = group({ q1: 4, q2: 2 });
    five.elect(0);
    five.restart(1);
    const other = flexiblePaxos({ n: 5, q1: 3, q2: 3 });
    expect(() => five.restart(1, other)).toThrow(OptionsError);
    expect(() => five.restart(1, other)).toThrow(
      'this log began with the quorums "simple 4 2", and now "simple 3 3" is told',
    );
  });
});
