/** What the schedules of `exhibits.ts` are made of: what liars say, and rounds that go wrong. */
import {
  certify,
  type Digest,
  encodeValidatorStep,
  type ReplicaId,
  type Signed,
  type Stage,
  type Which,
} from '@quorumlab/core';
import { type Message, type Polka, type Prevote, schemas } from './messages.ts';
import type { Step, Tendermint } from './state.ts';

/** The group of a schedule, on its stage. */
export type Staged = Stage<Tendermint>;

const { content } = schemas({ n: 4, maxBatch: 256 });

/** id(v) of a batch that holds what `text` stands for, and nothing else. */
export const idOf = (group: Staged, text: string): Digest =>
  group.digest(content, [group.request(text)]);

/** To some of these seats, from whomever. */
export const to =
  (...seats: readonly ReplicaId[]): Which<Tendermint> =>
  (flight) =>
    seats.includes(flight.to);

/** From some of these seats, to whomever. */
export const from =
  (...seats: readonly ReplicaId[]): Which<Tendermint> =>
  (flight) =>
    seats.includes(flight.from);

/** Messages of these kinds. */
export const of =
  (...kinds: readonly Message['kind'][]): Which<Tendermint> =>
  ({ message }) =>
    kinds.includes(message.kind);

/** What all of these choose. */
export const all =
  (...filters: readonly Which<Tendermint>[]): Which<Tendermint> =>
  (flight) =>
    filters.every((each) => each(flight));

/** A liar's proposal of what `text` stands for. */
export function propose(
  group: Staged,
  liar: ReplicaId,
  seats: readonly ReplicaId[],
  round: number,
  text: string,
  shown: { readonly validRound: number | null; readonly polka: Polka | null } = {
    validRound: null,
    polka: null,
  },
): void {
  const batch = [group.request(text)];
  const place = { height: 1, round, set: 1 };
  group.say(liar, seats, { kind: 'proposal', ...place, batch, ...shown });
}

/** A liar's prevote. */
export const prevote = (
  group: Staged,
  liar: ReplicaId,
  seats: readonly ReplicaId[],
  round: number,
  value: Digest | null,
  validRound: number | null = null,
): void => group.say(liar, seats, { kind: 'prevote', height: 1, round, set: 1, value, validRound });

/** A liar's precommit. */
export const precommit = (
  group: Staged,
  liar: ReplicaId,
  seats: readonly ReplicaId[],
  round: number,
  value: Digest | null,
): void => group.say(liar, seats, { kind: 'precommit', height: 1, round, set: 1, value });

/** The polka of what honest replicas have sent to the liar, and of its own prevote. */
export function polkaOf(group: Staged, liar: ReplicaId, round: number, value: Digest): Polka {
  const heard = group
    .hold(all(to(liar), of('prevote')))
    .map(({ message }) => message as Signed<Prevote>)
    .filter((each) => each.round === round && each.value === value);
  const body: Prevote = { kind: 'prevote', height: 1, round, set: 1, value, validRound: null };
  const own = group.sign<Prevote>(body, liar);
  const quorum = 3;
  return certify<Prevote>(body, [own, ...heard].slice(0, quorum));
}

/** Everything is lost but proposals and votes of rounds after `round`. */
export const loseUpTo = (group: Staged, round: number): void =>
  group.lose(({ message }) => {
    const { kind } = message;
    const isEarly = kind === 'proposal' || kind === 'prevote' || kind === 'precommit';
    return !isEarly || message.round <= round;
  });

/** Fires `timer` at those of `seats` that have set it. */
export function expire(group: Staged, seats: readonly ReplicaId[], timer: Step): void {
  for (const self of seats) if (group.due(self, timer) !== undefined) group.timeout(self, timer);
}

/** `seats`, with what a liar says in favour of nobody, give up this round. */
export function giveUp(group: Staged, seats: readonly ReplicaId[], liar: ReplicaId): void {
  const round = Math.min(...seats.map((self) => group.view(self).round));
  const among = all(to(...seats), from(...seats, liar));
  expire(group, seats, 'propose');
  prevote(group, liar, seats, round, null);
  group.deliver(all(among, of('prevote')));
  expire(group, seats, 'prevote');
  precommit(group, liar, seats, round, null);
  group.deliver(all(among, of('precommit')));
  expire(group, seats, 'precommit');
}

/**
 * A round whose prevotes for `value` are a polka at `shown` in time and nowhere else: the others
 * hear too few of them, and the liars' nil.
 */
export function hide(
  group: Staged,
  honest: readonly ReplicaId[],
  liars: readonly ReplicaId[],
  shown: ReplicaId,
  round: number,
  value: Digest,
): void {
  const others = honest.filter((self) => self !== shown);
  for (const liar of liars) {
    prevote(group, liar, [shown], round, value);
    prevote(group, liar, others, round, null);
  }
  group.deliver(all(to(shown), of('prevote')));
  for (const self of others) {
    // So many that a quorum has voted, and too few that it has for one value.
    const heard = honest.filter((each) => each !== self).slice(-liars.length);
    group.deliver(all(to(self), of('prevote'), from(...heard, ...liars)));
  }
  group.lose(of('prevote'));
  expire(group, others, 'prevote');
}

/** Time enough for many rounds. */
export const long = 3e8;

/** Without n3, which lies from then on, n0 proposes Ann to n1, and Bob to n2 and n4. */
export function formerVotes(group: Staged): void {
  const honest = [1, 2, 4];
  const configuration = encodeValidatorStep({ server: 3, becomes: 'none' });
  group.propose([0], 'the group: without n3', { configuration });
  // The change is decided at height 1, and its set votes from height 3 on.
  group.run(long, () => [0, ...honest].every((self) => group.decided(self) === 2));
  group.lose();
  for (const liar of [0, 3]) group.betray(liar);
  const place = { height: 3, round: 0, set: 3 };
  for (const [text, liars, ...heard] of [
    ['Ann', [0, 3], 1],
    ['Bob', [0], 2, 4],
  ] as const) {
    const batch = [group.request(text)];
    const value = idOf(group, text);
    group.say(0, heard, { kind: 'proposal', ...place, batch, validRound: null, polka: null });
    for (const liar of liars) {
      group.say(liar, heard, { kind: 'prevote', ...place, value, validRound: null });
      group.say(liar, heard, { kind: 'precommit', ...place, value });
    }
    group.deliver(all(from(0, 3, ...heard), to(...heard)));
  }
}
