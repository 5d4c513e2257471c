/** The schedules that expose the mutants: the right protocol survives each of them. */
import type { Exhibit, ReplicaId, Stage, Which } from '@quorumlab/core';
import type { Options } from './group.ts';
import type { BasicPaxos } from './state.ts';

type Group = Stage<BasicPaxos>;
type Kind = BasicPaxos['Message']['kind'];

/** Messages of one kind to these replicas only, whoever sends them. */
const to =
  (kind: Kind, ...seats: readonly ReplicaId[]): Which<BasicPaxos> =>
  (flight) =>
    flight.message.kind === kind && seats.includes(flight.to);

/** Phase 1 of the ballot that `id` has just begun ends among `seats`. */
function promise(group: Group, id: ReplicaId, ...seats: readonly ReplicaId[]): void {
  group.pass(to('prepare', ...seats));
  for (const seat of seats)
    group.pass((flight) => to('promise', id)(flight) && flight.from === seat);
}

/** `id` proposes `text` and phase 1 ends among `seats`; phase 2 is under way. */
function prepare(group: Group, id: ReplicaId, text: string, ...seats: readonly ReplicaId[]): void {
  group.propose([id], text);
  promise(group, id, ...seats);
}

/** `accept` reaches `seats`, and `learner` alone hears of it: whoever knows an outcome tells it. */
function choose(group: Group, learner: ReplicaId, ...seats: readonly ReplicaId[]): void {
  group.pass(to('accept', ...seats));
  group.pass(to('accepted', learner));
  group.lose();
}

/** `id` tries until its number is above all others': a refused attempt would only tell it so. */
function again(group: Group, id: ReplicaId): void {
  for (let i = 0; i < 2; i++) {
    group.lose();
    group.timeout(id, 'retry');
  }
}

/** Everything that `id` asks for next, and the answers to it; what it then asks for waits. */
function turn(group: Group, id: ReplicaId): void {
  const asks = (kind: Kind): void =>
    group.pass(({ from, message }) => from === id && message.kind === kind);
  asks('accept');
  group.pass(({ message }) => message.kind === 'accepted');
  group.pass(to('nack', id));
  asks('prepare');
  group.pass(to('promise', id));
}

const retry = 40_000;
/** How long a phase takes: a quarter of the first wait. */
const phase = retry / 4;

/**
 * Replicas 0 and 2 want something else and hear everything; their phases alternate. One is lucky
 * and waits as briefly as it may, the other as long.
 */
function duel(group: Group, turns: number): void {
  group.propose([0], 'Ann');
  group.propose([2], 'Bob');
  const due = new Map<ReplicaId, number>();
  for (let now = 0; now < turns && group.answered === 0; now++) {
    const id = now % 2 === 0 ? 0 : 2;
    const isDue = (): boolean => group.view(id).phase === 'waiting' && now >= (due.get(id) ?? 0);
    if (isDue()) group.fire(id, 'retry');
    const { failures } = group.view(id);
    turn(group, id);
    if (group.view(id).failures === failures) continue;
    const [least, most] = group.due(id, 'retry') ?? [0, 0];
    due.set(id, now + Math.floor((id === 0 ? least : most) / phase));
    if (!isDue()) continue;
    group.fire(id, 'retry');
    turn(group, id);
  }
  // Who is left tells the others, and whoever lost proposes what was chosen.
  if (group.answered > 0) group.run(4 * retry);
  group.expect(
    group.answered > 0,
    'liveness',
    `two proposers have refused each other for ${turns} turns, and nothing is decided`,
  );
}

/** By the names of the mutants. */
export const exhibits: Readonly<Record<string, Exhibit<BasicPaxos, Options>>> = {
  amnesia: {
    options: { n: 3 },
    shows: 'forked',
    story: 'n1 accepts Ann, which is chosen by that, and forgets it in a crash; n2 chooses Bob.',
    play(group) {
      prepare(group, 0, 'Ann', 0, 1);
      choose(group, 0, 0, 1);
      group.restart(1);
      group.lose();
      prepare(group, 2, 'Bob', 1, 2);
      choose(group, 2, 1, 2);
    },
  },
  'ballot-reuse': {
    options: { n: 3 },
    shows: 'forked',
    story: 'n0 proposes Ann and, after a crash, Bob under one number; n1 cannot tell them apart.',
    play(group) {
      prepare(group, 0, 'Ann', 1, 2);
      group.pass(to('accept', 1));
      group.restart(0);
      group.lose();
      prepare(group, 0, 'Bob', 0, 2);
      choose(group, 0, 0, 2);
      prepare(group, 1, 'Cleo', 1, 2);
      choose(group, 1, 1, 2);
    },
  },
  'wrong-value-rule': {
    options: { n: 3 },
    shows: 'forked',
    story: 'Bob is chosen; n0 hears of Ann, of a lower number, first.',
    play(group) {
      prepare(group, 0, 'Ann', 0, 1);
      choose(group, 0, 0);
      prepare(group, 1, 'Bob', 1, 2);
      choose(group, 2, 1, 2);
      again(group, 0);
      promise(group, 0, 0, 1);
      choose(group, 0, 0, 1);
    },
  },
  'most-frequent-value': {
    options: { n: 5 },
    shows: 'forked',
    story: 'Bob is chosen; n0 hears of Ann, of a lower number, from two and of Bob from one.',
    play(group) {
      prepare(group, 0, 'Ann', 0, 1, 2);
      choose(group, 0, 0, 1);
      prepare(group, 2, 'Bob', 2, 3, 4);
      choose(group, 4, 2, 3, 4);
      again(group, 0);
      promise(group, 0, 0, 1, 2);
      choose(group, 0, 0, 1, 2);
    },
  },
  'highest-value': {
    options: { n: 3 },
    shows: 'forked',
    story: 'Ann is chosen; n0 hears of Bob too, which has a lower number and is the higher value.',
    play(group) {
      group.request('Ann');
      group.request('Bob'); // Of a later client, so it is the higher one.
      prepare(group, 0, 'Bob', 0, 1);
      choose(group, 0, 0);
      prepare(group, 1, 'Ann', 1, 2);
      choose(group, 2, 1, 2);
      again(group, 0);
      promise(group, 0, 1, 0);
      choose(group, 0, 0, 1);
    },
  },
  'learner-mixes-ballots': {
    options: { n: 3 },
    shows: 'forked',
    story: 'n1 adds up one vote for Ann of ballot 3 and one of ballot 6; neither has a majority.',
    play(group) {
      prepare(group, 0, 'Ann', 0, 1);
      group.pass(to('accept', 0));
      const votes = group.hold(to('accepted', 1));
      group.lose();
      prepare(group, 2, 'Bob', 1, 2);
      group.pass(to('accept', 2));
      group.lose();
      // The next ballot of replica 0 hears 0 and 1, takes Ann, and reaches 1 only.
      group.timeout(0, 'retry');
      promise(group, 0, 0, 1);
      group.pass(to('accept', 1));
      group.release(votes);
      group.pass(to('accepted', 1));
      group.lose();
      // Now 1 is away: the next ballot of replica 2 hears 0 and itself, and the newest is Bob.
      group.timeout(2, 'retry');
      promise(group, 2, 0, 2);
      choose(group, 0, 0, 2);
    },
  },
  'duel-without-backoff': {
    options: { n: 3, retry },
    shows: 'stalled',
    story: 'n0 wants Ann and n2 wants Bob; each prepares just before the other is accepted.',
    play: (group) => duel(group, 400),
  },
};
