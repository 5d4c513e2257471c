/** What a leader keeps, sends and counts: each seen in what one step of it would do. */
import { keptBehindBytes, type Request, type Signed, uncommittedBytes } from '@quorumlab/core';
import { among, command, links } from '@quorumlab/protocol-testing';
import { describe, expect, test } from 'vitest';
import { type Cluster, cluster, type Packet } from '../test/cluster.ts';
import { acknowledgement, append } from '../test/messages.ts';
import { type AppendEntries, type RaftOptions, raft } from './index.ts';
import { entryBytes } from './messages.ts';

const heartbeat = { type: 'timeout', timer: 'heartbeat' } as const;
const large = new Uint8Array(65_000);

/** A request of about `parts` times 65 kB, after an operation that a group can print. */
const ofParts = (parts: number): Signed<Request> => {
  const request = command('large');
  return { ...request, operations: [...request.operations, ...Array(parts).fill(large)] };
};

/** A group whose leader is 0, all of whom have its first entry. */
function led(options: Partial<RaftOptions> = {}): Cluster {
  const group = cluster(raft({ n: 3, ...options }));
  group.elect(0);
  return group;
}

const isHeartbeat = ({ message }: Packet): boolean =>
  message.kind !== 'append-entries' || message.entries.length === 0;

/** The appends that wait for `to`. */
const appendsTo = (group: Cluster, to: number): AppendEntries[] =>
  group.packets
    .filter((packet) => packet.to === to && packet.message.kind === 'append-entries')
    .map(({ message }) => message as AppendEntries);

describe('a new leader', () => {
  test('knows of the others only, and no election is due', () => {
    const group = led();
    expect([...group.view(0).pipelines.keys()]).toEqual([1, 2]);
    expect([...(group.nodes[0]?.timers.keys() ?? [])].sort()).toEqual([
      'check-quorum',
      'heartbeat',
    ]);
    group.fire(0, 'heartbeat');
    expect(group.nodes[0]?.timers.has('heartbeat')).toBe(true);
  });

  test('sends each one message until it knows where their logs are equal', () => {
    const group = led();
    group.elect(1, (packet) => isHeartbeat(packet));
    group.elect(1, (packet) => isHeartbeat(packet));
    expect(group.view(1).role).toBe('leader');
    for (const text of ['a', 'b', 'c']) group.propose(1, text);
    expect(group.packets).toEqual([]);
    expect(group.view(1).pipelines.get(0)).toMatchObject({ probing: true, inFlight: [{}] });
  });

  test('counts what it took over and is not committed, and nothing else', () => {
    const group = led();
    group.propose(0, 'committed');
    group.settle();
    group.timeout(0, 'heartbeat');
    group.settle();
    const open = command('open');
    group.request(0, open);
    group.settle(({ to }) => to === 1);
    for (let i = 0; i < 2; i++) group.elect(1, (packet) => isHeartbeat(packet));
    const { role, uncommitted, uncommittedBytes: bytes } = group.view(1);
    expect([role, uncommitted.size]).toEqual(['leader', 1]);
    expect(bytes).toBe(entryBytes(open));
  });
});

describe('a leader', () => {
  test('tells itself once how far it has written, and again if that is lost', () => {
    const group = led();
    group.settle();
    const toItself = { to: 0, message: acknowledgement(2) };
    const { machine } = group.nodes[0] ?? {};
    const clock = { earliest: group.now, latest: group.now };
    const propose = (text: string) =>
      machine?.step({ now: group.now, clock, event: { type: 'propose', command: command(text) } });
    expect(propose('a')?.sends).toEqual([toItself]);
    expect(propose('b')?.sends).toEqual([]);
    const again = group.wouldDo(0, heartbeat).sends;
    expect(again).toEqual([{ to: 0, message: acknowledgement(3) }]);
  });

  test('takes what fits among the uncommitted to the byte, and no more', () => {
    const group = led({ maxInFlight: 1000 });
    const isTaken = (request: Signed<Request>): boolean => {
      const before = group.packets.length;
      group.request(0, request);
      return group.packets.length > before;
    };
    let room = uncommittedBytes;
    for (const parts of [7, 1])
      for (let each = ofParts(parts); room >= 2 * entryBytes(each); each = ofParts(parts)) {
        expect(isTaken(each)).toBe(true);
        room -= entryBytes(each);
      }
    // What is left takes two: the first leaves no room for more than just the second.
    const last = (bytes: number): Signed<Request> => {
      const request = command('last');
      const long = { ...request, operations: [new Uint8Array(1_000)] };
      const rest = bytes - (entryBytes(long) - 1_000);
      return { ...request, operations: [new Uint8Array(rest)] };
    };
    expect(isTaken(last(room - 60_000))).toBe(true);
    expect(isTaken(last(60_001))).toBe(false);
    expect(isTaken(last(60_000))).toBe(true);
    expect(isTaken(command(''))).toBe(false);
  });

  test('fills an append to the byte, and always sends at least one entry', () => {
    const [one, two] = [ofParts(7), ofParts(7)];
    const both = entryBytes(one) + entryBytes(two);
    for (const [maxBytesPerAppend, entries] of [
      [both, 2],
      [both - 1, 1],
    ] as const) {
      const group = led({ maxInFlight: 1, maxBytesPerAppend });
      group.propose(0, 'first');
      for (const each of [one, two, ofParts(7)]) group.request(0, each);
      const sent: number[] = [];
      group.settle(({ to, message }) => {
        if (to === 1 && message.kind === 'append-entries') sent.push(message.entries.length);
        return true;
      });
      // The first fills no more than its own message, because the others came after it.
      expect(sent).toEqual(entries === 2 ? [1, 2, 1] : [1, 1, 1, 1]);
    }
  });

  test('gives a host one object to encode where several get the same heartbeat', () => {
    const { early } = led({ n: 5 }).wouldDo(0, heartbeat);
    expect(early.map(({ to }) => to)).toEqual([1, 2, 3, 4]);
    expect(new Set(early.map(({ message }) => message)).size).toBe(1);
  });

  test('sends what a follower has lost with the heartbeat that notices it, and then waits', () => {
    const group = led();
    group.settle();
    for (const text of ['a', 'b']) group.propose(0, text);
    group.packets.length = 0;
    group.timeout(0, 'heartbeat');
    group.settle(links([0, 1]));
    group.timeout(0, 'heartbeat');
    expect(appendsTo(group, 1).map(({ entries }) => entries.length)).toEqual([0, 2]);
    group.propose(0, 'c');
    expect(appendsTo(group, 1)).toHaveLength(2);
    // Who has answered nothing may have lost nothing.
    expect(appendsTo(group, 2).map(({ entries }) => entries.length)).toEqual([0, 1]);
  });
});

describe('for a follower that is behind, a leader', () => {
  const snapshots = { snapshotEvery: 10, keepEntries: 0 };
  const write = (group: Cluster, count: number, ...ids: number[]): void => {
    for (let i = 0; i < count; i++) {
      group.propose(0, `x${i}`);
      group.settle(among(...ids));
    }
  };

  test('keeps what it needs while it answers within a timeout', () => {
    for (const [silence, compacted] of [
      [299_999, 1],
      [300_000, 10],
    ] as const) {
      const group = led(snapshots);
      group.settle();
      expect(group.view(0).pipelines.get(2)?.heardAt).toBe(group.now);
      group.now += silence;
      write(group, 9, 0, 1);
      expect(group.view(0)).toMatchObject({
        snapshot: { index: 10 },
        compacted: { index: compacted },
      });
    }
  });

  test('keeps no more than 64 MiB, and tells it then of a later snapshot', () => {
    const group = led({ snapshotEvery: 100, keepEntries: 0, maxInFlight: 1 });
    group.settle();
    const lag = (count: number): void => {
      for (let i = 0; i < count; i++) {
        group.request(0, ofParts(7));
        group.settle((packet) => packet.to !== 2 || isHeartbeat(packet));
      }
    };
    // Views are copies; its disk is not.
    const compacted = (): number => group.nodes[0]?.disk.compacted.index ?? 0;
    lag(110);
    expect([group.nodes[0]?.disk.snapshot?.index, compacted()]).toEqual([100, 1]);
    lag(100);
    expect([group.nodes[0]?.disk.snapshot?.index, compacted()]).toEqual([200, 200]);
  });

  test('keeps a few entries behind each snapshot, in number and in bytes', () => {
    const group = led({ snapshotEvery: 40, keepEntries: 5 });
    write(group, 39, 0, 1, 2);
    expect(group.view(0).compacted.index).toBe(35);
    const other = led({ snapshotEvery: 40, keepEntries: 1000 });
    for (let i = 0; i < 39; i++) {
      other.request(0, ofParts(8));
      other.settle();
    }
    const kept = Math.floor(keptBehindBytes / entryBytes(ofParts(8)));
    expect(other.nodes[0]?.disk.compacted.index).toBe(40 - kept);
  });

  test('sends a snapshot exactly if it has dropped the entry before the next', () => {
    const group = led(snapshots);
    group.settle();
    group.now += 300_000;
    write(group, 9, 0, 1);
    expect(group.view(0).compacted.index).toBe(10);
    const next = (index: number): string[] => {
      group.packets.length = 0;
      group.inject(2, 0, acknowledgement(index));
      return group.packets.map(({ message }) => message.kind);
    };
    // At 9 the entry before the next is gone: whether it is the same could not be asked.
    expect(next(9)).toEqual(['install-snapshot']);
    write(group, 1, 0, 1);
    expect(next(10)).toEqual(['append-entries']);
  });

  test('asks in heartbeats about what is known to be equal, if it still has it', () => {
    const group = led(snapshots);
    group.settle();
    group.now += 300_000;
    write(group, 9, 0, 1);
    group.propose(0, 'y');
    group.packets.length = 0;
    const asked = (): unknown[] =>
      group
        .wouldDo(0, heartbeat)
        .early.filter(({ to }) => to === 2)
        .map(({ message }) => message);
    expect(asked()).toMatchObject([{ prevIndex: 0, prevTerm: 0, entries: [] }]);
    group.inject(2, 0, acknowledgement(10));
    expect(asked()).toMatchObject([{ prevIndex: 10, prevTerm: 1, entries: [] }]);
  });
});

describe('an answer to an append', () => {
  /** Leader 0 of three has four entries; what it sent has been lost. */
  function waiting(): Cluster {
    const group = led();
    group.settle();
    for (const text of ['a', 'b', 'c']) group.propose(0, text);
    group.packets.length = 0;
    return group;
  }

  test('counts no entry that the leader does not have, and no round that it has not begun', () => {
    const group = waiting();
    const before = group.view(0);
    group.inject(1, 0, acknowledgement(5));
    expect(group.view(0).matchIndex).toEqual(before.matchIndex);
    expect(group.view(0).nextIndex).toEqual(before.nextIndex);
    group.inject(1, 0, acknowledgement(4, { round: 1 }));
    expect(group.view(0)).toMatchObject({ commitIndex: 1, matchIndex: before.matchIndex });
    group.inject(1, 0, acknowledgement(4));
    expect(group.view(0).commitIndex).toBe(4);
  });

  test('that comes late takes nothing back', () => {
    const group = waiting();
    group.inject(1, 0, acknowledgement(3));
    group.inject(1, 0, acknowledgement(2));
    expect(group.view(0).matchIndex.get(1)).toBe(3);
    const { nextIndex, pipelines } = group.view(0);
    const refusal = { success: false, conflictIndex: 1 };
    for (const index of [2, 3, 5]) group.inject(1, 0, acknowledgement(index, refusal));
    expect(group.view(0)).toMatchObject({ nextIndex, pipelines });
    group.inject(1, 0, acknowledgement(4, { ...refusal, conflictIndex: 4 }));
    expect(group.view(0).nextIndex.get(1)).toBe(4);
    expect(group.view(0).pipelines.get(1)?.probing).toBe(true);
  });

  test('to an older question is not taken for one to that about the place asked now', () => {
    const group = waiting();
    group.inject(1, 0, acknowledgement(4, { success: false, conflictIndex: 3 }));
    expect(group.view(0).nextIndex.get(1)).toBe(3);
    group.inject(1, 0, acknowledgement(4, { success: false, conflictIndex: 2 }));
    group.inject(1, 0, acknowledgement(3, { success: false, conflictIndex: 2 }));
    expect(group.view(0).nextIndex.get(1)).toBe(3);
  });

  test.each([
    ['its log ends there', { conflictTerm: 0, conflictIndex: 3 }, 3],
    ['its log ends before what is known to be equal', { conflictTerm: 0, conflictIndex: 1 }, 2],
    ['it says more than it was asked', { conflictTerm: 0, conflictIndex: 9 }, 6],
    ['the leader has that term, and ends it earlier', { conflictTerm: 2, conflictIndex: 2 }, 4],
    ['the leader has not got that term', { conflictTerm: 3, conflictIndex: 5 }, 5],
    ['the leader has that term up to there', { conflictTerm: 4, conflictIndex: 2 }, 6],
  ])('that refuses at 6 moves on to the last place both can share: %s', (_, hint, next) => {
    const group = cluster(raft({ n: 3 }));
    const entries = [1, 2, 2, 4, 4, 4].map((term) => ({ term, command: null }));
    group.inject(1, 0, append({ term: 4, entries }));
    group.elect(0, (packet) => isHeartbeat(packet));
    group.packets.length = 0;
    const { currentTerm: term } = group.view(0);
    group.inject(1, 0, acknowledgement(1, { term }));
    expect(group.view(0).nextIndex.get(1)).toBe(7);
    group.inject(1, 0, acknowledgement(6, { term, success: false, ...hint }));
    expect(group.view(0).nextIndex.get(1)).toBe(next);
  });

  test('of the leader itself counts only in the term and the reign that it is of', () => {
    const group = cluster(raft({ n: 1 }), { instantSync: false });
    const node = group.nodes[0];
    group.timeout(0, 'election');
    node?.finishSync?.();
    expect(group.view(0)).toMatchObject({ role: 'leader', commitIndex: 0, log: { size: 1 } });
    for (const term of [0, 2]) group.inject(0, 0, acknowledgement(1, { term }));
    expect(group.view(0).commitIndex).toBe(0);
    group.inject(0, 0, acknowledgement(1));
    expect(group.view(0).commitIndex).toBe(1);
    const other = led();
    other.inject(1, 1, acknowledgement(1));
    expect(other.view(1)).toMatchObject({ role: 'follower', matchIndex: new Map() });
  });

  test('never moves back what is committed, whoever lost a disk meanwhile', () => {
    const group = led({ n: 5 });
    group.settle();
    for (const text of ['a', 'b', 'c']) group.propose(0, text);
    group.settle(among(0, 1, 2));
    expect(group.view(0).commitIndex).toBe(4);
    group.inject(1, 0, { kind: 'rejoin', nonce: 7, lastIndex: 0 });
    group.propose(0, 'd');
    expect(group.view(0)).toMatchObject({ commitIndex: 4, lastApplied: 4 });
  });

  test('makes a decision by the votes of those who hold the entry', () => {
    const group = waiting();
    const [decision] = group.wouldAnswer(2, 0, acknowledgement(2)).decisions;
    expect(decision).toMatchObject({ slot: 1, voters: [0, 2] });
  });

  test('opens no read before its round', () => {
    const group = waiting();
    group.step(0, { type: 'read', id: 7 });
    for (const from of [1, 2]) group.inject(from, 0, acknowledgement(1, { round: 2 }));
    for (const from of [1, 2]) group.inject(from, 0, acknowledgement(1));
    expect(group.nodes[0]?.reads).toEqual([]);
    group.inject(2, 0, acknowledgement(1, { round: 1 }));
    expect(group.nodes[0]?.reads).toEqual([{ id: 7, upTo: 0 }]);
  });
});

describe('a follower', () => {
  test('waits for a timeout from the last sign of life, without a timer for each', () => {
    const group = led();
    expect(group.wouldAnswer(0, 1, append()).timers).toEqual([]);
  });

  test('asks its leader about a read, also where it knows the newest commit', () => {
    const group = led();
    group.timeout(0, 'heartbeat');
    group.settle();
    expect(group.view(1).commitIndex).toBe(1);
    group.step(1, { type: 'read', id: 7 });
    expect(group.packets).toMatchObject([{ from: 1, to: 0, message: { kind: 'read-index' } }]);
    expect(group.view(1)).toMatchObject({ reads: [], readRound: null });
  });

  test('writes the new entries and nothing else', () => {
    const group = led();
    const entries = [1, 2].map(() => ({ term: 1, command: null }));
    const { writes } = group.wouldAnswer(0, 1, append({ prevIndex: 1, prevTerm: 1, entries }));
    expect(writes).toEqual(
      [2, 3].map((index, i) => ({ type: 'put', table: 'log', index, row: entries[i] })),
    );
  });

  test.each([
    [5, 3, { conflictTerm: 0, conflictIndex: 5 }],
    [9, 1, { conflictTerm: 0, conflictIndex: 5 }],
    [4, 3, { conflictTerm: 2, conflictIndex: 3 }],
    [3, 1, { conflictTerm: 2, conflictIndex: 3 }],
    [2, 2, { conflictTerm: 1, conflictIndex: 1 }],
  ])(
    'that cannot follow on (%i, %i) tells where the leader may try',
    (prevIndex, prevTerm, hint) => {
      const group = cluster(raft({ n: 3 }));
      const entries = [1, 1, 2, 2].map((term) => ({ term, command: null }));
      group.inject(0, 1, append({ term: 2, entries }));
      const message = append({ term: 3, prevIndex, prevTerm });
      expect(group.wouldAnswer(2, 1, message).sends).toEqual([
        { to: 2, message: acknowledgement(prevIndex, { term: 3, success: false, ...hint }) },
      ]);
    },
  );
});
