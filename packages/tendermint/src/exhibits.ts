/**
 * The schedules that expose the mutants: the right protocol survives each of them. All are about
 * height 1, in whose round r replica r proposes. Slots start at 0.
 */
import type { Digest, Exhibit, ReplicaId } from '@quorumlab/core';
import type { Options } from './group.ts';
import {
  all,
  expire,
  formerVotes,
  from,
  giveUp,
  hide,
  idOf,
  long,
  loseUpTo,
  of,
  polkaOf,
  precommit,
  prevote,
  propose,
  type Staged,
  to,
} from './schedules.ts';
import { maxRoundsAhead, maxRoundsBehind, type Tendermint } from './state.ts';

/** Ann is locked by `seats` in this round; the first of them alone decides her, and is gone. */
function decideAtFirst(group: Staged, seats: readonly ReplicaId[]): void {
  const among = all(from(...seats), to(...seats));
  group.deliver(all(among, of('proposal', 'prevote')));
  const [first, ...rest] = seats as [ReplicaId, ...ReplicaId[]];
  group.deliver(all(of('precommit'), from(...seats), to(first)));
  group.crash(first);
  group.deliver(all(of('precommit'), from(...rest), to(...rest)));
  group.lose();
}

/** n0 has decided Ann, on whom n2 and n3 are locked; n1 lies, and it is its turn. */
function keptBack(group: Staged, between: () => void = () => undefined): void {
  group.betray(1);
  group.propose([0], 'Ann');
  decideAtFirst(group, [0, 2, 3]);
  between();
  precommit(group, 1, [2, 3], 0, null);
  group.deliver(all(to(2, 3), of('precommit')));
  expire(group, [2, 3], 'precommit');
}

/** The liar, whose turn it is, proposes Bob to the two others that are left and votes for him. */
function forBob(
  group: Staged,
  liar: ReplicaId,
  seats: readonly ReplicaId[],
  round: number,
  shown: Parameters<typeof propose>[5] = { validRound: null, polka: null },
): void {
  const value = idOf(group, 'Bob');
  propose(group, liar, seats, round, 'Bob', shown);
  prevote(group, liar, seats, round, value, shown.validRound);
  precommit(group, liar, seats, round, value);
  group.deliver(all(to(...seats), from(...seats, liar)));
}

/** A polka for Bob in round 0 that only the liar n2 knows; in round 1 n0 decides Ann. */
function oldPolka(group: Staged): void {
  group.betray(2);
  const honest = [0, 1, 3];
  group.propose([0], 'Bob');
  group.deliver(of('proposal'));
  const value = idOf(group, 'Bob');
  const polka = polkaOf(group, 2, 0, value);
  prevote(group, 2, honest, 0, null);
  for (const [self, heard] of [
    [0, 1],
    [1, 3],
    [3, 0],
  ] as const)
    group.deliver(all(of('prevote'), to(self), from(heard, 2)));
  group.lose();
  expire(group, honest, 'prevote');
  group.propose([1], 'Ann');
  group.deliver(all(of('precommit'), to(...honest)));
  expire(group, honest, 'precommit');
  decideAtFirst(group, honest);
  precommit(group, 2, [1, 3], 1, null);
  group.deliver(all(to(1, 3), of('precommit')));
  expire(group, [1, 3], 'precommit');
  forBob(group, 2, [1, 3], 2, { validRound: 1, polka });
}

/** n0 lies. n2 is locked on Ann in round 0, n3 on what n1 proposes in round 1, n1 on nothing. */
function twoLocks(group: Staged): Digest | null {
  group.betray(0);
  const honest = [1, 2, 3];
  group.propose(honest, 'Ann');
  group.lose();
  propose(group, 0, honest, 0, 'Ann');
  group.deliver(of('proposal'));
  hide(group, honest, [0], 2, 0, idOf(group, 'Ann'));
  group.propose([1], 'Bob');
  nextRound(group, honest, 0);
  group.deliver(of('proposal'));
  const value = group.view(1).proposed?.value ?? null;
  if (value !== null) hide(group, honest, [0], 3, 1, value);
  return value;
}

/** All hear of all precommits of `round`, and begin the next one. */
function nextRound(group: Staged, honest: readonly ReplicaId[], round: number): void {
  group.deliver(all(of('precommit'), to(...honest)));
  expire(group, honest, 'precommit');
  loseUpTo(group, round);
}

/** After {@link twoLocks} n1 is locked on Ann again in round 2; in round 3 the others decide. */
function addedUp(group: Staged): void {
  const honest = [1, 2, 3];
  const second = twoLocks(group);
  const ann = idOf(group, 'Ann');
  nextRound(group, honest, 1);
  group.deliver(of('proposal'));
  prevote(group, 0, [1], 2, ann, 0);
  prevote(group, 0, [2, 3], 2, null);
  group.deliver(all(of('prevote'), to(1)));
  group.deliver(all(of('prevote'), to(2), from(0, 3)));
  group.deliver(all(of('prevote'), to(3), from(0, 2)));
  group.lose(of('prevote'));
  expire(group, [2, 3], 'prevote');
  precommit(group, 0, [2, 3], 2, null);
  group.deliver(all(of('precommit'), to(2, 3)));
  expire(group, [2, 3], 'precommit');
  loseUpTo(group, 2);
  group.deliver(all(of('proposal'), to(2, 3)));
  if (second === null) return;
  prevote(group, 0, [2, 3], 3, second, 1);
  precommit(group, 0, [2, 3], 3, second);
  group.deliver(all(to(2, 3), from(0, 2, 3)));
  precommit(group, 0, [1], 2, ann);
  group.deliver(all(to(1), from(0)));
}

/** n2 votes for both values of the liar n0, with a crash between any two votes of a step. */
function votesTwice(group: Staged): void {
  group.betray(0);
  const ann = idOf(group, 'Ann');
  const bob = idOf(group, 'Bob');
  propose(group, 0, [1, 2], 0, 'Ann');
  group.deliver(of('proposal'));
  const polka = polkaOf(group, 0, 0, ann);
  prevote(group, 0, [1], 0, ann);
  group.deliver(all(of('prevote'), to(1)));
  group.lose(from(2));
  group.restart(2);
  group.lose();
  propose(group, 0, [2, 3], 0, 'Bob');
  prevote(group, 0, [2, 3], 0, bob);
  precommit(group, 0, [3], 0, bob);
  group.deliver(all(to(2, 3), from(0, 2, 3)));
  group.restart(2);
  group.lose();
  propose(group, 0, [2], 0, 'Ann');
  group.deliver(of('proposal'));
  group.say(0, [2], { kind: 'polka', polka });
  group.deliver(of('polka'));
  precommit(group, 0, [1], 0, ann);
  group.deliver(all(of('precommit'), to(1)));
  group.deliver(all(of('precommit'), to(1), from(2)));
}

/** n0 and n4 lie: each shows a polka to one replica, whose turn comes after the other liar. */
function shownToOne(group: Staged): void {
  const liars = [0, 4];
  const honest = [1, 2, 3, 5, 6];
  for (const liar of liars) group.betray(liar);
  group.propose(honest, 'Ann');
  group.lose();
  const rounds = 28;
  const isDecided = () => honest.some((self) => group.decided(self) > 0);
  for (let round = 0; round < rounds && !isDecided(); round++) {
    const turn = round % 7;
    if (liars.includes(turn)) {
      const text = `Bob ${round}`;
      propose(group, turn, honest, round, text);
      group.deliver(of('proposal'));
      hide(group, honest, liars, turn === 0 ? 5 : 1, round, idOf(group, text));
    } else {
      group.deliver(of('proposal'));
      group.deliver(of('prevote'));
      expire(group, honest, 'prevote');
    }
    group.deliver(all(of('precommit', 'polka'), to(...honest)));
    expire(group, honest, 'precommit');
    loseUpTo(group, round);
  }
  if (isDecided()) group.run(long, () => group.answered > 0);
  group.expectAnswers(`after ${rounds} rounds, in two of seven of which the proposer lied`);
}

/** The liar speaks of one round after the other, faster than any round can end. */
function eagerLiar(group: Staged): void {
  group.betray(3);
  group.propose([0, 1, 2], 'Ann');
  const rounds = 30;
  for (let round = 1; round <= rounds; round++) {
    prevote(group, 3, [0, 1, 2], round, null);
    group.pass();
  }
  group.expectAnswers(`after ${rounds} rounds that one replica spoke of`);
}

/** n0 proposes Ann to n2 and n3, who lock her, and Bob to n1, and is silent from then. */
function hidden(group: Staged): void {
  group.betray(0);
  const ann = idOf(group, 'Ann');
  group.propose([1, 2, 3], 'Ann');
  group.lose();
  propose(group, 0, [2, 3], 0, 'Ann');
  propose(group, 0, [1], 0, 'Bob');
  prevote(group, 0, [2, 3], 0, ann);
  prevote(group, 0, [1], 0, null);
  group.deliver(of('proposal'));
  group.deliver(from(0));
  group.deliver(of('prevote'));
  group.run(long, () => group.answered > 0);
  group.expectAnswers('300 s after the first proposer has shown its prevotes to two of three');
}

/** The digest function is the host's. */
type Told = Omit<Options, 'digest'>;

const four = { options: { n: 4, f: 1 }, selfAtOnce: true } as const;

/** By the names of the mutants. */
export const exhibits: Readonly<Record<string, Exhibit<Tendermint, Told>>> = {
  'no-lock': {
    ...four,
    shows: 'forked',
    story: 'n0 decides Ann and is gone; n1 proposes Bob to n2 and n3, who have precommitted Ann.',
    play(group) {
      keptBack(group);
      forBob(group, 1, [2, 3], 1);
    },
  },
  'no-unlock': {
    ...four,
    shows: 'stalled',
    story: 'n2 is locked on Ann and n3 on a later value; the liar n0 votes no more.',
    play(group) {
      twoLocks(group);
      group.run(long, () => group.answered > 0);
      group.expectAnswers('300 s after two replicas were locked on two values');
    },
  },
  'no-valid-value': {
    options: { n: 7, f: 2 },
    selfAtOnce: true,
    shows: 'stalled',
    story: 'In their turns n0 and n4 show a polka in time to one replica, and late to the others.',
    play: shownToOne,
  },
  'nil-polka-unlock': {
    ...four,
    shows: 'forked',
    story: 'n1 decides Ann and is gone; nobody proposes in its turn, and then n2 proposes Bob.',
    play(group) {
      group.betray(2);
      group.propose([0], 'Ann');
      decideAtFirst(group, [1, 0, 3]);
      precommit(group, 2, [0, 3], 0, null);
      group.deliver(all(to(0, 3), of('precommit')));
      expire(group, [0, 3], 'precommit');
      giveUp(group, [0, 3], 2);
      forBob(group, 2, [0, 3], 2);
    },
  },
  'trust-valid-round': {
    ...four,
    shows: 'forked',
    story: 'n0 decides Ann and is gone; n1 says that Bob was valid in round 0, without proof.',
    play(group) {
      keptBack(group);
      forBob(group, 1, [2, 3], 1, { validRound: 0, polka: null });
    },
  },
  'wrong-polka-round': {
    ...four,
    shows: 'forked',
    story: 'n0 decides Ann in round 1 and is gone; n2 proves that Bob was valid, with round 0.',
    play: oldPolka,
  },
  'mixed-round-precommits': {
    ...four,
    shows: 'forked',
    story:
      'n2 and n3 decide in round 3; n1 adds up what was precommitted for Ann in rounds 0 and 2.',
    play: addedUp,
  },
  'hidden-lock': {
    ...four,
    shows: 'stalled',
    story: 'n2 and n3 lock Ann by a prevote that n0 shows to them and not to n1.',
    play: hidden,
  },
  'first-vote-only': {
    ...four,
    shows: 'stalled',
    story: 'n2 and n3 lock Ann by a prevote of n0, of which n1 has heard another one.',
    play: hidden,
  },
  'no-future-bound': {
    ...four,
    shows: 'invalid',
    story: 'n3 votes in a thousand rounds that have not begun.',
    play(group) {
      group.betray(3);
      for (let round = 0; round < 1000; round++) prevote(group, 3, [0], round, null);
      group.deliver();
      const kept = group.view(0).heard.size;
      group.expect(
        kept <= maxRoundsAhead + maxRoundsBehind + 1,
        'bounded',
        `n0 keeps votes of ${kept} rounds for one liar`,
      );
    },
  },
  'lock-amnesia': {
    ...four,
    shows: 'forked',
    story: 'n0 decides Ann and is gone; n2 and n3, who precommitted her, crash and come back.',
    play(group) {
      keptBack(group, () => {
        for (const self of [2, 3]) group.restart(self);
        group.deliver(all(of('prevote', 'precommit'), to(2, 3), from(2, 3)));
        group.lose();
      });
      forBob(group, 1, [2, 3], 1);
    },
  },
  'vote-amnesia': {
    ...four,
    shows: 'forked',
    story: 'n0 proposes Ann and Bob in one round; n2 votes for both, and crashes in between.',
    play: votesTwice,
  },
  'skip-rule-one': {
    ...four,
    shows: 'stalled',
    story: 'n3 speaks of round after round, and nobody else has a reason to leave.',
    play: eagerLiar,
  },
  'fixed-timeouts': {
    ...four,
    shows: 'stalled',
    story: 'Each message takes longer than the first timeout.',
    play(group) {
      group.propose([0, 1, 2, 3], 'Ann');
      group.run(90_000_000, () => group.answered === 1, 1_500_000);
      group.expectAnswers('after 90 s, in which each message took 1.5 s');
    },
  },
  'quorum-2f+1': {
    options: { n: 5, f: 1 },
    selfAtOnce: true,
    shows: 'forked',
    story: 'n0 proposes Ann to n1 and n2, and Bob to n3 and n4, and votes for both.',
    play(group) {
      group.betray(0);
      for (const [text, ...half] of [['Ann', 1, 2] as const, ['Bob', 3, 4] as const]) {
        propose(group, 0, half, 0, text);
        prevote(group, 0, half, 0, idOf(group, text));
        precommit(group, 0, half, 0, idOf(group, text));
        group.deliver(all(from(0, ...half), to(...half)));
      }
    },
  },
  'former-votes': {
    options: { n: 5, f: 1 },
    selfAtOnce: true,
    shows: 'forked',
    story:
      'n3 was let go and votes on, for Ann with n0 and n1; n2 and n4 have decided Bob with n0.',
    play: formerVotes,
  },
};
