/** What the schedules of `exhibits.ts` are made of: epochs that a liar leads, and what it says. */
import {
  certify,
  type Digest,
  type ReplicaId,
  range,
  type Stage,
  type Which,
} from '@quorumlab/core';
import { idOf as idIn } from './chain.ts';
import { leaderOf } from './group.ts';
import { type Block, type Message, type Notarization, schemas, type Vote } from './messages.ts';
import type { Streamlet } from './state.ts';

/** The group of a schedule, on its stage. */
export type Staged = Stage<Streamlet>;

const made = schemas({ n: 4, maxBatch: 256 });

/** What a block is called. */
const idOf = (group: Staged, block: Block): Digest =>
  idIn({ schemas: made, digest: (field, value) => group.digest(field, value) }, block);

/** Of these kinds, among these seats. */
export const among =
  (seats: readonly ReplicaId[], ...kinds: readonly Message['kind'][]): Which<Streamlet> =>
  ({ from, to, message }) =>
    seats.includes(from) && seats.includes(to) && kinds.includes(message.kind);

/** To some of these seats, from whomever, of these kinds. */
export const toSome =
  (seats: readonly ReplicaId[], ...kinds: readonly Message['kind'][]): Which<Streamlet> =>
  ({ to, message }) =>
    seats.includes(to) && kinds.includes(message.kind);

/** Who leads an epoch. */
export const leader = (group: Staged, epoch: number): ReplicaId => {
  const { members } = group.protocol;
  const digest = group.digest.bind(group);
  return leaderOf({ n: members.length, digest }, epoch);
};

/** Far enough to find any pattern of leaders. */
const farthest = 4000;

/** Who leads so many epochs one after the other, the first of them after `after`. */
export function runOf(
  group: Staged,
  length: number,
  after: number,
  fits: (leader: ReplicaId, first: number) => boolean,
): { readonly liar: ReplicaId; readonly first: number } {
  for (let first = after + 1; first < farthest; first++) {
    const liar = leader(group, first);
    const isRun = range(length).every((i) => leader(group, first + i) === liar);
    if (isRun && fits(liar, first)) return { liar, first };
  }
  throw new Error('no epoch has the leaders that this schedule needs');
}

/** The honest replicas, where one lies. */
export const honestIn = (group: Staged, liar: ReplicaId): ReplicaId[] =>
  group.protocol.members.filter((self) => self !== liar);

/** Epochs pass in vain until all of `seats` are in `epoch`; the liar helps them on. */
export function skipTo(
  group: Staged,
  seats: readonly ReplicaId[],
  liar: ReplicaId,
  epoch: number,
): void {
  for (let over = 0; over < farthest; over++) {
    const epochs = seats.map((self) => group.view(self).epoch);
    if (Math.min(...epochs) >= epoch) return;
    for (const self of seats) group.fire(self, 'epoch');
    const said = Math.max(...epochs);
    group.say(liar, seats, { kind: 'clock', over: said, final: 0, stable: 0, tip: null });
    group.deliver(among([...seats, liar], 'clock'));
    // The leader of the epoch that is wanted has spoken as it began.
    group.lose(
      ({ message }) =>
        !(message.kind === 'proposal' && message.block.epoch === epoch) &&
        !(message.kind === 'vote' && message.epoch === epoch),
    );
  }
}

/** A block with what `text` stands for, or with nothing. */
export const blockOn = (
  group: Staged,
  epoch: number,
  parent: Block | null,
  text?: string,
): Block => ({
  epoch,
  height: (parent?.height ?? 0) + 1,
  parent:
    parent === null
      ? { epoch: 0, id: '0'.repeat(64) }
      : { epoch: parent.epoch, id: idOf(group, parent) },
  batch: text === undefined ? [] : [group.request(text)],
});

/** The vote for a block. */
const voteFor = (group: Staged, block: Block): Vote => ({
  kind: 'vote',
  epoch: block.epoch,
  height: block.height,
  id: idOf(group, block),
});

/** A liar proposes a block to `seats`, who vote, and are told its own vote if `isVoted`. */
export function lead(
  group: Staged,
  liar: ReplicaId,
  seats: readonly ReplicaId[],
  block: Block,
  notarization: Notarization | null = null,
  voted: readonly ReplicaId[] = seats,
): void {
  group.say(liar, seats, { kind: 'proposal', block, notarization });
  group.deliver(toSome(seats, 'proposal'));
  if (voted.length > 0) group.say(liar, voted, voteFor(group, block));
  // Those that go to the liar stay under way: see `votesFor`.
  group.deliver((flight) => among([...seats, liar], 'vote')(flight) && flight.to !== liar);
}

/** The votes for a block that honest replicas have sent to the liar, and its own. */
export function votesFor(group: Staged, liar: ReplicaId, block: Block): Notarization {
  const body = voteFor(group, block);
  const votes = group
    .hold(toSome([liar], 'vote'))
    .flatMap(({ message }) => (message.kind === 'vote' && message.id === body.id ? [message] : []));
  return certify<Vote>(body, [...votes, group.sign<Vote>(body, liar)]);
}

/** `seats` go through an epoch of which an honest one is the leader, and all hear of all. */
export function pass(group: Staged, seats: readonly ReplicaId[], hear = seats): void {
  group.deliver(among(seats, 'proposal'));
  group.deliver((flight) => among(seats, 'vote')(flight) && hear.includes(flight.to));
}
