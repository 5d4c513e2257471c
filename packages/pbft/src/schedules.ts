/** What the schedules of `exhibits.ts` are made of: what liars say, and views that go wrong. */
import {
  type Batch,
  type Digest,
  encodeValidatorStep,
  type ReplicaId,
  type Stage,
  type Which,
} from '@quorumlab/core';
import { type Message, schemas } from './messages.ts';
import { epochOf, type Pbft } from './state.ts';

/** The group of a schedule, on its stage. */
export type Staged = Stage<Pbft>;

const { content } = schemas({ n: 4, window: 256, maxBatch: 256 });
/** D(m). */
export const digestOf = (group: Staged, batch: Batch): Digest => group.digest(content, batch);

/** Between these seats. */
export const among =
  (...seats: readonly ReplicaId[]): Which<Pbft> =>
  ({ from, to }) =>
    seats.includes(from) && seats.includes(to);

/** To some of these seats, from whomever. */
export const to =
  (...seats: readonly ReplicaId[]): Which<Pbft> =>
  (flight) =>
    seats.includes(flight.to);

/** Messages of these kinds. */
export const of =
  (...kinds: readonly Message['kind'][]): Which<Pbft> =>
  ({ message }) =>
    kinds.includes(message.kind);

/** What all of these choose. */
export const all =
  (...filters: readonly Which<Pbft>[]): Which<Pbft> =>
  (flight) =>
    filters.every((each) => each(flight));

/** Prepares are heard by `self` only, and by whoever said them. */
export const preparedAt =
  (self: ReplicaId): Which<Pbft> =>
  (flight) =>
    flight.message.kind === 'prepare' && (flight.to === self || flight.from === flight.to);

/** The liar's pre-prepare of `batch` as number `sequence` of view 0. */
export function prePrepare(
  group: Staged,
  seats: readonly ReplicaId[],
  batch: Batch,
  sequence = 1,
  digest = digestOf(group, batch),
): void {
  group.say(0, seats, { kind: 'pre-prepare', epoch: 0, view: 0, sequence, digest, batch });
}

/** The liar votes in both phases. */
export function votes(
  group: Staged,
  liar: ReplicaId,
  seats: readonly ReplicaId[],
  view: number,
  digest: Digest,
): void {
  for (const kind of ['prepare', 'commit'] as const)
    group.say(liar, seats, { kind, epoch: 0, view, sequence: 1, digest });
}

/** Ann is number 1: prepared at `seats`, committed as far as `commits` lets it. */
export function order(group: Staged, seats: readonly ReplicaId[], commits: Which<Pbft>): void {
  meet(group);
  group.propose([0], 'Ann');
  group.deliver(all(among(...seats), of('pre-prepare', 'prepare')));
  group.deliver(all(among(...seats), of('commit'), commits));
  group.lose();
}

/** All say where they stand: nobody gives up a primary before a quorum is there. */
export function meet(group: Staged): void {
  for (const self of [0, 1, 2, 3]) group.timeout(self, 'idle');
  group.deliver(of('status'));
}

/** Clients ask `seats` for Bob; the backups among them give up their primary, which joins them. */
export function giveUp(group: Staged, ...seats: readonly ReplicaId[]): void {
  group.propose(seats, 'Bob');
  for (const self of seats) if (self !== 0) group.timeout(self, 'request');
  if (seats.includes(0)) group.deliver(all(to(0), of('view-change')));
}

/** The batch that holds what `text` stands for, and nothing else. */
export const batchOf = (group: Staged, text: string): Batch => [group.request(text)];

/**
 * Ann is executed at n0, which is gone then; n1 and n2 give up view 0. The liar n3 has a batch of
 * its own for number 1, Bob: that and its digest.
 */
export function leaveWithBob(group: Staged): { readonly batch: Batch; readonly digest: Digest } {
  order(group, [0, 1, 2], to(0));
  group.betray(3);
  group.crash(0);
  giveUp(group, 1, 2);
  const batch = batchOf(group, 'Bob');
  return { batch, digest: digestOf(group, batch) };
}

/** Time enough for many views. */
const long = 3e8;

/** Without n3, which lies from then on, n0 orders Ann at n1, and Bob at n2 and n4. */
export function formerVotes(group: Staged): void {
  const honest = [1, 2, 4];
  group.propose([0], 'the group: without n3', { configuration: withoutThird });
  // The change is number 1, and each number ends an epoch in which there is one.
  group.run(long, () => [0, ...honest].every((self) => epochOf(group.view(self)).number === 1));
  group.lose();
  for (const liar of [0, 3]) group.betray(liar);
  for (const [text, liars, ...heard] of [
    ['Ann', [0, 3], 1],
    ['Bob', [0], 2, 4],
  ] as const) {
    const batch = batchOf(group, text);
    const place = { epoch: 1, view: 0, sequence: 2, digest: digestOf(group, batch) };
    group.say(0, heard, { kind: 'pre-prepare', ...place, batch });
    for (const liar of liars)
      for (const kind of ['prepare', 'commit'] as const) group.say(liar, heard, { kind, ...place });
    group.deliver(all(among(0, 3, ...heard), to(...heard)));
  }
}

const withoutThird = encodeValidatorStep({ server: 3, becomes: 'none' });

const commitOf =
  (sequence: number): Which<Pbft> =>
  ({ message }) =>
    message.kind === 'commit' && message.sequence === sequence;

/** Ann is number 2 behind a change, and only n1 hears all of it. */
export function changeAtOnce(group: Staged): void {
  group.propose([0], 'the group: without n3', { configuration: withoutThird });
  group.propose([0], 'Ann');
  group.deliver(of('pre-prepare', 'prepare'));
  // Both are committed before n1 executes the change, and knows of its end.
  for (const sequence of [2, 1]) group.deliver(all(commitOf(sequence), to(1)));
  group.crash(1);
  group.deliver(commitOf(1));
  group.lose(of('commit'));
  group.propose([0], 'Bob');
  group.run(long, () => [0, 2, 4].every((self) => group.decided(self) >= 3));
}
