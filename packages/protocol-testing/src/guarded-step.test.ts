import { type Input, type Machine, range, type Shape } from '@quorumlab/core';
import { expect, test } from 'vitest';
import { guardedStep } from './guarded-step.ts';

type State = Record<string, unknown>;

const output = {
  lines: ['a line'],
  sends: [],
} as unknown as ReturnType<Machine<Shape>['step']>;

const message = { kind: 'vote', from: 1 };
const input = { now: 0, event: { type: 'message', message } } as unknown as Input<Shape>;

/** Steps a machine that refuses everything and does `change` to its state all the same. */
function refused(change: (state: State) => void, said: object = output): void {
  const state = (): State => ({
    term: 1,
    log: new Map([[1, { term: 1, bytes: new Uint8Array(2) }]]),
    voters: new Set([1, 2]),
    list: [{ a: 1 }, undefined],
    nested: { deep: { is: 'a' } },
  });
  const own = state();
  let isChanged = false;
  const machine = {
    self: 0,
    admits: () => false,
    step() {
      isChanged = true;
      return said;
    },
    snapshot() {
      const volatile = state();
      if (isChanged) change(volatile);
      return { stable: own, volatile };
    },
  } as unknown as Machine<Shape>;
  guardedStep(machine, input);
}

const changes: readonly ((state: State) => void)[] = [
  (state) => (state.term = 2),
  (state) => (state.term = undefined),
  (state) => delete state.term,
  (state) => (state.more = 1),
  (state) => (state.log as Map<number, unknown>).clear(),
  (state) => (state.log as Map<number, unknown>).set(2, 1),
  (state) => ((state.log as Map<number, { term: number }>).get(1)!.term = 2),
  (state) => ((state.log as Map<number, State>).get(1)!.bytes = new Uint8Array(3)),
  (state) => (state.log = [1]),
  (state) => (state.voters as Set<number>).add(3),
  (state) => (state.voters = new Set([1, 3])),
  (state) => (state.voters = new Map(range(2).map((i) => [i, i]))),
  (state) => ((state.list as State[])[0]!.a = 2),
  (state) => (state.list as unknown[]).pop(),
  (state) => (state.nested = { deep: { is: 'b' } }),
  (state) => (state.nested = null),
];

test.each(changes.map((change) => [`${change}`, change] as const))(
  'a guard that refuses what the step then does is found: %s',
  (_name, change) => expect(() => refused(change)).toThrow(/refuses \{"type":"message"/),
);

test('and so it is where the step says something, and not where it does nothing at all', () => {
  expect(() => refused(() => undefined, { lines: [], sends: [1] })).toThrow(/refuses/);
  refused(() => undefined);
});
