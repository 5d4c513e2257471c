/** What makes a candidate a leader, and what it goes on with: phase 1 of §3, report by report. */
import { maxInteger } from '@quorumlab/core';
import { command } from '@quorumlab/protocol-testing';
import { describe, expect, test } from 'vitest';
import { type Cluster, changeOf, cluster } from '../test/cluster.ts';
import { accept, heartbeat, promise, report, valueWith } from '../test/messages.ts';
import { type MultiPaxosOptions, multiPaxos } from './index.ts';
import { type Promised, type ReportPart, type SlotVote, voteBytes } from './messages.ts';

const timeout = { type: 'timeout', timer: 'election' } as const;
const vote = (slot: number, ballot: number, text: string): SlotVote => ({
  slot,
  ballot,
  value: valueWith(text),
});

/** A group in which 0 asks for ballot `n`, and has its own promise. Nobody else has heard it. */
function asking(more: Partial<MultiPaxosOptions> = {}): Cluster {
  const group = cluster(multiPaxos({ n: 3, alpha: 2, ...more }));
  group.timeout(0, 'election');
  group.packets.length = 0;
  expect(group.view(0)).toMatchObject({ role: 'candidate', ballot: group.nodes.length });
  return group;
}

/** What 0 has proposed so far, by slot. */
const proposed = (group: Cluster): Record<number, string> =>
  Object.fromEntries(
    Object.entries(group.votesOf(0)).map(([slot, each]) => [slot, each.replace(/^.*:/, '')]),
  );

describe('who wants to lead', () => {
  test('asks for a ballot above all that it has heard of, and has it on disk before', () => {
    const group = cluster(multiPaxos({ n: 3 }));
    group.inject(2, 1, { kind: 'nack', ballot: 1, promised: 100 });
    group.now += 300_000;
    const { writes, sends } = group.wouldDo(1, timeout);
    expect(writes).toEqual([{ type: 'save', registers: { promised: 103 } }]);
    expect(sends.map(({ to, message }) => [to, message])).toEqual(
      [0, 1, 2].map((to) => [to, { kind: 'prepare', ballot: 103, fromSlot: 0 }]),
    );
    // Less than that it need not hear, and what is not above its own is no refusal.
    group.inject(2, 1, { kind: 'nack', ballot: 100, promised: 99 });
    group.inject(2, 1, { kind: 'nack', ballot: 50, promised: 50 });
    group.fire(1, 'election');
    expect(group.view(1).ballot).toBe(103);
    group.inject(2, 1, { kind: 'nack', ballot: 100, promised: 102 });
    group.inject(2, 1, { kind: 'nack', ballot: 103, promised: 103 });
    expect(group.view(1).role).toBe('candidate');
    group.inject(2, 1, { kind: 'nack', ballot: 103, promised: 104 });
    expect(group.view(1)).toMatchObject({ role: 'follower', ballot: 0, heard: 104 });
  });

  test('waits from when it heard the leader last, and otherwise tries at once and again', () => {
    const group = cluster(multiPaxos({ n: 4, initialMembers: [0, 1, 2] }));
    group.now = 1_000_000;
    for (const id of [1, 3]) group.inject(0, id, heartbeat(4));
    group.now += 60_000;
    const set = (after: readonly [number, number]) => [{ type: 'set', timer: 'election', after }];
    const looked = group.wouldDo(1, timeout);
    expect([looked.sends, looked.timers]).toEqual([[], set([240_000, 540_000])]);
    group.now += 240_000;
    const tried = group.wouldDo(1, timeout);
    expect([tried.sends.length, tried.timers]).toEqual([3, set([300_000, 600_000])]);
    // Who is no member asks whether it has become one, which nobody may be left to tell it.
    const watched = group.wouldDo(3, timeout);
    expect(watched.sends).toEqual([{ to: 0, message: { kind: 'catch-up', fromSlot: 0 } }]);
    expect(watched.timers).toEqual([
      ...set([300_000, 600_000]),
      { type: 'set', timer: 'catch-up', after: 300_000 },
    ]);
  });

  test('can use the last ballot of the wire', () => {
    const group = cluster(multiPaxos({ n: 3 }));
    const owner = maxInteger % 3;
    for (const from of [0, 1, 2])
      if (from !== owner)
        for (const _ of [1, 2])
          group.inject(from, owner, { kind: 'nack', ballot: 0, promised: maxInteger - 3 });
    group.fire(owner, 'election');
    expect(group.view(owner).ballot).toBe(maxInteger);
  });

  test('proposes the value of the highest ballot that it is told of, in whatever order', () => {
    const votes = [vote(0, 1, 'old'), vote(0, 3, 'new'), vote(0, 2, 'older')];
    for (const order of [
      [0, 1],
      [1, 0],
      [2, 1],
      [1, 2],
    ]) {
      const group = asking({ n: 5 });
      for (const [i, each] of order.entries())
        group.inject(i + 1, 0, promise(5, { votes: [votes[each] as SlotVote] }));
      expect(proposed(group)).toEqual({ 0: 'new' });
      expect(group.view(0)).toMatchObject({ role: 'leader', firstUnchosen: 0 });
    }
  });

  test('takes over what a promise knows to be chosen, whatever others voted for there', () => {
    const chosen = { firstUnchosen: 1, votes: [vote(0, 1, 'chosen')] };
    const other = { votes: [vote(0, 3, 'other'), vote(1, 3, 'next')] };
    for (const parts of [
      [chosen, other],
      [other, chosen],
    ]) {
      const group = asking({ n: 5 });
      for (const [i, part] of parts.entries()) group.inject(i + 1, 0, promise(5, part));
      expect(group.nodes[0]?.decided).toEqual(['chosen']);
      expect(group.nodes[0]?.disk.chosenBelow).toBe(1);
      expect(group.view(0)).toMatchObject({ role: 'leader', open: new Map([[1, {}]]) });
      expect(proposed(group)).toEqual({ 0: 'chosen', 1: 'next' });
    }
  });

  test('does not lead before it has what a promise knows to be chosen, and asks for it', () => {
    const group = asking({ keepSlots: 0 });
    group.inject(1, 0, promise(3, { fromSlot: 2, firstUnchosen: 2 }));
    expect(group.view(0)).toMatchObject({ role: 'candidate', teacher: 1 });
    expect(group.packets.map(({ to, message }) => [to, message])).toEqual([
      [1, { kind: 'catch-up', fromSlot: 0 }],
    ]);
    const chosen = [vote(0, 1, 'a'), vote(1, 1, 'b')];
    group.inject(1, 0, { kind: 'learn', fromSlot: 0, votes: chosen, firstUnchosen: 2 });
    expect(group.nodes[0]?.decided).toEqual(['a', 'b']);
    expect(group.view(0)).toMatchObject({ role: 'leader', firstUnchosen: 2 });
  });

  test('opens no more than its window of what it is told of', () => {
    const group = asking();
    const votes = [0, 1, 2, 3, 4].map((slot) => vote(slot, 1, `v${slot}`));
    group.inject(1, 0, promise(3, { votes }));
    expect([...group.view(0).open.keys()]).toEqual([0, 1]);
    group.settle();
    expect(group.nodes[0]?.decided).toEqual(['v0', 'v1', 'v2', 'v3', 'v4']);
  });
});

describe('a report', () => {
  const reach = 8; // Four windows of two slots.

  test.each<[string, Partial<ReportPart>]>([
    ['the last of its parts', { part: 1, parts: 2 }],
    ['as many parts as there can be votes', { parts: 2 * reach + 1 }],
    ['votes from as far back as an acceptor tells', { firstUnchosen: reach, fromSlot: 0 }],
    ['a vote at its beginning', { fromSlot: 1, firstUnchosen: 1, votes: [vote(1, 1, 'a')] }],
    ['a vote as far ahead as one is accepted', { votes: [vote(reach - 1, 1, 'a')] }],
    ['a vote of this very ballot', { votes: [vote(0, 3, 'a')] }],
  ])('can hold %s', (_, part) => {
    const group = asking();
    group.inject(1, 0, promise(3, part));
    expect(group.view(0).promises.get(1)?.received).toEqual(new Set([part.part ?? 0]));
  });

  test.each<[string, Partial<ReportPart>]>([
    ['a part after the last', { part: 1, parts: 1 }],
    ['more parts than there can be votes', { parts: 2 * reach + 2 }],
    ['votes from further back', { firstUnchosen: reach + 1, fromSlot: 0 }],
    ['a vote before its beginning', { fromSlot: 1, firstUnchosen: 1, votes: [vote(0, 1, 'a')] }],
    ['a vote further ahead', { votes: [vote(reach, 1, 'a')] }],
    ['a vote of a later ballot', { votes: [vote(0, 4, 'a')] }],
  ])('that holds %s is no honest one, and nothing of it counts', (_, part) => {
    const group = asking();
    group.inject(1, 0, promise(3, part));
    expect(group.view(0)).toMatchObject({ role: 'candidate', reported: new Map() });
    expect(group.view(0).promises.has(1)).toBe(false);
  });

  test('does not count for slots before its beginning', () => {
    const group = asking();
    group.inject(1, 0, promise(3, { fromSlot: 1, firstUnchosen: 0 }));
    expect(group.view(0).role).toBe('candidate');
  });

  test.each<[string, Partial<ReportPart>]>([
    ['fewer slots known to be chosen', { firstUnchosen: 0 }],
    ['another beginning', { fromSlot: 1 }],
    ['another number of parts', { parts: 3 }],
    ['the same part', { part: 0 }],
  ])('is not completed by a part of one with %s', (_, other) => {
    const group = asking();
    const whole = { firstUnchosen: 1, parts: 2 };
    group.inject(1, 0, promise(3, { ...whole, votes: [vote(0, 1, 'a')] }));
    group.inject(1, 0, promise(3, { ...whole, part: 1, ...other }));
    expect(group.view(0).role).toBe('candidate');
    expect(group.view(0).promises.get(1)).toMatchObject({ parts: 2, received: new Set([0]) });
    group.inject(1, 0, promise(3, { ...whole, part: 1 }));
    expect(group.view(0).role).toBe('leader');
  });

  test('takes the place of an earlier one that has lost a part, if it knows more', () => {
    const group = asking();
    group.inject(1, 0, promise(3, { parts: 2, votes: [vote(0, 1, 'a')] }));
    group.inject(1, 0, promise(3, { firstUnchosen: 1, votes: [vote(0, 1, 'a')] }));
    expect(group.view(0)).toMatchObject({ role: 'leader', firstUnchosen: 1 });
    expect(group.nodes[0]?.decided).toEqual(['a']);
  });

  test('comes in parts that a message can hold, each vote once', () => {
    const operations = Array(7).fill(new Uint8Array(65_000));
    const large = ['a', 'b', 'c'].map((text) => [{ ...command(text), operations }]);
    const two = 2 * voteBytes(large[0] ?? []);
    for (const [maxBytesPerSlot, sizes] of [
      [two, [2, 1]],
      [two - 1, [1, 1, 1]],
    ] as const) {
      const group = cluster(multiPaxos({ n: 3, maxBytesPerSlot }));
      for (const [slot, value] of large.entries()) group.inject(0, 2, accept(3, slot, value));
      const { sends } = group.wouldAnswer(0, 2, { kind: 'prepare', ballot: 6, fromSlot: 0 });
      const parts = sends.map(({ message }) => message as Promised);
      expect(parts.map(({ votes }) => votes.length)).toEqual(sizes);
      expect(parts.map(({ part }) => part)).toEqual([...sizes.keys()]);
      expect(parts.every(({ parts: all }) => all === sizes.length)).toBe(true);
      expect(parts.flatMap(({ votes }) => votes.map(({ slot }) => slot))).toEqual([0, 1, 2]);
    }
  });

  test('leaves out what was asked for no more, was dropped, or was chosen long ago', () => {
    const group = cluster(multiPaxos({ n: 3, alpha: 1, snapshotEvery: 0 }));
    for (let slot = 0; slot < 6; slot++) {
      group.inject(0, 1, accept(3, slot, valueWith(`${slot}`), slot));
      group.inject(0, 1, heartbeat(3, slot + 1));
    }
    // Of slots ahead it knows one, which is as far as it accepts.
    group.inject(0, 1, accept(3, 9, valueWith('9'), 6));
    const told = (fromSlot: number): unknown => {
      const { sends } = group.wouldAnswer(0, 1, { kind: 'prepare', ballot: 3, fromSlot });
      return sends.map(({ message }) => {
        const { fromSlot: start, firstUnchosen, votes } = message as Promised;
        return [start, firstUnchosen, votes.map(({ slot }) => slot)];
      });
    };
    expect(told(0)).toEqual([[2, 6, [2, 3, 4, 5, 9]]]);
    expect(told(4)).toEqual([[4, 6, [4, 5, 9]]]);
  });
});

describe('a group that changes', () => {
  const members = { n: 5, alpha: 4, initialMembers: [0, 1, 2] };
  const kindsTo = (group: Cluster): string[] =>
    group.packets.map(({ to, message }) => `${message.kind} ${to}`);

  test('is asked as well, once, and again only if it does not answer', () => {
    const group = cluster(multiPaxos(members));
    group.elect(0);
    group.request(0, changeOf([0, 3, 4]));
    group.settle(({ message }) => message.kind !== 'prepare');
    group.propose(0, 'b');
    expect(kindsTo(group)).toEqual(['prepare 3', 'prepare 4']);
    group.packets.length = 0;
    group.propose(0, 'c');
    expect(kindsTo(group)).toEqual([]);
    group.fire(0, 'heartbeat');
    expect(kindsTo(group)).toEqual([
      ...[1, 2, 3, 4].map((to) => `heartbeat ${to}`),
      'prepare 3',
      'prepare 4',
    ]);
    group.inject(4, 0, promise(5, { ...report(), parts: 2, firstUnchosen: 4, fromSlot: 4 }));
    group.inject(3, 0, promise(5, { ...report(), firstUnchosen: 4, fromSlot: 4 }));
    group.packets.length = 0;
    group.fire(0, 'heartbeat');
    expect(kindsTo(group).filter((each) => each.startsWith('prepare'))).toEqual([]);
    expect(group.view(0).open.size).toBe(1);
  });
});
