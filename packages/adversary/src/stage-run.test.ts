/** What a stage does by itself: timers, snapshots, reads, and what it finds wrong. */
import type { Protocol, Stage } from '@quorumlab/core';
import { expect, test } from 'vitest';
import { type Notes, notes, played, shelf, watched } from '../test/notes.ts';
import { playExhibit } from './index.ts';

test('what a member tells itself arrives at once where hosts do so', () => {
  const heard: string[] = [];
  const protocol: Protocol<Notes> = {
    ...notes,
    propose(_, __, ctx) {
      ctx.sendEarly(1, { kind: 'note', number: 1 });
      ctx.broadcast({ kind: 'note', number: 2 });
      for (const client of [65_536, 70_000]) ctx.send(client, { kind: 'note', number: 3 });
    },
    on: {
      note: (_, { number }, ctx) =>
        void heard.push(`n${ctx.self} ${number} ${ctx.clock.earliest} ${ctx.clock.latest}`),
    },
  };
  for (const selfAtOnce of [true, false]) {
    heard.length = 0;
    const play = (stage: Stage<Notes>) => {
      stage.wait(5);
      stage.propose([0], 'a');
      expect(heard).toEqual(selfAtOnce ? ['n0 2 5 5'] : []);
      expect(stage.flights.map(({ to, at }) => `${to} ${at}`)).toEqual(
        selfAtOnce ? ['1 5', '1 5', '2 5'] : ['1 5', '0 5', '1 5', '2 5'],
      );
      stage.pass();
      expect(heard).toHaveLength(4);
      stage.propose([0], 'a');
      stage.settle(({ to }) => to === 1);
      expect(stage.flights).toEqual([]);
      stage.propose([0], 'a');
      expect(stage.hold()).toHaveLength(selfAtOnce ? 3 : 4);
      expect(stage.digest({} as never, {})).toBe('0'.repeat(64));
    };
    playExhibit<Notes>(
      { options: { n: 3 }, shows: 'forked', story: '', selfAtOnce, play },
      protocol,
      { digest: () => '0'.repeat(64), operation: (text) => new TextEncoder().encode(text) },
    );
  }
});

test('timers are cleared, set anew and forgotten in a crash, and the earliest fires first', () => {
  const fired: string[] = [];
  const protocol: Protocol<Notes> = {
    ...notes,
    start: (_, ctx, incarnation) =>
      ctx.setTimer('tick', incarnation === 0 ? 300 - 100 * ctx.self : 50),
    timeout: (_, __, ctx) => void fired.push(`${ctx.now} n${ctx.self}`),
    propose: (_, __, ctx) => ctx.clearTimer('tick'),
  };
  const { heard } = watched(protocol, (stage) => {
    stage.propose([1], 'a');
    expect(stage.due(1, 'tick')).toBeUndefined();
    stage.run(99);
    expect(fired).toEqual([]);
    stage.run(300);
    expect(fired).toEqual(['100 n2', '300 n0']);
    stage.crash(0);
    expect(stage.due(0, 'tick')).toBeUndefined();
    stage.restart(0);
    stage.restart(2, 'lost');
    expect([stage.due(0, 'tick'), stage.due(2, 'tick')]).toEqual([
      [350, 350],
      [350, 350],
    ]);
    stage.run(1000, () => fired.length === 3);
    stage.fire(1, 'tick');
    expect(fired.slice(2)).toEqual(['350 n0', '350 n1']);
  });
  expect(heard.filter((each) => !each.endsWith('steps'))).toEqual([
    '7 n0 crashes',
    '8 n0 restarts',
    '10 n2 crashes',
    '11 n2 restarts without its disk',
  ]);
});

test('who only the liars have answered waits still, and each stall is counted', () => {
  const { faults } = watched(shelf, (stage) => {
    stage.propose([0], 'a');
    stage.propose([1], 'b');
    stage.propose([], 'c');
    stage.betray(0);
    stage.expectAnswers('at the end');
    expect(stage.answered).toBe(1);
    stage.expect(false, 'liveness', 'nobody leads');
  });
  expect(faults).toMatchObject([
    { word: 'stalled', sentence: '2 requests are unanswered at the end', members: [] },
    { word: 'stalled', rule: 'liveness', sentence: 'nobody leads', members: [] },
  ]);
});

test('a group that was changed has another state, and whoever is given it is told', () => {
  const told: unknown[] = [];
  const digests: string[] = [];
  const protocol: Protocol<Notes> = {
    ...shelf,
    propose(_, command, ctx) {
      const { configuration: state } = command;
      ctx.decide(0, [], undefined, state && { state });
      ctx.decide(1, [command]);
    },
    snapshotTaken: (_, slot, digest, ctx, configuration) => {
      digests.push(digest);
      told.push(configuration);
      ctx.fetchSnapshot(slot, digest, []);
    },
    snapshotInstalled: (_, __, ___, ____, configuration) => void told.push(configuration),
  };
  const change = Uint8Array.of(7);
  watched(protocol, (stage) => {
    stage.propose([0], 'a', { configuration: change });
    stage.propose([1], 'z', { configuration: Uint8Array.of(8) });
    stage.propose([2], 'b');
    stage.install(0);
    // Nobody has a snapshot of that digest.
    stage.betray(1);
    stage.hand(2, stage.sign({ kind: 'note', number: 5 }, 1));
    stage.install(2);
  });
  expect(told).toEqual([change, Uint8Array.of(8), undefined, change]);
  expect(new Set(digests).size).toBe(3);
});

test('reads that nobody asked for are no reads, and each has a number of its own', () => {
  const asked: number[] = [];
  const protocol: Protocol<Notes> = {
    ...shelf,
    snapshotEvery: 0,
    read(_, id, ctx) {
      asked.push(id);
      ctx.allowRead(id + 100, -1);
    },
  };
  const { faults } = watched(protocol, (stage) => {
    stage.propose([0], 'a');
    for (const member of [0, 1]) stage.read(member);
  });
  expect([faults, asked]).toEqual([[], [0, 1]]);
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
