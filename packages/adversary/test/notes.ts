/** A protocol of few words, and stages on which it is played. */
import { integer, message, messages, type Protocol, type Stage } from '@quorumlab/core';
import { playExhibit, type RequestShape } from '../src/index.ts';

const note = message('note', { number: integer() });
const field = messages(note);

export interface Notes extends RequestShape {
  readonly Stable: { readonly last: number };
  readonly Volatile: { heard: number[] };
  readonly Message: { readonly kind: 'note'; readonly number: number };
  readonly Timer: 'tick';
}

/** Whoever is asked writes a number down and tells it; whoever hears of one decides it. */
export const notes: Protocol<Notes> = {
  name: 'notes',
  version: 1,
  claims: { faults: 'crash', replicas: (f) => 2 * f + 1, order: 'total' },
  members: [0, 1, 2],
  f: 1,
  client: { matching: 1, ask: 'any', signed: false },
  messages: field,
  stored: { last: integer() },
  stable: () => ({ last: 0 }),
  volatile: () => ({ heard: [] }),
  start: (_, ctx) => ctx.setTimer('tick', [1000, 2000]),
  propose(replica, _, ctx) {
    ctx.save({ last: replica.last + 1 });
    ctx.broadcast({ kind: 'note', number: replica.last });
  },
  read: (replica, id, ctx) => ctx.allowRead(id, replica.heard.length - 1),
  on: {
    note(replica, { number, from }, ctx) {
      ctx.decide(replica.heard.length, []);
      replica.heard.push(10 * from + number);
    },
  },
  status: () => ({ leader: 0, term: 1, role: 'noter' }),
};

/** Plays `play` and hands back what is left. */
export const played = (play: (stage: Stage<Notes>) => void) =>
  playExhibit<Notes>({ options: { n: 3 }, shows: 'forked', story: '', play }, notes, {
    digest: () => '0'.repeat(64),
    operation: (text) => new TextEncoder().encode(text),
  });

/** Members decide what a note says, take snapshots, and fetch the one that they are told of. */
export const shelf: Protocol<Notes> = {
  ...notes,
  snapshotEvery: 2,
  propose: (_, command, ctx) => {
    ctx.decide(0, [command]);
    ctx.decide(1, []);
  },
  snapshotTaken: (replica, slot, digest, ctx) => {
    replica.heard.push(slot);
    ctx.fetchSnapshot(slot, digest, []);
  },
  snapshotInstalled: (replica, slot) => void replica.heard.push(100 + slot),
  rejoin: (replica) => void replica.heard.push(-1),
  on: {
    note: (_, { number }, ctx) => ctx.fetchSnapshot(number, `${number}`, []),
  },
};

/** As {@link played}, by another protocol, with all that a watcher hears. */
export const watched = (protocol: Protocol<Notes>, play: (stage: Stage<Notes>) => void) => {
  const heard: string[] = [];
  const watch = {
    stepped: (at: number, member: number) => void heard.push(`${at} n${member} steps`),
    said: (at: number, from: number, to: number) => void heard.push(`${at} n${from} to n${to}`),
    befell: (at: number, member: number, what: string) =>
      void heard.push(`${at} n${member} ${what}`),
    heard: (at: number, to: number) => void heard.push(`${at} n${to} hears`),
  };
  const left = playExhibit<Notes>(
    { options: { n: 3 }, shows: 'forked', story: '', play },
    protocol,
    {
      digest: () => '0'.repeat(64),
      operation: (text) => new TextEncoder().encode(text),
      watch,
    },
  );
  return { ...left, heard };
};
