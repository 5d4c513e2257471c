import type { Protocol, Signed } from '@quorumlab/core';
import { expect, test } from 'vitest';
import { type Notes, notes, played, shelf, watched } from '../test/notes.ts';

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

test('who has written since it lost its disk has one again; nothing reaches who is down', () => {
  const rejoined: number[] = [];
  const protocol: Protocol<Notes> = {
    ...notes,
    rejoin: (_, ctx) => {
      rejoined.push(ctx.self);
      ctx.save({ last: 9 });
    },
  };
  watched(protocol, (stage) => {
    stage.restart(1, 'lost');
    stage.restart(1);
    expect([rejoined, stage.view(1).last]).toEqual([[1], 9]);
    stage.propose([0], 'a');
    stage.crash(1);
    expect(stage.flights.map(({ to }) => to)).toEqual([0, 2]);
  });
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
