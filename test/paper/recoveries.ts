/** Recoveries of EPaxos* that no world finds by chance, played as schedules. */
import { playExhibit } from '@quorumlab/adversary';
import type { Exhibit, ReplicaId, Stage, Which } from '@quorumlab/core';
import { type Epaxos, type EpaxosOptions, epaxos } from '@quorumlab/epaxos';
import { exhibits } from '@quorumlab/epaxos/mutants';
import { kv } from '@quorumlab/log';
import { digestOf } from '@quorumlab/wire';

type Group = Stage<Epaxos>;

const from =
  (...seats: readonly ReplicaId[]): Which<Epaxos> =>
  (flight) =>
    seats.includes(flight.from) && seats.includes(flight.to);
const preAccepts: Which<Epaxos> = ({ message }) => message.kind === 'pre-accept';

/** A client asks `leader`, and only `seats` hear of it. */
function open(group: Group, leader: ReplicaId, text: string, ...seats: ReplicaId[]): void {
  group.propose([leader], text);
  group.settle((flight) => preAccepts(flight) && seats.includes(flight.to));
}

/** `id` asks in vain what became of an instance, and begins to recover it with `seats`. */
function recover(group: Group, id: ReplicaId, ...seats: ReplicaId[]): void {
  for (let i = 0; i < 2; i++) {
    group.lose();
    group.wait(2_000_000);
    group.fire(id, 'tick');
  }
  group.settle(from(id, ...seats));
}

/** It waits for Bob, of whom 3 has heard; then the leader of Ann answers. */
function lateLeader(group: Group): void {
  open(group, 0, 'Ann', 1, 2);
  open(group, 3, 'Bob');
  recover(group, 1, 2, 3);
  group.wait(1_000_000);
  group.fire(1, 'tick');
  group.settle(from(0, 1));
}

/** Ann and Bob are both in doubt; Bob waits with so many that Ann cannot have been committed. */
function twoInDoubt(group: Group): void {
  open(group, 0, 'Ann', 1, 2);
  open(group, 6, 'Bob', 3, 4, 5);
  group.lose();
  recover(group, 3, 4, 5, 1);
  const said = group.hold();
  recover(group, 1, 2, 6, 5);
  group.release(said);
  group.wait(1_000_000);
  group.fire(3, 'tick');
  group.settle(from(1, 3));
}

const schedules: readonly Exhibit<Epaxos, EpaxosOptions>[] = [
  { options: { n: 5 }, shows: 'stalled', story: '', play: lateLeader },
  { options: { n: 7 }, shows: 'stalled', story: '', play: twoInDoubt },
  ...Object.values(exhibits),
];

/** The lines that run in them. */
export function recoveries(): readonly string[] {
  const lines: string[] = [];
  for (const schedule of schedules)
    playExhibit(schedule, epaxos(schedule.options), {
      digest: digestOf,
      operation: (text) => kv.put('x', text),
      watch: { stepped: (_step, _member, output) => void lines.push(...output.lines) },
    });
  return lines;
}
