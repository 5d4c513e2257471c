import {
  integer,
  message,
  messages,
  type Protocol,
  type Signed,
  type Stage,
} from '@quorumlab/core';
import { expect, test } from 'vitest';
import { playExhibit, type RequestShape } from './index.ts';

const note = message('note', { number: integer() });
const field = messages(note);

interface Notes extends RequestShape {
  readonly Stable: { readonly last: number };
  readonly Volatile: { heard: number[] };
  readonly Message: { readonly kind: 'note'; readonly number: number };
  readonly Timer: 'tick';
}

/** Whoever is asked writes a number down and tells it; whoever hears of one decides it. */
const notes: Protocol<Notes> = {
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
const played = (play: (stage: Stage<Notes>) => void) =>
  playExhibit<Notes>({ options: { n: 3 }, shows: 'forked', story: '', play }, notes, {
    digest: () => '0'.repeat(64),
    operation: (text) => new TextEncoder().encode(text),
  });

test('nothing arrives by itself: the schedule holds, repeats and loses', () => {
  played((stage) => {
    stage.propose([0], 'a');
    expect(stage.flights.map(({ to }) => to)).toEqual([0, 1, 2]);
    const [copy] = stage.hold(({ to }) => to === 2);
    stage.lose(({ to }) => to === 0);
    stage.deliver();
    expect([0, 1, 2].map((id) => stage.view(id).heard)).toEqual([[], [1], []]);
    if (copy !== undefined) stage.release([copy, copy]);
    stage.deliver();
    expect(stage.view(2).heard).toEqual([1, 1]);
  });
});

test('what is written outlasts a crash unless the disk is lost, and memory does not', () => {
  played((stage) => {
    stage.propose([0], 'a');
    stage.settle();
    stage.restart(0);
    expect(stage.view(0)).toMatchObject({ last: 1, heard: [] });
    stage.restart(0, 'lost');
    expect(stage.view(0).last).toBe(0);
    stage.crash(1);
    stage.propose([1], 'b');
    expect(stage.flights).toEqual([]);
  });
});

test('a liar speaks under its own key only, and a forged or changed word is not heard', () => {
  const { liars } = played((stage) => {
    stage.betray(0);
    stage.say(0, [1], { kind: 'note', number: 7 });
    stage.deliver();
    expect(stage.view(1).heard).toEqual([7]);
    expect(() => stage.sign({ kind: 'note', number: 1 }, 2)).toThrow('n2 is honest');
    const word: Signed<Notes['Message']> = stage.sign({ kind: 'note', number: 8 }, 0);
    for (const message of [
      { ...word, from: 2 },
      { ...word, number: 9 },
    ])
      stage.release([{ at: 0, from: 0, to: 1, message }]);
    stage.deliver();
    expect(stage.view(1).heard).toEqual([7]);
  });
  expect([...liars]).toEqual([0]);
});

test('timers fire when the schedule says, and time goes on to when they are due', () => {
  played((stage) => {
    expect(stage.due(0, 'tick')).toEqual([1000, 2000]);
    stage.timeout(0, 'tick');
    expect(stage.now).toBe(2000);
    expect(stage.due(0, 'tick')).toBeUndefined();
  });
});

test('a request that nobody decides is a stall, and one rule more is the schedule’s own', () => {
  const { faults } = played((stage) => {
    stage.propose([0], 'a');
    stage.deliver();
    stage.expectAnswers('after all was heard'); // It decides without the request.
    stage.expect(stage.decided(1) === 1, 'count', 'n1 has not decided once');
    stage.expect(stage.decided(1) === 2, 'count', 'n1 has not decided twice');
  });
  expect(faults).toMatchObject([
    { word: 'stalled', sentence: 'one request is unanswered after all was heard' },
    { word: 'invalid', rule: 'count', sentence: 'n1 has not decided twice' },
  ]);
});
