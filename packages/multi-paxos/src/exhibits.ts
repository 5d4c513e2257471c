/** The schedules that expose the mutants: the right protocol survives each of them. */
import type { Exhibit, ReplicaId, Stage, Which } from '@quorumlab/core';
import { encodeChange } from './configuration.ts';
import type { Options } from './group.ts';
import type { MultiPaxos } from './state.ts';

type Group = Stage<MultiPaxos>;

/** Messages between these replicas only. */
const among =
  (...seats: readonly ReplicaId[]): Which<MultiPaxos> =>
  ({ from, to }) =>
    seats.includes(from) && seats.includes(to);

/** `id` runs for leader, heard by `seats`. */
function elect(group: Group, id: ReplicaId, ...seats: readonly ReplicaId[]): void {
  group.timeout(id, 'election');
  group.settle(among(...seats));
}

/** A client asks `id` for `text`, and only `seats` hear of it. */
function write(group: Group, id: ReplicaId, text: string, ...seats: readonly ReplicaId[]): void {
  group.propose([id], text);
  group.settle(among(...seats));
}

/** The commit notice of `id` reaches `seats`, and what is missing is asked for. */
function spread(group: Group, id: ReplicaId, ...seats: readonly ReplicaId[]): void {
  group.fire(id, 'heartbeat');
  group.settle(among(...seats));
  for (const each of seats) {
    if (group.due(each, 'catch-up') !== undefined) group.fire(each, 'catch-up');
    group.settle(among(...seats));
  }
}

/** A client asks `id` to make the group `members`. */
const change = (group: Group, id: ReplicaId, ...members: readonly ReplicaId[]): void =>
  group.propose([id], `the group is ${members.join(', ')}`, {
    configuration: encodeChange(members, ''),
  });

/**
 * Slot 0 is a change of the group to {2,3,4}, slot 1 is Ann: 0 and 1 have voted for both. Replica 3
 * hears from 0 that slot 0 is chosen. Then 0 is gone; 1 leads the old group and completes both
 * slots, the later one first, and 3 leads the new one.
 */
function twoGroups(group: Group): void {
  elect(group, 0, 0, 1, 2);
  change(group, 0, 2, 3, 4);
  group.propose([0], 'Ann');
  group.pass(({ to }) => to === 1);
  group.pass(({ to }) => to === 0);
  group.lose();
  group.fire(0, 'heartbeat');
  group.pass(({ to }) => to === 3);
  group.fire(3, 'catch-up');
  for (let i = 0; i < 2; i++) group.pass(among(0, 3));
  group.lose();
  group.crash(0);
  group.timeout(1, 'election');
  const votes: Which<MultiPaxos> = ({ message }) => message.kind === 'accepted';
  group.deliver((flight) => among(1, 2)(flight) && !votes(flight));
  group.release([...group.hold((flight) => among(1, 2)(flight) && votes(flight))].reverse());
  group.settle((flight) => among(1, 2)(flight) && votes(flight));
  // It has just heard the old leader, and waits once more.
  for (let i = 0; i < 2; i++) elect(group, 3, 3, 4);
  write(group, 3, 'Bob', 3, 4);
}

/**
 * Replica 1 sleeps through the change to {0,2,3}, and gets a snapshot that is later. Replicas 0 and
 * 1 are no quorum of the new group.
 */
function oldGroup(group: Group): void {
  elect(group, 0, 0, 1, 2);
  change(group, 0, 0, 2, 3);
  for (let i = 0; i < 6; i++) {
    group.settle(among(0, 2, 3));
    spread(group, 0, 0, 2, 3);
    group.propose([0], `Ann ${i}`);
  }
  group.settle(among(0, 2, 3));
  spread(group, 0, 0, 2, 3);
  spread(group, 0, 0, 1, 2, 3);
  group.install(1);
  group.settle(among(0, 1));
  // The new group decides Bob without 1, which then runs for leader with 0's old group in mind.
  write(group, 0, 'Bob', 0, 3);
  spread(group, 0, 0, 3);
  for (let i = 0; i < 3; i++) elect(group, 1, 1, 2);
  write(group, 1, 'Cleo', 1, 2);
}

/** n0 leads, has written Ann, and goes on for longer than a lease; n2 hears none of it. */
function leased(group: Group): void {
  elect(group, 0, 0, 1, 2);
  write(group, 0, 'Ann', 0, 1, 2);
  for (let i = 0; i < 11; i++) {
    group.timeout(0, 'heartbeat');
    group.settle(among(0, 1));
  }
}

/** n2 leads by the promise of n1 and writes Bob; a client whom n0 still hears asks it to read. */
function rival(group: Group): void {
  group.fire(2, 'election');
  group.settle(among(1, 2));
  write(group, 2, 'Bob', 1, 2);
  group.read(0);
  group.settle(among(1, 2));
}

/** By the names of the mutants. */
export const exhibits: Readonly<Record<string, Exhibit<MultiPaxos, Options>>> = {
  'gap-noop': {
    options: { n: 3, maxCommandsPerSlot: 1 },
    shows: 'forked',
    selfAtOnce: true,
    story:
      'Ann is chosen by n0 and n1, Bob behind it by n0 and n2; n2 leads without asking for Ann.',
    play(group) {
      elect(group, 0, 0, 1, 2);
      write(group, 0, 'Ann', 0, 1);
      write(group, 0, 'Bob', 0, 2);
      group.crash(0);
      elect(group, 2, 1, 2);
      spread(group, 2, 1, 2);
    },
  },
  'alpha-ignored': {
    options: { n: 5, f: 1, alpha: 4, initialMembers: [0, 1, 2], maxCommandsPerSlot: 1 },
    shows: 'forked',
    selfAtOnce: true,
    story:
      'The old group chooses a change and Ann behind it; the new one knows only of the change.',
    play: twoGroups,
  },
  'commit-by-index': {
    options: { n: 3, maxCommandsPerSlot: 1 },
    shows: 'forked',
    selfAtOnce: true,
    story:
      'n0 alone voted for Ann; Bob is chosen there, and n0 is told that the position is chosen.',
    play(group) {
      elect(group, 0, 0, 1, 2);
      write(group, 0, 'Ann', 0);
      group.crash(0);
      elect(group, 1, 1, 2);
      write(group, 1, 'Bob', 1, 2);
      group.restart(0);
      spread(group, 1, 0, 1, 2);
    },
  },
  'first-value': {
    options: { n: 3 },
    shows: 'forked',
    selfAtOnce: true,
    story: 'Bob is chosen; n0 leads again and hears of its own older vote for Ann first.',
    play(group) {
      elect(group, 0, 0, 1, 2);
      write(group, 0, 'Ann', 0);
      group.crash(0);
      elect(group, 1, 1, 2);
      write(group, 1, 'Bob', 1, 2);
      group.crash(1);
      group.restart(0);
      for (let i = 0; i < 2; i++) elect(group, 0, 0, 2);
      spread(group, 0, 0, 2);
    },
  },
  amnesia: {
    options: { n: 3, maxCommandsPerSlot: 1 },
    shows: 'forked',
    selfAtOnce: true,
    story: 'Ann is chosen by n0 and n1; n1 forgets it in a crash, and elects n2.',
    play(group) {
      elect(group, 0, 0, 1, 2);
      write(group, 0, 'Ann', 0, 1);
      group.crash(1);
      group.restart(1);
      for (let i = 0; i < 2; i++) elect(group, 2, 1, 2);
      write(group, 2, 'Bob', 1, 2);
    },
  },
  'snapshot-without-configuration': {
    options: { n: 4, f: 1, alpha: 1, initialMembers: [0, 1, 2], snapshotEvery: 4, keepSlots: 0 },
    shows: 'forked',
    selfAtOnce: true,
    story:
      'n1 sleeps while the group becomes n0, n2, n3, wakes by a snapshot, and leads the old one.',
    play: oldGroup,
  },
  'lease-forgotten': {
    options: { n: 3, reads: 'lease' },
    shows: 'stale-read',
    selfAtOnce: true,
    story:
      'n0 leads with a lease of n1, which is restarted and elects n2; a client asks n0 for a read.',
    play(group) {
      leased(group);
      group.restart(1);
      rival(group);
    },
  },
  'lease-from-answer': {
    options: { n: 3, reads: 'lease' },
    shows: 'stale-read',
    selfAtOnce: true,
    story:
      'What n1 grants n0 arrives when it is nearly over; n1 then elects n2, and n0 still reads.',
    play(group) {
      leased(group);
      group.timeout(0, 'heartbeat');
      group.pass(among(0, 1));
      group.lose(({ to }) => to === 2);
      group.wait(250_000);
      group.settle(among(0, 1));
      group.wait(60_000);
      rival(group);
    },
  },
};
