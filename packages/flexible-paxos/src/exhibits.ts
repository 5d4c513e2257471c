/** The schedules that expose the mutants: the right protocol survives each of them. */
import type { Exhibit, ReplicaId, Stage, Which } from '@quorumlab/core';
import type { Options } from './group.ts';
import type { FlexiblePaxos } from './state.ts';

type Group = Stage<FlexiblePaxos>;

/** Messages between these replicas only. */
const among =
  (...seats: readonly ReplicaId[]): Which<FlexiblePaxos> =>
  ({ from, to }) =>
    seats.includes(from) && seats.includes(to);

/** `id` tries to lead with the help of `seats`; again if its ballot is below what they promised. */
function elect(group: Group, id: ReplicaId, ...seats: readonly ReplicaId[]): void {
  for (let i = 0; i < 3 && group.view(id).role !== 'leader'; i++) {
    group.timeout(id, 'election');
    group.settle(among(...seats));
  }
}

/** A client asks `id` for `text`, and only `seats` hear of it. */
function write(group: Group, id: ReplicaId, text: string, ...seats: readonly ReplicaId[]): void {
  group.propose([id], text);
  group.settle(among(...seats));
}

/** By the names of the mutants. */
export const exhibits: Readonly<Record<string, Exhibit<FlexiblePaxos, Options>>> = {
  'disjoint-quorums': {
    options: { n: 5 },
    shows: 'forked',
    story: 'n0 is elected by two and writes Ann among three; n4 is elected by the other two.',
    play(group) {
      elect(group, 0, 0, 1);
      write(group, 0, 'Ann', 0, 1, 2);
      elect(group, 4, 3, 4);
      write(group, 4, 'Bob', 2, 3, 4);
    },
  },
  'rows-for-both': {
    options: { n: 4, grid: '2x2' },
    shows: 'forked',
    story: 'Each row of the grid elects a leader of its own and writes what that one says.',
    play(group) {
      elect(group, 0, 0, 1);
      write(group, 0, 'Ann', 0, 1);
      elect(group, 3, 2, 3);
      write(group, 3, 'Bob', 2, 3);
    },
  },
  'live-resize': {
    options: { n: 5, q1: 4, q2: 2 },
    shows: 'forked',
    story: 'n3 and n4 already go by quorums of 4 and 2, the others by 3 and 3.',
    play(group) {
      elect(group, 4, 1, 2, 3, 4);
      write(group, 4, 'Ann', 3, 4);
      elect(group, 0, 0, 1, 2);
      write(group, 0, 'Bob', 0, 1, 2);
    },
  },
};
