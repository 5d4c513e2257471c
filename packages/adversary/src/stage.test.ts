import {
  certificate,
  integer,
  type MessagesField,
  message,
  messages,
  type Protocol,
  type Request,
  request,
  type Shape,
  type Signed,
  type Stage,
  signed,
} from '@quorumlab/core';
import { describe, expect, test } from 'vitest';
import { playExhibit, type RequestShape } from './index.ts';
import { sealedKeys } from './sealed-keys.ts';

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

/** Members decide what a note says, take snapshots, and fetch the one that they are told of. */
const shelf: Protocol<Notes> = {
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
const watched = (protocol: Protocol<Notes>, play: (stage: Stage<Notes>) => void) => {
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

test('a member takes snapshots by itself, and is given the one that it asked for', () => {
  const { faults, decisions } = watched(shelf, (stage) => {
    stage.propose([0, 1], 'a');
    expect([0, 1, 2].map((id) => [stage.view(id).heard, stage.decided(id)])).toEqual([
      [[1], 2],
      [[1], 2],
      [[], 0],
    ]);
    // Whoever asked for none is given none, and a crash forgets what was asked for.
    stage.install(2);
    expect(stage.view(2).heard).toEqual([]);
    stage.install(0);
    expect(stage.view(0).heard).toEqual([1, 101]);
    stage.install(0);
    expect(stage.view(0).heard).toEqual([1, 101]);
    stage.crash(1);
    stage.restart(1);
    stage.install(1);
    expect([stage.view(1).heard, stage.decided(1)]).toEqual([[], 2]);
    stage.restart(1, 'lost');
    expect([stage.view(1).heard, stage.decided(1)]).toEqual([[-1], 0]);
    // It has written nothing yet, so it still is one that has lost its disk.
    stage.restart(1);
    expect(stage.view(1).heard).toEqual([-1]);
    stage.expectAnswers('after the proposal');
  });
  expect(faults).toEqual([]);
  expect(decisions.map(({ member, slot }) => `${member} ${slot}`)).toEqual([
    '0 0',
    '0 1',
    '1 0',
    '1 1',
  ]);
});

test('a read is stale if it misses what was decided with a command before it was asked', () => {
  const protocol = {
    ...shelf,
    snapshotEvery: 0,
    read: (_: unknown, id: number, ctx: { allowRead(id: number, upTo: number): void }) =>
      ctx.allowRead(id, 0),
  };
  const { faults } = watched(protocol as Protocol<Notes>, (stage) => {
    stage.read(2);
    stage.propose([0], 'a');
    // The command stands in slot 0; slot 1 holds none.
    stage.read(2);
  });
  expect(faults).toEqual([]);
  const late = {
    ...protocol,
    read: (_: unknown, id: number, ctx: { allowRead(id: number, upTo: number): void }) =>
      ctx.allowRead(id, -1),
  };
  const { faults: stale } = watched(late as Protocol<Notes>, (stage) => {
    stage.propose([0], 'a');
    stage.read(2);
  });
  expect(stale).toMatchObject([
    { word: 'stale-read', rule: 'linearizability', members: [2], at: 5 },
  ]);
});

test('run delivers in order and fires timers in time, until it is over or done', () => {
  const order: string[] = [];
  const protocol: Protocol<Notes> = {
    ...notes,
    start: ({ last }, ctx) => {
      ctx.save({ last });
      ctx.setTimer('tick', 100 * (ctx.self + 1));
    },
    timeout: (_, __, ctx) => {
      order.push(`${ctx.now} n${ctx.self} ticks`);
      ctx.send((ctx.self + 1) % 3, { kind: 'note', number: ctx.self });
    },
    on: {
      note: (_, { number }, ctx) => void order.push(`${ctx.now} n${ctx.self} hears ${number}`),
    },
  };
  watched(protocol, (stage) => {
    stage.crash(2);
    stage.run(99);
    expect([order, stage.now]).toEqual([[], 0]);
    stage.run(50, undefined, 50);
    stage.run(1000, undefined, 150);
    expect(order).toEqual(['100 n0 ticks', '200 n1 ticks', '250 n1 hears 0']);
    // What goes to a member that is down is not heard, and time goes on to it.
    expect([stage.now, stage.flights]).toEqual([350, []]);
    stage.restart(2);
    stage.run(1e6, () => order.length > 3);
    expect(order.slice(3)).toEqual(['650 n2 ticks']);
    stage.betray(0);
    stage.run(1e6);
    expect(order).toHaveLength(4);
  });
});

test('watchers hear of each step, message and blow in its order; liars take no steps', () => {
  const { heard, steps } = watched(notes, (stage) => {
    stage.propose([0], 'a');
    stage.lose(({ to }) => to === 0);
    stage.pass(({ to }) => to === 1);
    stage.betray(0);
    stage.propose([0], 'b');
    stage.say(0, [2], { kind: 'note', number: 3 });
    stage.crash(1);
    stage.settle();
  });
  expect(heard).toEqual([
    ...['1 n0 steps', '2 n1 steps', '3 n2 steps'],
    ...['4 n0 steps', '4 n0 to n0', '4 n0 to n1', '4 n0 to n2'],
    ...['5 n1 hears', '5 n1 steps', '6 n0 lies', '6 n0 to n2', '7 n1 crashes'],
    ...['8 n2 hears', '8 n2 steps', '9 n2 hears', '9 n2 steps'],
  ]);
  expect(steps).toBe(9);
});

test('requests are told apart by text and client, and each is one object', () => {
  played((stage) => {
    const [a, b] = [stage.request('a'), stage.request('b')];
    expect([a.client, b.client].map((each) => each - 65_536)).toEqual([0, 1]);
    expect(stage.request('a')).toBe(a);
    expect(stage.request('c', { client: 0 })).toMatchObject({ client: a.client });
    expect(stage.request('a', { client: 7 })).not.toBe(a);
    const change = stage.request('d', { configuration: Uint8Array.of(1) });
    expect(change).toMatchObject({ operations: [], configuration: Uint8Array.of(1) });
    expect(() => stage.view(3)).toThrow('there is no member 3');
    expect(stage.leads(0)).toBe(true);
    stage.crash(0);
    expect([stage.leads(0), stage.leads(1)]).toEqual([false, false]);
  });
});

describe('the signatures of a stage', () => {
  const cast = message('cast', { number: integer() });
  const quote = message('quote', { said: signed(cast), asked: signed(request) });
  const sum = message('sum', { votes: certificate(cast, 4) });
  const all = messages(cast, quote, sum);
  type Message = typeof all extends MessagesField<infer M> ? M : never;
  const protocol = {
    messages: all,
    evidence: (of: Message) =>
      of.kind === 'quote' ? [of.said, of.asked] : of.kind === 'sum' ? [of.votes] : [],
  };
  const keys = sealedKeys(protocol as unknown as Protocol<Shape>);
  const vote = (number: number, from: number) => keys.sign({ kind: 'cast' as const, number }, from);

  test('hold for what was signed by whom, also inside, and for nothing else', () => {
    const order: Request = {
      kind: 'request',
      client: 70_000,
      sequence: 1,
      acknowledged: 0,
      operations: [],
    };
    const asked = keys.sign(order, 70_000);
    const quoted = (said: object, of: object = asked) =>
      keys.check(keys.sign({ kind: 'quote', said, asked: of } as never, 2));
    const good = vote(5, 1);
    expect(keys.check(good)).toBe(true);
    expect([keys.check({ ...good, from: 2 }), keys.check({ ...good, number: 6 } as never)]).toEqual(
      [false, false],
    );
    expect(quoted(good)).toBe(true);
    expect([quoted({ ...good, from: 2 }), quoted({ ...good, number: 6 })]).toEqual([false, false]);
    expect(quoted(good, { ...asked, sequence: 2 })).toBe(false);
    const seals = [0, 1, 3].map((from) => ({ from, signature: vote(5, from).signature }));
    const summed = (number: number, of: readonly object[]) =>
      keys.check(
        keys.sign(
          { kind: 'sum', votes: { body: { kind: 'cast', number }, seals: of } } as never,
          0,
        ),
      );
    expect(summed(5, seals)).toBe(true);
    expect(summed(6, seals)).toBe(false);
    expect(summed(5, [...seals.slice(0, 2), { ...seals[2], from: 2 }])).toBe(false);
    expect(vote(300, 1).signature).not.toEqual(vote(5, 300).signature);
    expect(keys.nameOf(Uint8Array.of(1))).toBe(keys.nameOf(Uint8Array.of(1)));
    expect(keys.nameOf(Uint8Array.of(1))).not.toBe(keys.nameOf(Uint8Array.of(2)));
  });
});
