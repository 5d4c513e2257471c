import type { Observer, Violation } from '@quorumlab/checker';
import {
  idle,
  type Machine,
  messages,
  type Output,
  type Request,
  request,
  type Signed,
} from '@quorumlab/core';
import { expect, test } from 'vitest';
import { believing } from '../fixtures/counting.ts';
import {
  type Fault,
  type InputSource,
  lan,
  type ScheduledInput,
  type Seat,
  type SimulationOptions,
  simulate,
} from './index.ts';

const words = messages(request);

interface Asking {
  readonly Stable: object;
  readonly Volatile: object;
  readonly Message: Request;
  readonly Timer: string;
  readonly Command: Signed<Request>;
}

const machine = (self: number, step: Machine<Asking>['step']): Machine<Asking> => ({
  self,
  step,
  snapshot: () => ({ stable: {}, volatile: {} }),
  restore() {},
  fork: () => machine(self, step),
  status: () => ({ term: 0, role: 'scripted' }),
});

const client = 65_536;
const out = (part: Partial<Output<Asking>>): Output<Asking> => ({ ...idle<Asking>(), ...part });

/** Sends each wish as a request of one operation, and takes the request's echo for the answer. */
function asking(): Machine<Asking> {
  let sequence = 10;
  const ids = new Map<number, number>();
  return machine(client, ({ event }) => {
    if (event.type === 'submit') {
      ids.set(++sequence, event.id);
      const operations = [event.operation.slice()];
      const message: Request = { kind: 'request', client, sequence, acknowledged: 0, operations };
      // Twice, as if it had been repeated: it is asked once.
      return out({
        sends: [
          { to: 0, message },
          { to: 0, message: { ...message } },
        ],
      });
    }
    if (event.type !== 'message') return out({});
    const id = ids.get(event.message.sequence);
    if (id === undefined) return out({});
    ids.delete(event.message.sequence);
    return out({ answers: [{ id, result: Uint8Array.of(id) }] });
  });
}

/** Decides what it hears, one slot each, and echoes it to the client. */
function deciding(self: number): Machine<Asking> {
  let slot = 0;
  return machine(self, ({ event }) => {
    if (event.type !== 'message') return out({});
    const { from: _, signature: __, ...message } = event.message;
    return out({
      decisions: [{ slot: slot++, commands: [event.message] }],
      sends: [{ to: client, message }],
    });
  });
}

const wish = (id: number): ScheduledInput<Asking> => ({
  at: id * 1_000,
  seat: 2,
  event: { type: 'submit', id, operation: Uint8Array.of(id, id), readOnly: false },
});

function run(
  more: Partial<SimulationOptions<Asking>>,
  seats: Partial<Seat<Asking>> = {},
): string[] {
  const heard: string[] = [];
  const observer: Observer = {
    asked: (at, { sequence }) => void heard.push(`${at} asked ${sequence}`),
    answered: (_, by, sequence, results) =>
      void heard.push(`answered ${by === client} ${sequence} ${results}`),
    decided: (_, seat, { slot, commands }) =>
      void heard.push(`${seat} decided ${slot} ${commands.map(({ sequence }) => sequence)}`),
    started: (_, seat) => void heard.push(`${seat} started`),
    stopped: (_, seat) => void heard.push(`${seat} stopped`),
    healed: (at) => void heard.push(`${at} healed`),
    end: (at) => void heard.push(`${at} end`),
    violation: undefined,
  };
  simulate<Asking>({
    messages: words,
    keyring: believing,
    seats: [
      { principal: 0, make: () => deciding(0), ...seats },
      { principal: 1, make: () => deciding(1) },
      { principal: client, make: asking },
    ],
    network: lan,
    seed: 3,
    limits: { until: 50_000 },
    observer,
    inputs: { next: () => undefined },
    ...more,
  }).run();
  return heard;
}

test('observers hear what clients asked and believed, under the sequences of the requests', () => {
  const list = [wish(1), wish(2)];
  const heard = run({ inputs: { next: () => list.shift() } });
  expect(heard).toEqual([
    '0 started',
    '1 started',
    '2 started',
    '0 healed',
    '1000 asked 11',
    '0 decided 0 11',
    '0 decided 1 11',
    'answered true 11 1',
    '2000 asked 12',
    '0 decided 2 12',
    '0 decided 3 12',
    'answered true 12 2',
    '50000 end',
  ]);
});

test('observers do not see traitors', () => {
  const list = [wish(1)];
  const heard = run({ inputs: { next: () => list.shift() } }, { traitor: true });
  expect(heard.filter((line) => line.startsWith('0 decided') || line === '0 started')).toEqual([]);
  expect(heard).toContain('answered true 11 1');
});

test('a closed loop: an answer brings the next wish, a refusal is told', () => {
  const refused: number[] = [];
  const inputs: InputSource<Asking> = {
    next: (
      (first: ScheduledInput<Asking>[]) => () =>
        first.shift()
    )([wish(1)]),
    answered: (at, _, { id }) => (id < 5 ? { ...wish(id + 1), at: at + 10 } : undefined),
    refused: (at, _, event) => {
      if (event.type !== 'submit') return undefined;
      refused.push(event.id);
      return { ...wish(event.id), at: at + 100 };
    },
  };
  const faults: Fault[] = [
    { type: 'crash', at: 0, seat: 2 },
    { type: 'restart', at: 1_950, seat: 2 },
  ];
  const heard = run({ inputs, faults });
  expect(heard.filter((line) => line.startsWith('answered'))).toHaveLength(5);
  expect(refused).toHaveLength(10);
});

test('it is healed when the last fault is over, nothing is cut and nobody is paused', () => {
  const at = (faults: Fault[]): string | undefined =>
    run({ faults }).find((line) => line.endsWith('healed'));
  const split: Fault = { type: 'split', at: 1_000, groups: [[0], [1]] };
  expect(at([split])).toBeUndefined();
  expect(at([split, { type: 'heal', at: 5_000 }])).toBe('5000 healed');
  expect(at([{ type: 'pause', at: 1_000, seat: 0 }])).toBeUndefined();
  expect(at([{ type: 'crash', at: 1_000, seat: 0 }])).toBe('1000 healed');
});

test('the first violation ends the run, unless the scenario wants to go on', () => {
  const violation: Violation = { word: 'forked', rule: 'test', sentence: 'x', at: 0, seats: [] };
  const go = (stopAtViolation: boolean): [string, boolean] => {
    let seen = false;
    const list = [wish(1), wish(2)];
    const result = simulate<Asking>({
      messages: words,
      keyring: believing,
      seats: [
        { principal: 0, make: () => deciding(0) },
        { principal: 1, make: () => deciding(1) },
        { principal: client, make: asking },
      ],
      network: lan,
      seed: 3,
      limits: { until: 50_000 },
      inputs: { next: () => list.shift() },
      observer: {
        decided: () => void (seen = true),
        get violation() {
          return seen ? violation : undefined;
        },
      },
      stopAtViolation,
    }).run();
    return [result.ending, result.violation === violation];
  };
  expect(go(true)).toEqual(['violation', true]);
  expect(go(false)).toEqual(['idle', true]);
});
