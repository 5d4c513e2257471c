/** Handing over the lead, and reads at followers: 3.10 and 6.4 of Ongaro's thesis. */
import { among } from '@quorumlab/protocol-testing';
import { afterAll, describe, expect, test } from 'vitest';
import { all, ask, calm, candidacy, notRun, start } from '../test/changing.ts';
import { encodeTransfer } from './index.ts';

afterAll(() => {
  expect(notRun(/^(transfer|follower-read)/)).toEqual([]);
});

describe('3.10: the lead is handed over', () => {
  test('to a server that has the whole log, at once, although all hear the leader', () => {
    const group = start();
    group.propose(0, 'x');
    ask(group, 0, encodeTransfer(1));
    expect(group.lines.has('transfer-1')).toBe(true);
    // It takes no commands meanwhile.
    group.propose(0, 'y');
    group.settle();
    expect(group.view(1).role).toBe('leader');
    expect(group.nodes[1]?.decided).toEqual(['-', 'x', '-']);
    expect(group.lines.has('transfer-3')).toBe(true);
    // Who asked is answered by the new leader.
    ask(group, 1, encodeTransfer(1));
    group.settle();
    expect(group.refusals).toEqual([]);
    expect(group.nodes[1]?.decided.at(-1)).toBe('*');
  });

  test.each<[string, number, string]>([
    ['without a vote', 3, 'server 3 has no vote in the group, so it cannot lead'],
    ['that is away', 2, 'server 2 did not take over within an election timeout: it has 1 of 2'],
  ])('not to one %s', (_what, to, why) => {
    const group = start();
    group.crash(2);
    group.propose(0, 'x');
    group.settle();
    ask(group, 0, encodeTransfer(to));
    for (let i = 0; i < 20 && group.nodes[0]?.timers.has('transfer'); i++) {
      group.timeout(0, 'transfer');
      group.settle();
    }
    group.propose(0, 'y');
    group.settle();
    expect(group.view(0).role).toBe('leader');
    expect(group.refusals[0]).toContain(why);
    expect(group.nodes[0]?.decided.at(-1)).toBe('y');
  });

  test('a leave of an earlier leader unseats no later one', () => {
    const group = start();
    calm(group, ...all);
    const late = { ...candidacy, term: 99, lastIndex: 99, lastTerm: 99 };
    expect(group.wouldAnswer(2, 1, late).sends).toEqual([]);
    expect(group.wouldAnswer(2, 1, { ...late, transfer: 1 }).sends).toHaveLength(1);
    group.inject(2, 1, { ...late, term: 3, transfer: 2 });
    group.crash(0);
    for (let i = 0; i < 3 && group.view(1).role !== 'leader'; i++) group.elect(1, among(1, 2));
    calm(group, 1, 2);
    expect(group.wouldAnswer(0, 2, { ...late, transfer: 1 }).sends).toEqual([]);
  });
});

describe('6.4: reads at followers', () => {
  test('go at what the leader had committed, once it has shown that it leads', () => {
    const group = start();
    group.propose(0, 'x');
    group.settle();
    group.step(1, { type: 'read', id: 7 });
    expect(group.nodes[1]?.reads).toEqual([]);
    group.settle();
    expect(group.nodes[1]?.reads).toEqual([{ id: 7, upTo: 1 }]);
  });

  test('wait while the leader reaches nobody else, and share the next question', () => {
    const group = start({ initialMembers: all });
    group.step(1, { type: 'read', id: 1 });
    group.settle(among(0, 1));
    expect(group.nodes[1]?.reads).toEqual([]);
    group.step(1, { type: 'read', id: 2 });
    expect(group.packets).toEqual([]);
    group.now += 400_000;
    group.step(1, { type: 'read', id: 3 });
    calm(group, ...all);
    expect(group.nodes[1]?.reads.map(({ id }) => id)).toEqual([1, 2, 3]);
  });

  test('an answer to an earlier life answers nothing', () => {
    const group = start();
    group.step(1, { type: 'read', id: 1 });
    group.settle(({ message }) => message.kind !== 'read-index-reply');
    group.crash(1);
    group.restart(1);
    calm(group, ...all);
    group.step(1, { type: 'read', id: 2 });
    group.packets.length = 0;
    group.inject(0, 1, { kind: 'read-index-reply', life: 0, question: 1, index: 1 });
    expect(group.nodes[1]?.reads).toEqual([]);
    const life = group.view(1).life;
    group.inject(0, 1, { kind: 'read-index-reply', life, question: 1, index: 1 });
    expect(group.nodes[1]?.reads.map(({ id }) => id)).toEqual([2]);
  });
});

test('a leader that hands over has no lease any more, even if nobody takes over', () => {
  const group = start({ reads: 'lease' });
  group.now += 700_000;
  calm(group, ...all);
  const reads = (): number => group.wouldDo(0, { type: 'read', id: 1 }).reads.length;
  expect(reads()).toBe(1);
  ask(group, 0, encodeTransfer(1));
  group.settle(() => false);
  for (let i = 0; i < 20 && group.nodes[0]?.timers.has('transfer'); i++) {
    group.timeout(0, 'heartbeat');
    group.settle(({ message }) => message.kind !== 'timeout-now');
    if (group.nodes[0]?.timers.has('transfer')) group.timeout(0, 'transfer');
    group.packets.length = 0;
  }
  calm(group, ...all);
  expect(group.view(0).role).toBe('leader');
  expect(reads()).toBe(0);
});
