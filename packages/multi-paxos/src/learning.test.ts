/** How a replica gets and keeps what was chosen: notices, catching up, snapshots. */
import { keptBehindBytes, type Output } from '@quorumlab/core';
import { command, digestOfText } from '@quorumlab/protocol-testing';
import { describe, expect, test } from 'vitest';
import { type Cluster, changeOf, cluster } from '../test/cluster.ts';
import { accept, heartbeat, learn, report, valueWith } from '../test/messages.ts';
import {
  encodeChange,
  type MultiPaxos,
  type MultiPaxosMessage,
  type MultiPaxosOptions,
  multiPaxos,
} from './index.ts';
import { type Value, voteBytes, votesLimit } from './messages.ts';

const group = (more: Partial<MultiPaxosOptions> = {}): Cluster =>
  cluster(multiPaxos({ n: 3, ...more }));
const ask = (fromSlot: number): MultiPaxosMessage => ({ kind: 'catch-up', fromSlot });
const state = digestOfText('state');

/** Replica 1 of three, which has heard that the first `count` slots are chosen, and holds them. */
function knowing(values: readonly Value[], more: Partial<MultiPaxosOptions> = {}): Cluster {
  const some = group(more);
  for (const [slot, value] of values.entries()) some.inject(0, 1, accept(3, slot, value, slot));
  some.inject(0, 1, heartbeat(3, values.length));
  expect(some.view(1).firstUnchosen).toBe(values.length);
  some.packets.length = 0;
  return some;
}
const texts = (count: number): Value[] => [...Array(count).keys()].map((i) => valueWith(`${i}`));

describe('the word of a leader on what is chosen', () => {
  test('is about votes of its own ballot', () => {
    const some = group();
    some.inject(0, 1, accept(3, 0, valueWith('old')));
    some.inject(2, 1, heartbeat(5, 1));
    expect(some.nodes[1]?.decided).toEqual([]);
    some.inject(2, 1, accept(5, 0, valueWith('new'), 1));
    expect(some.nodes[1]?.decided).toEqual(['new']);
  });

  test('is not taken back by one of an older leader, or one that comes late', () => {
    const some = group();
    some.inject(0, 1, heartbeat(3, 5));
    expect(some.view(1).notice).toEqual({ ballot: 3, firstUnchosen: 5 });
    some.inject(0, 1, heartbeat(3, 4));
    expect(some.view(1).notice).toEqual({ ballot: 3, firstUnchosen: 5 });
    some.inject(2, 1, heartbeat(5, 2));
    expect(some.view(1).notice).toEqual({ ballot: 5, firstUnchosen: 2 });
    some.inject(2, 1, heartbeat(5, 3));
    expect(some.view(1).notice).toEqual({ ballot: 5, firstUnchosen: 3 });
  });

  test('makes a replica wait a moment for what it lacks, and then ask its leader', () => {
    const some = group();
    const waits = { type: 'set', timer: 'catch-up', after: 30_000 };
    expect(some.wouldAnswer(0, 1, heartbeat(3, 1)).timers).toEqual([waits]);
    some.inject(0, 1, heartbeat(3, 1));
    some.packets.length = 0;
    expect(some.wouldAnswer(0, 1, heartbeat(3, 2)).timers).toEqual([]);
    const { sends, timers } = some.wouldDo(1, { type: 'timeout', timer: 'catch-up' });
    expect(sends).toEqual([{ to: 0, message: ask(0) }]);
    expect(timers).toEqual([{ type: 'set', timer: 'catch-up', after: 300_000 }]);
    // What comes by itself meanwhile is asked for no more.
    const came = some.wouldAnswer(0, 1, accept(3, 0, valueWith('a'), 1));
    expect(came.timers).toEqual([{ type: 'clear', timer: 'catch-up' }]);
    some.inject(0, 1, accept(3, 0, valueWith('a'), 1));
    expect(some.view(1).teacher).toBeNull();
    expect(some.wouldDo(1, { type: 'timeout', timer: 'catch-up' }).sends).toEqual([]);
  });

  test('nobody leads any more: the others are asked in turn, and never oneself', () => {
    const some = group({ n: 4 });
    some.inject(0, 1, heartbeat(4, 1));
    some.inject(2, 1, { kind: 'prepare', ballot: 6, fromSlot: 0 });
    some.now += 1_000_000;
    some.inject(2, 1, { kind: 'prepare', ballot: 6, fromSlot: 0 });
    expect(some.view(1).leader).toBeNull();
    const asked: unknown[] = [];
    for (let i = 0; i < 4; i++) {
      some.packets.length = 0;
      some.fire(1, 'catch-up');
      asked.push(...some.packets.map(({ to }) => to));
    }
    expect(asked).toEqual([2, 3, 0, 2]);
  });
});

describe('who is asked what was chosen', () => {
  const taught = (some: Cluster, fromSlot: number): unknown[] =>
    some
      .wouldAnswer(2, 1, ask(fromSlot))
      .sends.map(({ to, message }) => [
        to,
        message.kind === 'learn' ? [message.fromSlot, message.votes.length] : message,
      ]);

  test('tells all that it knows, and nothing if that is nothing more', () => {
    const some = knowing(texts(3));
    some.inject(0, 1, accept(3, 3, valueWith('open'), 3));
    expect([0, 2, 3, 9].map((slot) => taught(some, slot))).toEqual([
      [[2, [0, 3]]],
      [[2, [2, 1]]],
      [],
      [],
    ]);
  });

  test('tells as much as one message holds, and always one slot', () => {
    const operations = Array(7).fill(new Uint8Array(65_000));
    const large = texts(3).map(([one]) => [{ ...(one as Value[number]), operations }]);
    const two = 2 * voteBytes(large[0] ?? []);
    expect(taught(knowing(large, { maxBytesPerSlot: two }), 0)).toEqual([[2, [0, 2]]]);
    expect(taught(knowing(large, { maxBytesPerSlot: two - 1 }), 0)).toEqual([[2, [0, 1]]]);
    const many = group({ snapshotEvery: 0 });
    const votes = Array(votesLimit).fill({ ballot: 3, value: [] });
    many.inject(0, 1, heartbeat(3, votesLimit + 2));
    for (const fromSlot of [0, votesLimit]) many.inject(0, 1, learn(fromSlot, votes));
    expect(many.view(1).firstUnchosen).toBe(2 * votesLimit);
    expect(taught(many, 0)).toEqual([[2, [0, votesLimit]]]);
  });

  test('offers its snapshot for what it has dropped, and keeps what follows that', () => {
    const some = knowing(texts(9), { snapshotEvery: 4, keepSlots: 0 });
    const { snapshot, keptFrom } = some.view(1);
    expect([snapshot?.slot, keptFrom]).toEqual([7, 8]);
    const digest = snapshot?.digest ?? '';
    const offer = { kind: 'snapshot-offer', slot: 7, digest };
    expect(taught(some, 7)).toEqual([[2, offer]]);
    expect(taught(some, 8)).toEqual([[2, [8, 1]]]);
    some.inject(2, 1, ask(0));
    expect(some.view(1).learners).toEqual(new Map([[2, { fromSlot: 8, at: some.now }]]));
    // Two snapshots later it still has what follows the first, for as long as the other asks.
    const more = (from: number): void => {
      for (let slot = from; slot < from + 4; slot++) {
        some.inject(0, 1, accept(3, slot, valueWith('x'), slot));
        some.inject(0, 1, heartbeat(3, slot + 1));
      }
    };
    some.now += 1_200_000;
    more(9);
    expect([some.view(1).snapshot?.slot, some.view(1).keptFrom]).toEqual([11, 8]);
    some.inject(2, 1, ask(0));
    expect(some.view(1).learners.get(2)).toEqual({ fromSlot: 8, at: some.now });
    some.now += 1_200_001;
    more(13);
    expect([some.view(1).snapshot?.slot, some.view(1).keptFrom]).toEqual([15, 16]);
    expect(some.view(1).learners.size).toBe(0);
  });

  test('need not keep anything for one that has been told everything', () => {
    const some = knowing(texts(9), { snapshotEvery: 4, keepSlots: 0 });
    some.inject(0, 1, accept(3, 9, valueWith('9'), 9));
    some.inject(2, 1, ask(0));
    some.inject(2, 1, ask(8));
    expect(some.view(1).learners.size).toBe(0);
  });
});

describe('who asks', () => {
  function asking(): Cluster {
    const some = group();
    some.inject(0, 1, heartbeat(3, 4));
    some.fire(1, 'catch-up');
    some.packets.length = 0;
    return some;
  }
  const votes = ['a', 'b', 'c', 'd'].map((text) => ({ ballot: 1, value: valueWith(text) }));

  test('learns what comes next from whom it asked, writes it, and asks for the rest', () => {
    const some = asking();
    expect(some.wouldAnswer(2, 1, learn(0, votes)).writes).toEqual([]);
    expect(some.wouldAnswer(0, 1, learn(1, votes)).writes).toEqual([]);
    const { writes, sends } = some.wouldAnswer(0, 1, learn(0, votes.slice(0, 2)));
    expect(writes).toEqual([
      ...[0, 1].map((index) => ({ type: 'put', table: 'accepted', index, row: votes[index] })),
      { type: 'save', registers: { chosenBelow: 2 } },
    ]);
    expect(sends).toEqual([{ to: 0, message: ask(2) }]);
    some.inject(0, 1, learn(0, votes.slice(0, 2)));
    // What it knows already does not keep it from the rest.
    some.inject(0, 1, learn(1, votes.slice(1)));
    expect(some.nodes[1]?.decided).toEqual(['a', 'b', 'c', 'd']);
    expect(some.nodes[1]?.timers.has('catch-up')).toBe(false);
  });

  test('goes on with what it holds itself, and then is behind no more', () => {
    const some = asking();
    some.inject(0, 1, accept(3, 3, valueWith('mine'), 4));
    expect(some.nodes[1]?.decided).toEqual([]);
    const { timers, sends } = some.wouldAnswer(0, 1, learn(0, votes.slice(0, 3)));
    expect([timers, sends]).toEqual([[{ type: 'clear', timer: 'catch-up' }], []]);
    some.inject(0, 1, learn(0, votes.slice(0, 3)));
    expect(some.nodes[1]?.decided).toEqual(['a', 'b', 'c', 'mine']);
  });

  test('fetches the snapshot that it is offered, once, from any other member', () => {
    const some = asking();
    const offer = (slot: number, digest = state): MultiPaxosMessage => ({
      kind: 'snapshot-offer',
      slot,
      digest,
    });
    expect(some.wouldAnswer(2, 1, offer(3)).fetches).toEqual([]);
    const fetches = [{ slot: 3, digest: state, holders: [0, 2] }];
    expect(some.wouldAnswer(0, 1, offer(3)).fetches).toEqual(fetches);
    some.inject(0, 1, offer(3));
    expect(some.wouldAnswer(0, 1, offer(3)).fetches).toEqual([]);
    expect(some.wouldAnswer(0, 1, offer(4)).fetches).toHaveLength(1);
    expect(some.wouldAnswer(0, 1, offer(3, digestOfText('other'))).fetches).toHaveLength(1);
    some.inject(0, 1, learn(0, votes.slice(0, 2)));
    expect(some.wouldAnswer(0, 1, offer(1)).fetches).toEqual([]);
    expect(some.wouldAnswer(0, 1, offer(2)).fetches).toHaveLength(1);
  });

  test('goes on behind a snapshot with its votes above, and asks its holder for the rest', () => {
    const some = asking();
    for (const slot of [1, 2]) some.inject(0, 1, accept(3, slot, valueWith(`${slot}`)));
    some.inject(0, 1, { kind: 'snapshot-offer', slot: 1, digest: state });
    const { writes, sends } = installed(some, 1);
    expect(writes).toEqual([
      { type: 'drop', table: 'accepted', rows: { below: 2 } },
      {
        type: 'save',
        registers: {
          snapshot: { slot: 1, digest: state, configurations: [first] },
          keptFrom: 2,
          chosenBelow: 2,
        },
      },
    ]);
    // Slot 2 it holds in the ballot of its leader; 3 is what it lacks.
    expect(sends).toEqual([{ to: 0, message: ask(3) }]);
    some.step(1, { type: 'snapshot-installed', slot: 1, digest: state });
    expect([...some.view(1).accepts.keys()]).toEqual([]);
    expect(installed(some, 1)).toMatchObject({ writes: [], sends: [] });
    expect(installed(some, 2)).toMatchObject({ writes: [], sends: [] });
  });

  const first = { members: [0, 1, 2], quorums: '', fromSlot: 0 };
  const installed = (some: Cluster, slot: number): Output<MultiPaxos> =>
    some.wouldDo(1, { type: 'snapshot-installed', slot, digest: state });
});

describe('a snapshot that is taken', () => {
  test('makes a log drop what nobody is a little behind, in number and in bytes', () => {
    const some = knowing(texts(7), { snapshotEvery: 4, keepSlots: 3 });
    expect(some.view(1)).toMatchObject({ snapshot: { slot: 3 }, keptFrom: 1 });
    expect([...some.view(1).accepted.keys()]).toEqual([1, 2, 3, 4, 5, 6]);
    const again = { type: 'snapshot-taken', digest: state } as const;
    for (const slot of [3, 2]) expect(some.wouldDo(1, { ...again, slot }).writes).toEqual([]);
    expect(some.wouldDo(1, { ...again, slot: 4 }).writes.map(({ type }) => type)).toEqual([
      'save',
      'drop',
      'save',
    ]);
    const operations = [new Uint8Array(1), ...Array(7).fill(new Uint8Array(65_000))];
    const large = [{ ...command(''), operations }];
    const kept = Math.floor(keptBehindBytes / voteBytes(large));
    const other = knowing(Array(kept + 5).fill(large), { snapshotEvery: kept + 4 });
    expect(other.nodes[1]?.disk.keptFrom).toBe(4);
    const all = knowing(texts(4), { snapshotEvery: 4 });
    expect(all.view(1)).toMatchObject({ snapshot: { slot: 3 }, keptFrom: 0 });
  });

  test('is where a restart begins, with the group of that place', () => {
    const some = group({ n: 4, alpha: 1, snapshotEvery: 2, initialMembers: [0, 1, 2] });
    some.elect(0);
    some.propose(0, 'a');
    some.settle();
    some.change(0, [0, 1, 3]);
    some.settle();
    for (let i = 0; i < 2; i++) {
      some.fire(0, 'heartbeat');
      some.settle();
    }
    some.crash(1);
    some.restart(1);
    expect(some.view(1)).toMatchObject({
      firstUnchosen: 2,
      configurations: [{ members: [0, 1, 3], fromSlot: 2 }],
    });
  });
});

describe('a change of the group that nobody honest asks for', () => {
  test.each([
    ['members twice', [0, 0, 1], 'not in ascending order'],
    ['members out of order', [1, 0, 2], 'not in ascending order'],
    ['nobody', [], 'a group needs members'],
  ])('%s', (_, members, why) => {
    const some = group();
    some.elect(0);
    const { configuration } = changeOf([0, 1]);
    // The encoding of two members: their count, then each.
    const bytes = Uint8Array.of(members.length, ...members, ...(configuration ?? []).slice(3));
    some.request(0, { ...changeOf([0, 1]), configuration: bytes });
    some.settle();
    expect(some.refusals[0]).toContain(why);
  });

  test('is encoded with its members in order, each once', () => {
    expect(encodeChange([2, 0, 2, 10, 1])).toEqual(encodeChange([0, 1, 2, 10]));
    expect(() => encodeChange([0, 1.5])).toThrow(/these are not: 0, 1.5/);
  });
});

describe('a replica that comes back without its disk', () => {
  const back = (more: Partial<MultiPaxosOptions> = {}): [Cluster, number] => {
    const some = group(more);
    some.crash(1);
    some.packets.length = 0;
    some.restart(1, 'lost');
    return [some, some.lives];
  };
  const recalled = (attempt: number, promised: number, part: object = {}): MultiPaxosMessage =>
    ({ kind: 'recalled', attempt, promised, ...report(part) }) as MultiPaxosMessage;

  test('asks all others, and again those of whom a part is missing', () => {
    const [some, attempt] = back();
    const asked = (): unknown[] => some.packets.splice(0).map(({ to, message }) => [to, message]);
    const question = { kind: 'recall', attempt };
    expect(asked()).toEqual([0, 2].map((to) => [to, question]));
    some.inject(0, 1, recalled(attempt, 3));
    some.inject(2, 1, recalled(attempt, 3, { parts: 2 }));
    some.fire(1, 'recall');
    expect(asked()).toEqual([[2, question]]);
    expect(some.nodes[1]?.timers.has('recall')).toBe(true);
  });

  test('takes over the highest promise, and votes that may have been its own', () => {
    const [some, attempt] = back();
    const voted = (slot: number, ballot: number) => ({ slot, ballot, value: valueWith(`${slot}`) });
    some.inject(
      0,
      1,
      recalled(attempt, 9, { firstUnchosen: 1, votes: [0, 1].map((each) => voted(each, 6)) }),
    );
    expect(some.view(1).teacher).toBe(0);
    some.inject(
      2,
      1,
      recalled(attempt, 7, { firstUnchosen: 1, votes: [voted(1, 3), voted(2, 3)] }),
    );
    expect(some.view(1).role).toBe('rejoining');
    some.inject(0, 1, learn(0, [voted(0, 6)]));
    expect(some.nodes[1]?.machine.status()).toEqual({ term: 9, role: 'follower' });
    expect(some.votesOf(1)).toEqual({ 0: '6:0', 1: '6:1', 2: '3:2' });
    expect(some.nodes[1]?.disk).toMatchObject({
      rejoining: false,
      chosenBelow: 1,
      ballotFloor: 9 + 3 * 2 ** 20,
    });
    expect([...(some.nodes[1]?.timers.keys() ?? [])]).toEqual(['election']);
    expect(some.view(1)).toMatchObject({ reported: new Map(), recalled: new Map(), knownTo: 0 });
  });

  test('stays away where its own vote alone could have decided', () => {
    const one = { phase1: { has: (ids: Iterable<number>) => [...ids].length === 3 } };
    const quorums = () =>
      ({ ...one, phase2: { has: (ids: Iterable<number>) => [...ids].includes(1) } }) as never;
    const [some, attempt] = back({ quorums, unsafe: true });
    for (const from of [0, 2]) some.inject(from, 1, recalled(attempt, 3));
    expect(some.view(1).role).toBe('rejoining');
  });
});
