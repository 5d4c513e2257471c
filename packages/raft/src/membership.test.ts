/** Chapter 4 of Ongaro's thesis: how the group becomes another one. */
import { OptionsError, threshold } from '@quorumlab/core';
import { among } from '@quorumlab/protocol-testing';
import { afterAll, describe, expect, test } from 'vitest';
import { all, ask, calm, candidacy, change, groupOf, notRun, start } from '../test/changing.ts';
import { cluster } from '../test/cluster.ts';
import {
  type Change,
  ConfigurationError,
  decodeConfiguration,
  encodeChange,
  encodeTransfer,
  raft,
} from './index.ts';

afterAll(() => {
  // As all others run in `schedules.test.ts`.
  expect(notRun(/^(latest|change-|catch-up|single|joint|leave$)|-configuration$/)).toEqual([]);
});

describe('4.1: one voter comes or goes', () => {
  test('the new configuration counts from the moment at which it is in the log', () => {
    const group = start();
    change(group, 0, { learners: [3] });
    group.settle();
    calm(group, ...all);
    change(group, 0, { voters: [3] });
    expect(group.lines.has('single')).toBe(true);
    expect(groupOf(group, 0)).toEqual({ voters: [0, 1, 2, 3], outgoing: [], learners: [] });
    // Three of four are needed now: the leader and one other are not enough.
    const before = group.view(0).commitIndex;
    group.settle(among(0, 1));
    expect(group.view(0).commitIndex).toBe(before);
    calm(group, 0, 1, 3);
    expect(group.view(0).commitIndex).toBeGreaterThan(before);
  });

  test('what is cut off the log takes its configuration along', () => {
    const group = start({ initialMembers: all });
    change(group, 0, { leaving: [4] });
    group.settle(among(0, 1));
    expect(groupOf(group, 1).voters).toEqual([0, 1, 2, 3]);
    group.crash(0);
    for (let i = 0; i < 2; i++) group.elect(2, among(2, 3, 4));
    calm(group, 1, 2, 3, 4);
    expect(groupOf(group, 1).voters).toEqual([0, 1, 2, 3, 4]);
    expect(group.disagreements).toEqual([]);
  });

  test('reads that waited for others are answered once nobody else is left', () => {
    const group = start({ initialMembers: [0, 1] });
    group.step(0, { type: 'read', id: 7 });
    group.settle(among(0));
    expect(group.nodes[0]?.reads).toEqual([]);
    change(group, 0, { leaving: [1] });
    group.settle(among(0));
    expect(group.nodes[0]?.reads.map(({ id }) => id)).toEqual([7]);
  });

  test('a new voter gets the log first, in rounds, and one that is away is named', () => {
    const group = start();
    for (const text of ['a', 'b', 'c']) group.propose(0, text);
    group.settle();
    change(group, 0, { voters: [3] });
    expect(group.lines.has('catch-up-1')).toBe(true);
    expect(groupOf(group, 0).voters).toEqual([0, 1, 2]);
    group.settle();
    expect(groupOf(group, 0).voters).toEqual([0, 1, 2, 3]);
    calm(group, ...all);
    group.crash(4);
    change(group, 0, { voters: [4] });
    for (let i = 0; i < 120; i++) {
      group.settle();
      if (!group.nodes[0]?.timers.has('catch-up')) break;
      group.timeout(0, 'catch-up');
      group.timeout(0, 'heartbeat');
      group.settle();
    }
    calm(group, ...all);
    expect(group.refusals[0]).toBe('the group stays as it is: server 4 did not answer; is it up?');
    expect(groupOf(group, 0).voters).toEqual([0, 1, 2, 3]);
  });

  test.each([
    ['gets no further', 0, /server 3 has stayed at entry 0 of 1/],
    ['is slower than the others write', 1, /server 3 did not catch up in 10 rounds/],
  ] as const)('a server that %s is given up', (_what, most, why) => {
    const group = start({ maxEntriesPerAppend: 20, maxInFlight: 1 });
    change(group, 0, { voters: [3] });
    group.packets.length = 0;
    for (let i = 0; i < 500 && group.nodes[0]?.timers.has('catch-up'); i++) {
      if (most > 0) group.propose(0, `more ${i}`);
      else group.now += 1_000_000;
      group.timeout(0, 'catch-up');
      group.timeout(0, 'heartbeat');
      // Of the entries that it is sent, at most one message comes in an election timeout.
      let left = i % 11 === 10 ? most : 0;
      group.settle(({ to, message }) => {
        if (to !== 3 || message.kind !== 'append-entries' || message.entries.length === 0)
          return true;
        left -= 1;
        return left >= 0;
      });
    }
    calm(group, ...all);
    expect(group.refusals[0]).toMatch(why);
    expect(groupOf(group, 0).voters).toEqual([0, 1, 2]);
  });

  test('2015: no change before an entry of the own term is committed', () => {
    const group = start();
    group.elect(1, ({ message }) => ['request-vote', 'vote'].includes(message.kind));
    group.timeout(0, 'check-quorum');
    for (let i = 0; i < 3 && group.view(1).role !== 'leader'; i++) {
      group.timeout(1, 'election');
      group.settle(({ message }) => message.kind !== 'append-entries');
    }
    expect(group.view(1).role).toBe('leader');
    change(group, 1, { leaving: [2] });
    expect(groupOf(group, 1).voters).toEqual([0, 1, 2]);
    expect(group.lines.has('change-wait')).toBe(true);
    calm(group, ...all);
    change(group, 1, { leaving: [2] });
    expect(groupOf(group, 1).voters).toEqual([0, 1]);
  });
});

describe('4.3: any other change goes through both groups', () => {
  test('both majorities decide, and the leader goes on to the new group by itself', () => {
    const group = start();
    change(group, 0, { voters: [3, 4], leaving: [1, 2] });
    group.settle(({ from, to }) => [0, 3, 4].includes(from as number) && [0, 3, 4].includes(to));
    expect(groupOf(group, 0)).toMatchObject({ voters: [0, 3, 4], outgoing: [0, 1, 2] });
    calm(group, 0, 3, 4);
    // C_new has its majority, C_old has not.
    expect(groupOf(group, 0).outgoing).toEqual([0, 1, 2]);
    calm(group, 0, 1, 3, 4);
    expect(group.lines.has('joint-2')).toBe(true);
    expect(groupOf(group, 0)).toEqual({ voters: [0, 3, 4], outgoing: [], learners: [] });
    group.crash(1);
    group.crash(2);
    group.propose(0, 'x');
    calm(group, 0, 3);
    expect(group.nodes[0]?.decided.at(-1)).toBe('x');
    expect(group.disagreements).toEqual([]);
  });

  test('a leader that finds a joint configuration completes it', () => {
    const group = start();
    change(group, 0, { voters: [3, 4], leaving: [1, 2] });
    group.settle();
    // As if the leader had died before it could go on: all have C_old,new and nobody C_new.
    const joint = start();
    change(joint, 0, { voters: [3, 4], leaving: [1, 2] });
    for (let i = 0; i < 200 && groupOf(joint, 3).outgoing?.length !== 3; i++) {
      const packet = joint.packets[0];
      if (packet === undefined) joint.timeout(0, 'heartbeat');
      else joint.deliver(packet);
    }
    joint.packets.length = 0;
    joint.crash(0);
    for (let i = 0; i < 3 && joint.view(3).role !== 'leader'; i++) {
      for (const id of [1, 2, 4]) joint.view(id);
      joint.elect(3, among(1, 2, 3, 4));
    }
    calm(joint, 1, 2, 3, 4);
    expect(groupOf(joint, 3)).toEqual({ voters: [0, 3, 4], outgoing: [], learners: [] });
    expect(joint.disagreements).toEqual([]);
  });

  test('a leader that leaves completes the change, steps down, and hands over', () => {
    const group = start();
    change(group, 0, { leaving: [0] });
    group.settle();
    calm(group, ...all);
    expect(group.lines.has('leave')).toBe(true);
    expect(group.view(0).role).toBe('follower');
    const [leader] = group.nodes.filter(({ id }) => group.view(id).role === 'leader');
    expect([1, 2]).toContain(leader?.id);
    group.timeout(0, 'election');
    expect(group.view(0).role).toBe('follower');
    expect(group.disagreements).toEqual([]);
  });

  test('who was removed, and does not know it is committed, completes the change', () => {
    const group = cluster(raft({ n: 2 }));
    group.elect(0);
    group.settle();
    change(group, 0, { leaving: [0] });
    group.settle(() => false);
    group.restart(0);
    // 1 lacks the entry, so 0 alone can lead, and needs 1 to commit.
    group.elect(0);
    for (let i = 0; i < 3; i++) {
      if (group.nodes[0]?.timers.has('heartbeat')) group.timeout(0, 'heartbeat');
      group.settle();
    }
    expect(groupOf(group, 1).voters).toEqual([1]);
    if (group.view(1).role !== 'leader') group.elect(1);
    group.propose(1, 'x');
    group.settle(() => false);
    expect(group.nodes[1]?.decided.at(-1)).toBe('x');
  });
});

describe('4.2.1: learners', () => {
  test('get the log, count for nothing, do not campaign, and vote', () => {
    const group = start();
    change(group, 0, { learners: [3, 4] });
    group.settle();
    group.propose(0, 'x');
    group.settle(among(0, 3, 4));
    expect(group.nodes[0]?.decided).not.toContain('x');
    calm(group, ...all);
    expect(group.nodes[3]?.decided).toContain('x');
    group.timeout(3, 'election');
    group.timeout(3, 'election');
    expect(group.packets).toEqual([]);
    expect(
      group.wouldAnswer(1, 3, { ...candidacy, term: 9, lastIndex: 99, transfer: 8 }).sends,
    ).toMatchObject([{ message: { kind: 'vote', granted: true } }]);
  });
});

describe('changes that are refused change nothing', () => {
  test.each<[string, Change, string]>([
    ['an unknown server', { voters: [9] }, 'server 9 is not one of the 5 known, 0 to 4'],
    ['who is not there', { leaving: [4] }, 'server 4 is not in the group'],
    ['nobody left', { leaving: [0, 1, 2] }, 'a group needs voters'],
    ['disjoint groups', { voters: [3, 4], only: true }, 'nobody of the present group is in it'],
    ['the same group', { voters: [0, 1, 2] }, 'the group is that already'],
    ['two at once', { leaving: [1, 2], how: 'single' }, '0 voters come and 2 go, and a single'],
  ])('%s', (_what, wanted, why) => {
    const group = start();
    change(group, 0, wanted);
    group.settle();
    expect(group.refusals[0]).toContain(why);
    expect(groupOf(group, 0).voters).toEqual([0, 1, 2]);
  });

  test('a second one while the first is on its way, or waits for a new server', () => {
    const group = start();
    change(group, 0, { leaving: [2] });
    change(group, 0, { leaving: [1] });
    group.settle();
    expect(group.refusals[0]).toContain('is on its way; wait for it');
    const waiting = start();
    change(waiting, 0, { voters: [3] });
    change(waiting, 0, { leaving: [1] });
    calm(waiting, 0, 1, 2);
    expect(waiting.refusals[0]).toContain('waits for server 3 to catch up');
  });

  test('bytes that are no change, and a group whose quorums were set by hand', () => {
    const group = start();
    ask(group, 0, Uint8Array.of(255, 255, 255));
    group.settle();
    expect(group.refusals[0]).toContain('cannot be read');
    const fixed = cluster(raft({ n: 3, quorum: threshold([0, 1, 2], 3) }));
    fixed.elect(0);
    fixed.settle();
    change(fixed, 0, { leaving: [2] });
    fixed.settle();
    expect(fixed.refusals[0]).toContain('set by hand');
  });

  test('what no group can be is not even encoded', () => {
    expect(() => encodeChange({})).toThrow(/this changes nothing/);
    expect(() => encodeChange({ voters: [], only: true })).toThrow(/needs voters/);
    expect(() => encodeChange({ voters: [1], leaving: [1] })).toThrow(/named twice/);
    expect(() => encodeChange({ voters: [-1] })).toThrow(ConfigurationError);
    expect(() => encodeTransfer(5_120)).toThrow(ConfigurationError);
    expect(decodeConfiguration(Uint8Array.of(0))).toBeUndefined();
    for (const initialMembers of ['', '0,7', [] as number[]])
      expect(() => raft({ n: 3, initialMembers })).toThrow(OptionsError);
    expect(raft({ n: 5, initialMembers: '0, 1, 2' }).f).toBe(1);
  });
});

test('§7: a snapshot brings the group along, and a restart finds it', () => {
  const group = start({ snapshotEvery: 4, keepEntries: 0 });
  group.crash(2);
  change(group, 0, { voters: [3] });
  calm(group, 0, 1, 3);
  for (let i = 0; i < 9; i++) {
    group.propose(0, `x${i}`);
    calm(group, 0, 1, 3);
  }
  group.restart(2);
  calm(group, 0, 1, 2, 3);
  group.install(2);
  calm(group, 0, 1, 2, 3);
  expect(groupOf(group, 2).voters).toEqual([0, 1, 2, 3]);
  expect(group.view(2).configured?.voters).toEqual([0, 1, 2, 3]);
  for (const id of [0, 2]) {
    group.crash(id);
    group.restart(id);
    expect(groupOf(group, id).voters).toEqual([0, 1, 2, 3]);
  }
  expect(group.lines.has('snapshot-configuration')).toBe(true);
  expect(group.disagreements).toEqual([]);
});
