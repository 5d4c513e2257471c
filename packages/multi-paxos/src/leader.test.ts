/** What a leader takes, proposes and counts: phase 2 of §3, each seen in what one step would do. */
import {
  type Outgoing,
  type Request,
  requestBytes,
  type Signed,
  uncommittedBytes,
} from '@quorumlab/core';
import { command } from '@quorumlab/protocol-testing';
import { describe, expect, test } from 'vitest';
import { type Cluster, changeOf, cluster } from '../test/cluster.ts';
import { heartbeat, promise } from '../test/messages.ts';
import {
  type MultiPaxos,
  type MultiPaxosMessage,
  type MultiPaxosOptions,
  multiPaxos,
} from './index.ts';

const beat = { type: 'timeout', timer: 'heartbeat' } as const;
const check = { type: 'timeout', timer: 'check-quorum' } as const;

function led(more: Partial<MultiPaxosOptions> = {}): Cluster {
  const group = cluster(multiPaxos({ n: 3, ...more }));
  group.elect(0);
  group.settle();
  expect(group.view(0).role).toBe('leader');
  return group;
}

const accepted = (ballot: number, slot: number): MultiPaxosMessage => ({
  kind: 'accepted',
  ballot,
  slot,
});
const answered = (ballot: number, round: number): MultiPaxosMessage => ({
  kind: 'heartbeat-ack',
  ballot,
  round,
});

/** Who is sent a proposal, and for which slot. */
const proposals = (packets: readonly Outgoing<MultiPaxos>[]): unknown[] =>
  packets.flatMap(({ to, message }) => (message.kind === 'accept' ? [[to, message.slot]] : []));

/** A request of about `parts` times 65 kB. */
const ofParts = (parts: number): Signed<Request> => ({
  ...command(''),
  operations: Array(parts).fill(new Uint8Array(65_000)),
});

describe('a new leader', () => {
  test('says so at once to all, watches for their answers, and waits for no election', () => {
    const group = cluster(multiPaxos({ n: 4, initialMembers: [0, 1, 2] }));
    group.timeout(0, 'election');
    group.packets.length = 0;
    const { ballot } = group.view(0);
    const { early } = group.wouldAnswer(1, 0, promise(ballot));
    expect(early).toEqual([1, 2, 3].map((to) => ({ to, message: heartbeat(ballot, 0, 1) })));
    group.inject(1, 0, promise(ballot));
    expect([...(group.nodes[0]?.timers.keys() ?? [])].sort()).toEqual([
      'check-quorum',
      'heartbeat',
    ]);
    expect([...group.view(0).contacts.keys()]).toEqual([1, 2, 3]);
    expect(group.nodes[0]?.machine.status()).toEqual({ leader: 0, term: ballot, role: 'leader' });
  });
});

describe('a command', () => {
  test('waits at a leader only while there is room for it, to the byte', () => {
    const group = led({ pipeline: 1 });
    group.propose(0, 'first');
    let room = uncommittedBytes;
    for (const parts of [8, 1])
      for (let each = ofParts(parts); room >= 2 * requestBytes(each); each = ofParts(parts)) {
        group.request(0, each);
        room -= requestBytes(each);
      }
    const last = (bytes: number): Signed<Request> => {
      const request = { ...command(''), operations: [new Uint8Array(0)] };
      return { ...request, operations: [new Uint8Array(bytes - requestBytes(request))] };
    };
    group.request(0, last(room - 60_000));
    const before = group.view(0).waiting.length;
    group.request(0, last(60_001));
    expect(group.view(0)).toMatchObject({ waitingBytes: uncommittedBytes - 60_000 });
    group.request(0, last(60_000));
    group.propose(0, '');
    const { waiting, waitingBytes } = group.view(0);
    expect([waiting.length, waitingBytes]).toEqual([before + 1, uncommittedBytes]);
  });

  test('waits at a leader only while few enough do', () => {
    const group = led({ pipeline: 1, maxWaiting: 2 });
    for (const text of ['open', 'a', 'b', 'c']) group.propose(0, text);
    expect(group.view(0).waiting).toHaveLength(2);
  });

  test('gets a slot once, also where others of its client or its batch are under way', () => {
    const group = led({ pipeline: 1 });
    const [one, two, other] = ['x', 'y', 'z'].map(command) as [
      Signed<Request>,
      Signed<Request>,
      Signed<Request>,
    ];
    group.propose(0, 'open');
    for (const each of [one, two]) group.request(0, each);
    group.settle();
    group.propose(0, 'next');
    group.request(0, other);
    group.settle(({ message }) => message.kind !== 'accepted');
    const { open, waiting } = group.view(0);
    expect([open.size, waiting.length]).toEqual([1, 1]);
    group.request(0, { ...other, client: other.client + 1, from: other.client + 1 });
    expect(group.view(0).waiting).toHaveLength(2);
  });

  test('that a promise has told of is not proposed a second time', () => {
    const group = cluster(multiPaxos({ n: 3, alpha: 1 }));
    group.timeout(0, 'election');
    group.packets.length = 0;
    const asked = ['a', 'b'].map(command);
    const votes = asked.map((each, slot) => ({ slot, ballot: 1, value: [each] }));
    group.inject(1, 0, promise(3, { votes }));
    expect([...group.view(0).open.keys()]).toEqual([0]);
    for (const each of asked) group.request(0, each);
    expect(group.view(0).waiting).toEqual([]);
    group.settle();
    group.fire(0, 'heartbeat');
    group.settle();
    expect(group.nodes[1]?.decided).toEqual(['a', 'b']);
  });

  test('shares a slot as long as that holds it, to the byte', () => {
    const size = requestBytes(ofParts(5));
    for (const [maxBytesPerSlot, shares] of [
      [2 * size, [2, 1]],
      [2 * size - 1, [1, 1, 1]],
    ] as const) {
      const group = led({ pipeline: 1, maxBytesPerSlot });
      group.propose(0, 'open');
      for (let i = 0; i < 3; i++) group.request(0, ofParts(5));
      const sent: number[] = [];
      group.settle(({ to, message }) => {
        if (to === 1 && message.kind === 'accept') sent.push(message.value.length);
        return true;
      });
      expect(sent).toEqual([1, ...shares]);
    }
  });

  test('to change the group has a slot of its own, after what came before it', () => {
    const group = led({ n: 4, initialMembers: [0, 1, 2], alpha: 2, pipeline: 1 });
    group.propose(0, 'open');
    group.propose(0, 'a');
    group.change(0, [0, 1, 2, 3]);
    group.propose(0, 'b');
    for (let i = 0; i < 3; i++) {
      group.settle();
      group.fire(0, 'heartbeat');
    }
    expect(group.nodes[0]?.decided).toEqual(['open', 'a', '*', 'b']);
  });

  test('to change the group waits until what earlier leaders decided is known', () => {
    const group = cluster(multiPaxos({ n: 4, initialMembers: [0, 1, 2] }));
    group.timeout(0, 'election');
    group.packets.length = 0;
    const value = [command('a')];
    group.inject(1, 0, promise(4, { votes: [{ slot: 0, ballot: 1, value }] }));
    group.request(0, changeOf([0, 1, 2, 3]));
    expect(group.view(0)).toMatchObject({ role: 'leader', waiting: [{}], nextSlot: 1 });
    group.settle();
    expect(group.nodes[0]?.decided.slice(0, 2)).toEqual(['a', '*']);
  });
});

describe('a proposal', () => {
  test('goes to the members of its group, and to the leader itself by way of its disk', () => {
    const group = led({ n: 4, initialMembers: [0, 1, 2] });
    const { early, sends } = group.wouldDo(0, { type: 'propose', command: command('a') });
    expect([proposals(early), proposals(sends)]).toEqual([
      [
        [1, 0],
        [2, 0],
      ],
      [[0, 0]],
    ]);
  });

  test('is decided by a quorum of distinct voters in its ballot, who are named', () => {
    const group = led({ n: 5 });
    const { ballot } = group.view(0);
    group.propose(0, 'a');
    for (const from of [1, 1, 0]) group.inject(from, 0, accepted(ballot, 0));
    for (const each of [ballot - 1, ballot + 1]) group.inject(2, 0, accepted(each, 0));
    expect(group.nodes[0]?.decided).toEqual([]);
    const [decision] = group.wouldAnswer(3, 0, accepted(ballot, 0)).decisions;
    expect(decision).toMatchObject({ slot: 0, voters: [0, 1, 3] });
  });

  test('that others have chosen is on the disk of its leader when that decides', () => {
    const group = cluster(multiPaxos({ n: 3 }), { instantSync: false });
    group.timeout(0, 'election');
    for (let i = 0; i < 6; i++) {
      for (const node of group.nodes) node.finishSync?.();
      group.settle();
    }
    const { ballot } = group.view(0);
    // Its own vote for the second waits until that for the first is on its disk.
    const request = command('b');
    group.propose(0, 'a');
    group.request(0, request);
    for (const from of [1, 2]) group.inject(from, 0, accepted(ballot, 0));
    group.inject(1, 0, accepted(ballot, 1));
    const { writes, decisions } = group.wouldAnswer(2, 0, accepted(ballot, 1));
    expect(decisions).toMatchObject([{ slot: 1, commands: [request] }]);
    expect(writes).toEqual([
      { type: 'put', table: 'accepted', index: 1, row: { ballot, value: [request] } },
      { type: 'save', registers: { chosenBelow: 2 } },
    ]);
  });

  test('is repeated to whoever answered a later heartbeat and not it, once a round', () => {
    const group = led({ n: 5 });
    const { ballot, round } = group.view(0);
    group.propose(0, 'a');
    group.packets.length = 0;
    const again = (): unknown[] => {
      const found = proposals(group.wouldDo(0, beat).early);
      group.fire(0, 'heartbeat');
      return found;
    };
    // 1 has accepted, 2 has lost it, 3 answered an earlier round, and 4 says nothing.
    group.inject(1, 0, accepted(ballot, 0));
    expect(again()).toEqual([]);
    for (const from of [1, 2]) group.inject(from, 0, answered(ballot, round + 1));
    group.inject(3, 0, answered(ballot, round));
    expect(again()).toEqual([[2, 0]]);
    expect(again()).toEqual([]);
    group.inject(2, 0, answered(ballot, round + 2));
    expect(again()).toEqual([]);
    group.inject(2, 0, answered(ballot, round + 3));
    expect(again()).toEqual([[2, 0]]);
  });

  test('is repeated no more when it is chosen, although an earlier slot is not', () => {
    const group = led({ maxCommandsPerSlot: 1 });
    const { ballot, round } = group.view(0);
    for (const text of ['a', 'b']) group.propose(0, text);
    group.inject(1, 0, accepted(ballot, 1));
    group.fire(0, 'heartbeat');
    group.inject(2, 0, answered(ballot, round + 1));
    expect(proposals(group.wouldDo(0, beat).early)).toEqual([[2, 0]]);
  });
});

describe('a leader', () => {
  test('stays while a quorum of the group answers, each within a timeout', () => {
    const group = led({ n: 5, initialMembers: [0, 1, 2] });
    const { ballot } = group.view(0);
    group.now += 1_000_000;
    const isLeft = (): boolean =>
      group.wouldDo(0, check).timers.some(({ type }) => type === 'clear');
    group.propose(0, 'a');
    group.fire(0, 'heartbeat');
    const { round } = group.view(0);
    // Those who are no members do not make a quorum.
    for (const from of [3, 4]) group.inject(from, 0, answered(ballot, round));
    expect(isLeft()).toBe(true);
    group.inject(1, 0, answered(ballot, round));
    expect(group.wouldDo(0, check).timers).toEqual([
      { type: 'set', timer: 'check-quorum', after: 300_000 },
    ]);
    group.now += 299_999;
    expect(isLeft()).toBe(false);
    group.now += 1;
    expect(isLeft()).toBe(true);
    // A vote is an answer too.
    group.inject(2, 0, accepted(ballot, 0));
    expect(isLeft()).toBe(false);
  });

  test('that makes room says nothing more, and waits like the others', () => {
    const group = led();
    group.propose(0, 'a');
    group.now += 1_000_000;
    group.fire(0, 'check-quorum');
    expect(group.nodes[0]?.machine.status()).toEqual({ term: 3, role: 'follower' });
    expect([...(group.nodes[0]?.timers.keys() ?? [])]).toEqual(['election']);
    expect(group.view(0)).toMatchObject({ reads: [], readRound: null, round: 0, waiting: [] });
  });

  test('that the group leaves behind tells all what is chosen, and leads no more', () => {
    const group = led({ n: 4, alpha: 1, initialMembers: [0, 1, 2] });
    group.change(0, [1, 2, 3]);
    group.settle(({ message }) => message.kind !== 'accepted');
    const { ballot, round } = group.view(0);
    const { early, timers } = group.wouldAnswer(1, 0, accepted(ballot, 0));
    const word = heartbeat(ballot, 1, round + 1);
    expect(early).toEqual([1, 2, 3].map((to) => ({ to, message: word })));
    expect(timers.map(({ type, timer }) => `${type} ${timer}`)).toContain('clear heartbeat');
  });

  test('has no room for an endless number of reads, and one round at a time', () => {
    const group = led({ maxReads: 3 });
    for (let id = 0; id < 6; id++) group.step(0, { type: 'read', id });
    expect(group.view(0)).toMatchObject({ reads: [1, 2], readRound: { ids: [0] } });
    group.settle();
    expect(group.nodes[0]?.reads.map(({ id }) => id)).toEqual([0, 1, 2]);
    const one = cluster(multiPaxos({ n: 1 }));
    one.elect(0);
    one.step(0, { type: 'read', id: 7 });
    expect(one.nodes[0]?.reads).toEqual([{ id: 7, upTo: -1 }]);
    group.step(1, { type: 'read', id: 8 });
    expect(group.view(1).reads).toEqual([]);
  });
});
