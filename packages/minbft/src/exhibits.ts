/**
 * The schedules that expose the mutants: the right protocol survives each of them. In none of them
 * a trusted counter signs two texts under one number. Slots start at 0.
 */
import { type Exhibit, ms, type ReplicaId, type Stage, type Which } from '@quorumlab/core';
import type { Options } from './group.ts';
import { type Message, schemas } from './messages.ts';
import type { MinBft } from './state.ts';

/** The digest function is the host's. */
type Told = Omit<Options, 'digest'>;
type Staged = Stage<MinBft>;

const three = { options: { n: 3, f: 1 }, selfAtOnce: true } as const;
const { content } = schemas({ n: 3, window: 128, maxBatch: 256 });

/** From one seat to another, of these kinds. */
const between =
  (one: ReplicaId, two: ReplicaId, ...kinds: readonly Message['kind'][]): Which<MinBft> =>
  ({ from, to, message }) =>
    from === one && to === two && (kinds.length === 0 || kinds.includes(message.kind));

/** A liar who is the primary of `view` prepares `text` as its number `number`, for `seats`. */
function prepares(
  group: Staged,
  liar: ReplicaId,
  seats: readonly ReplicaId[],
  { number, view, text }: { number: number; view: number; text: string },
): void {
  const batch = [group.request(text)];
  const digest = group.digest(content, batch);
  group.say(liar, seats, { kind: 'batch', batch });
  group.say(liar, seats, { kind: 'prepare', number, view, sequence: 1, digest });
  for (const to of seats) group.deliver(between(liar, to));
}

/** The number of a statement. */
const numberIn = (message: Message): number => ('number' in message ? message.number : 0);

/** By the names of the mutants. */
export const exhibits: Readonly<Record<string, Exhibit<MinBft, Told>>> = {
  'counter-gaps': {
    ...three,
    shows: 'forked',
    story: 'n0 prepares Ann as its number 1, for n1 alone, and Bob as its number 2, for n2 alone.',
    play(group) {
      group.betray(0);
      prepares(group, 0, [1], { number: 1, view: 0, text: 'Ann' });
      prepares(group, 0, [2], { number: 2, view: 0, text: 'Bob' });
    },
  },
  'commits-not-carried': {
    ...three,
    options: { n: 5, f: 2 },
    shows: 'forked',
    story: 'n0 decides Ann with n2 and n1, who lies, and begins view 1 with Bob in the same place.',
    play(group) {
      const rest: readonly ReplicaId[] = [3, 4];
      group.betray(1);
      group.propose([0], 'Ann');
      group.deliver(between(0, 2));
      group.deliver(between(2, 0, 'commit'));
      const [prepare] = group
        .hold(between(0, 1, 'prepare'))
        .flatMap(({ message }) => (message.kind === 'prepare' ? [message] : []));
      if (prepare === undefined) throw new Error('n0 has prepared nothing');
      group.say(1, [0, ...rest], { kind: 'commit', number: 1, prepare });
      group.deliver(between(1, 0));
      group.crash(0);
      group.crash(2);
      group.say(1, rest, { kind: 'view-change', number: 2, view: 1, stable: [] });
      group.propose(rest, 'Eve');
      // They hear of the prepare and of the commit, and of no batch.
      for (const to of rest) {
        group.deliver(between(0, to, 'prepare'));
        group.deliver(between(1, to));
      }
      group.lose();
      group.wait(ms(5000));
      for (const self of rest) group.fire(self, 'tick');
      group.deliver(
        ({ from, to, message }) =>
          rest.includes(from) && rest.includes(to) && message.kind !== 'status',
      );
      const left = group
        .hold(({ to, message }) => to === 1 && message.kind === 'view-change')
        .map(({ from, message }) => ({ member: from, number: numberIn(message) }));
      const changes = [{ member: 1, number: 2 }, ...left];
      group.say(1, rest, { kind: 'new-view', number: 3, view: 1, changes });
      prepares(group, 1, rest, { number: 4, view: 1, text: 'Bob' });
      group.deliver(({ from, to }) => rest.includes(from) && rest.includes(to));
    },
  },
  'quorum-of-f': {
    ...three,
    shows: 'forked',
    story: 'n0 executes Ann before anybody has heard of it, and is gone; n1 leads with Bob.',
    play(group) {
      group.propose([0], 'Ann');
      group.crash(0);
      group.lose();
      group.propose([1, 2], 'Bob');
      group.run(ms(20_000));
    },
  },
  'never-leaves': {
    ...three,
    shows: 'stalled',
    story: 'n0 leads and says nothing.',
    play(group) {
      group.betray(0);
      group.propose([1, 2], 'Ann');
      group.run(ms(30_000));
      group.expectAnswers('after 30 s');
    },
  },
};
