/** Traitors with two faces, alone and together. */
import { firstClient, type Input, type Output, type Signature, seal } from '@quorumlab/core';
import { expect, test } from 'vitest';
import { type Counter, counter, make, propose, timersOf, told } from '../test/counter.ts';
import { coalition, type Power, twoFaced } from './index.ts';

test('two faces: each side hears one copy, and traitors know which of them spoke', () => {
  const shared = coalition();
  const fired: string[] = [];
  const power: Power<Counter> = {
    protocol: counter,
    members: counter.members,
    random: { below: () => 0 },
    make,
    coalition: shared,
    fire: (what) => fired.push(what),
  };
  const sides = { traitors: [0, 1], second: [3] };
  const machine = twoFaced<Counter>(sides, 1)(make(), power);
  const hear = (from: number, sequence: number) => {
    const asked: Counter['Message'] = { kind: 'ask', sequence, value: sequence };
    const message = seal(asked, from, new Uint8Array() as Signature);
    return machine.step({
      now: 0,
      clock: { earliest: 0, latest: 0 },
      event: { type: 'message', message },
    });
  };
  expect([0, 1].map((i) => told(hear(firstClient, i)))).toEqual([
    [
      [0, 0],
      [1, 0],
      [2, 0],
    ],
    [
      [0, 1],
      [1, 1],
      [3, 1],
    ],
  ]);
  expect(fired).toEqual(['two faces']);
  const order = (value: number) => ({ kind: 'order', view: 7, slot: 1, value });
  expect([0, 1, 9].map((value) => shared.facesOf(0, order(value)))).toEqual([[0], [1], [0, 1]]);
  // Asked once more, a request is heard by both.
  expect(told(hear(firstClient, 0)).map(([to]) => to)).toEqual([0, 1, 2, 0, 1, 3]);
});

/** A traitor with two faces among four, and what a message from somebody makes it say. */
function janus(hurry = 1) {
  const fired: string[] = [];
  const power: Power<Counter> = {
    protocol: counter,
    members: counter.members,
    random: { below: () => 0 },
    make,
    fire: (what) => fired.push(what),
  };
  const machine = twoFaced<Counter>({ traitors: [0, 1], second: [3] }, hurry)(make(), power);
  const step = (event: Input<Counter>['event']): Output<Counter> =>
    machine.step({ now: 0, clock: { earliest: 0, latest: 0 }, event });
  const hear = (from: number, body: Counter['Message']) => {
    const message = seal<Counter['Message']>(body, from, new Uint8Array() as Signature);
    return step({ type: 'message', message });
  };
  const ask = (from: number, sequence: number) => hear(from, { kind: 'ask', sequence, value: 8 });
  return { machine, fired, step, hear, ask };
}

test('two faces have timers of their own, and what only one hears is the first one’s', () => {
  const { step, machine, hear } = janus();
  const [first, second] = ['adversary/face-0/tick', 'adversary/face-1/tick'];
  expect(timersOf(step({ type: 'start' }))).toEqual([first, second]);
  for (const timer of [first, second])
    expect(timersOf(step({ type: 'timeout', timer: timer as 'tick' }))).toEqual([timer]);
  expect(timersOf(step({ type: 'timeout', timer: 'tick' }))).toEqual([first]);
  expect(told(step(propose(5))).map(([to]) => to)).toEqual([0, 1, 2]);
  // What its second side says makes the second copy a leader, and nobody is told of that.
  const order = { kind: 'order', view: 1, slot: 1, value: 99 } as const;
  hear(3, order);
  expect(machine.status().leader).toBeUndefined();
  hear(2, order);
  expect(machine.status().leader).toBe(0);
  expect(timersOf(janus(10).step({ type: 'start' }))).toHaveLength(2);
});

test('the second face has no disk, and both begin anew where they are put back to', () => {
  const { machine, ask, fired } = janus();
  // Even numbers go to the first face and odd ones to the second.
  expect(ask(firstClient, 2).writes).toHaveLength(2);
  const hidden = ask(firstClient, 3);
  expect([hidden.writes, hidden.decisions, hidden.applied, hidden.answers]).toEqual([
    ...[[], [], [], []],
  ]);
  expect(told(hidden).map(([to]) => to)).toEqual([0, 1, 3]);
  // Both have said the same about the same: nobody can tell the faces apart by that.
  expect(fired).toEqual([]);
  const { volatile } = machine.snapshot();
  const fork = machine.fork();
  machine.restore({ stable: { said: 20, rows: new Map() }, volatile });
  const slots = [ask(firstClient, 4), ask(firstClient, 5)].map(({ sends }) =>
    sends.map(({ message }) => message.kind === 'order' && message.slot),
  );
  expect(slots).toEqual([Array(3).fill(21), Array(3).fill(21)]);
  expect(fork.snapshot().stable.said).toBe(1);
  expect(fork.self).toBe(0);
  // The same about another thing is no lie either; another value about one is.
  expect(fired).toEqual([]);
  ask(firstClient, 6);
  janus();
  expect(fired).toEqual([]);
});

test('what traitors tell each other is heard by the copy that it was meant for', () => {
  const { ask } = janus();
  // Of a traitor that shares no memory nobody knows which face spoke: both hear it.
  expect(told(ask(1, 1)).map(([to]) => to)).toEqual([0, 1, 2, 0, 1, 3]);
  expect(told(ask(2, 1)).map(([to]) => to)).toEqual([0, 1, 2]);
  expect(told(ask(3, 1)).map(([to]) => to)).toEqual([0, 1, 3]);
});
