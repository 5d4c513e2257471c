/** The schedules that expose the mutants: the right protocol survives each of them. */
import type { Exhibit, ReplicaId, Stage, Which } from '@quorumlab/core';
import type { Options } from './group.ts';
import type { Epaxos } from './state.ts';

type Group = Stage<Epaxos>;

/** Messages between these replicas only. */
const among =
  (...seats: readonly ReplicaId[]): Which<Epaxos> =>
  ({ from, to }) =>
    seats.includes(from) && seats.includes(to);

/** Messages of these kinds. */
const kinds =
  (...names: readonly Epaxos['Message']['kind'][]): Which<Epaxos> =>
  ({ message: { kind } }) =>
    names.includes(kind);

const both =
  (one: Which<Epaxos>, other: Which<Epaxos>): Which<Epaxos> =>
  (flight) =>
    one(flight) && other(flight);

/** Longer than any timeout of a recovery. */
const long = 2_000_000;

/** Time passes, and `id` looks after what it does not know; nothing else is under way. */
function lookAfter(group: Group, id: ReplicaId): void {
  group.lose();
  group.wait(long);
  group.fire(id, 'tick');
}

/** `id` asks in vain what became of an instance, and begins to recover it. */
function recover(group: Group, id: ReplicaId): void {
  for (let i = 0; i < 2; i++) lookAfter(group, id);
}

/** The fast path has been waited for. */
function late(group: Group, id: ReplicaId): void {
  group.wait(long);
  group.fire(id, 'grace');
}

/** About the first instance of replica 0. */
const first: Which<Epaxos> = ({ message }) => 'instance' in message && message.instance === 0;

/**
 * Sutra's counterexample, for this recovery. Bob interferes, so Ann takes the slow path, and is
 * accepted by replica 0 alone, in ballot 0. Replica 1 recovers her with 2: both accept a no-op in
 * ballot 4, and that is chosen, which nobody knows yet. Replica 0 joins ballot 6 of its own, of
 * which nobody hears, and then recovers with 2.
 */
function overwritten(group: Group): void {
  group.propose([2], 'Bob');
  group.settle(both(among(1, 2), kinds('pre-accept')));
  group.propose([0], 'Ann');
  group.settle(kinds('pre-accept', 'pre-accept-ok'));
  recover(group, 1);
  group.deliver((flight) => first(flight) && among(1, 2)(flight) && !kinds('accept-ok')(flight));
  const chosen = group.hold((flight) => first(flight) && kinds('accept-ok')(flight));
  lookAfter(group, 0);
  group.settle(both(among(0, 1), kinds('accept', 'nack')));
  recover(group, 0);
  group.lose();
  group.restart(0);
  recover(group, 0);
  group.settle(both(among(0, 2), first));
  group.release(chosen);
  group.settle();
  for (const id of [2, 0, 1, 2, 0, 1]) {
    lookAfter(group, id);
    group.settle();
  }
  group.propose([1], 'Cid');
  group.settle();
}

/** Ann and Bob depend on each other, and each is known to be committed where it was asked for. */
function mutual(group: Group): void {
  group.propose([0], 'Ann');
  group.propose([1], 'Bob');
  group.deliver(both(among(0, 1), kinds('pre-accept', 'pre-accept-ok')));
  group.lose();
  for (const id of [0, 1]) late(group, id);
  group.deliver(both(among(0, 1), kinds('accept', 'accept-ok')));
  group.settle(among(0, 1));
}

/** Ann and Bob are named to each other by 0 and 1; 2 has heard of Ann alone, and 3 of Bob alone. */
function toldApart(group: Group): void {
  group.propose([0], 'Ann');
  group.propose([1], 'Bob');
  group.pass((flight) => [0, 1].includes(flight.to) || flight.to === flight.from + 2);
  group.settle(kinds('pre-accept-ok'));
  for (const id of [0, 1]) late(group, id);
  group.settle();
}

/**
 * Cid is open at 1, known to 2; Ann is committed by 2 and 0 with Cid before her. Now Bob, asked for
 * later, is committed with Ann before him, and Cid with both: all three depend on each other.
 */
function answeredTooSoon(group: Group): void {
  group.propose([1], 'Cid');
  const late0 = group.hold(({ to }) => to === 0);
  group.deliver(kinds('pre-accept'));
  group.lose();
  group.propose([2], 'Ann');
  group.settle(among(0, 2));
  group.propose([0], 'Bob');
  group.settle(among(0, 2));
  late(group, 0);
  group.settle(among(0, 2));
  group.release(late0);
  group.settle(among(0, 1));
  late(group, 1);
  group.settle();
  for (const id of [0, 1, 2, 0, 1, 2]) {
    lookAfter(group, id);
    group.settle();
  }
}

/**
 * Ann is pre-accepted by 0 and 1 alone, without dependencies; Bob is committed by 4, 2 and 3, which
 * have not heard of her. Then 0 is gone, and 1 recovers Ann with 2 and 3.
 */
function unheard(group: Group): void {
  group.propose([0], 'Ann');
  group.settle(both(among(0, 1), kinds('pre-accept')));
  group.crash(0);
  group.propose([4], 'Bob');
  group.settle(among(2, 3, 4));
  recover(group, 1);
  group.settle(among(1, 2, 3));
  for (const id of [1, 2, 3, 4, 1, 2, 3, 4]) {
    lookAfter(group, id);
    group.settle(among(1, 2, 3, 4));
  }
}

/** Each replica is asked for something in every round, and messages take a round. */
function endless(group: Group): void {
  for (let round = 0; round < 40; round++) {
    const earlier = group.hold();
    for (const id of [0, 1, 2]) group.propose([id], `${round} of ${id}`);
    const later = group.hold();
    group.release(earlier);
    group.pass();
    group.release(later);
  }
  group.expect(
    group.decided(0) > 0,
    'liveness',
    'requests came for 40 rounds, and nothing was executed',
  );
}

/** By mutant. */
export const exhibits: Readonly<Record<string, Exhibit<Epaxos, Options>>> = {
  'ballot-overwrite': {
    options: { n: 3 },
    shows: 'forked',
    story:
      'A no-op is chosen in ballot 4; who has accepted Ann in ballot 0 joins ballot 6, and says ' +
      'that it accepted her in that.',
    play: overwritten,
  },
  'execute-early': {
    options: { n: 3 },
    shows: 'forked',
    story: 'Two commands depend on each other, and each is known first where it was asked for.',
    play: mutual,
  },
  'forked-commit': {
    options: { n: 5 },
    shows: 'forked',
    story:
      'Ann and Bob depend on each other; n2 is told that nothing comes before Ann, and n3 that ' +
      'nothing comes before Bob.',
    play: toldApart,
  },
  'early-ack': {
    options: { n: 3 },
    shows: 'forked',
    story:
      'n2 answers Ann while Cid, who comes before her, is open; Bob is asked for afterwards, and ' +
      'n0 runs him before her.',
    play: answeredTooSoon,
  },
  'no-validation': {
    options: { n: 5 },
    shows: 'forked',
    story:
      'A command that one replica has pre-accepted unchanged is recovered, and one that ' +
      'interferes was committed without it meanwhile.',
    play: unheard,
  },
  'no-back-pressure': {
    options: { n: 3, pipeline: 2 },
    shows: 'stalled',
    story: 'Whatever is committed depends on something newer, which is not, for ever.',
    play: endless,
  },
};
