/** The smallest protocol that has something to lie about, and a traitor in it. */
import {
  type Infer,
  type Input,
  integer,
  type Machine,
  message,
  messages,
  type Output,
  type Protocol,
  range,
  replica,
  type Shape,
  type Signature,
  seal,
} from '@quorumlab/core';
import type { Behaviour, Power } from '../src/index.ts';

const order = message('order', { view: integer(), slot: integer(), value: integer() });
const ask = message('ask', { sequence: integer(), value: integer() });
const kinds = messages(order, ask);

export interface Counter extends Shape {
  Stable: { said: number; rows: ReadonlyMap<number, number> };
  Volatile: { leading: boolean };
  Message: Infer<typeof kinds>;
  Timer: 'tick' | 'adversary/delay';
  Command: number;
}

/** Broadcasts every proposal as an order for the next slot; hearing value 99 makes it a leader. */
export const counter: Protocol<Counter> = {
  name: 'counter',
  version: 1,
  claims: { faults: 'crash', replicas: (f) => 2 * f + 1, order: 'total' },
  members: range(4),
  f: 1,
  client: { matching: 1, ask: 'any', signed: false },
  messages: kinds,
  stored: { said: integer(), rows: integer() },
  stable: () => ({ said: 0, rows: new Map() }),
  volatile: () => ({ leading: false }),
  start: (_replica, ctx) => ctx.setTimer('tick', [1000, 2000]),
  propose(replica, value, ctx) {
    ctx.save({ said: replica.said + 1 });
    ctx.put('rows', replica.said, value);
    ctx.broadcast({ kind: 'order', view: 7, slot: replica.said, value });
  },
  timeout: (_replica, _timer, ctx) => ctx.setTimer('tick', [1000, 2000]),
  on: {
    ask: (replica, { value }, ctx) => counter.propose(replica, value, ctx),
    order(replica, { value }) {
      replica.leading = value === 99;
    },
  },
  status: ({ leading }) => ({ term: 0, role: 'counter', ...(leading ? { leader: 0 } : {}) }),
  vows: (said) =>
    said.kind === 'order' ? [[`order/${said.view}/${said.slot}`, `${said.value}`]] : [],
  conflict: (said, fork, known) => ({
    ...said,
    value: (known.find((each) => each !== said.value) ?? said.value) + 0.5 * fork,
  }),
};

export const make = (stable?: Counter['Stable']): Machine<Counter> =>
  replica(counter, 0, { digest: () => '0'.repeat(64), ...(stable ? { stable } : {}) });

export function traitor(
  behave: Behaviour<Counter>,
  protocol: Power<Counter>['protocol'] = counter,
): {
  machine: Machine<Counter>;
  fired: string[];
  step: (event: Input<Counter>['event'], now?: number) => Output<Counter>;
} {
  const fired: string[] = [];
  let dice = 0;
  const power: Power<Counter> = {
    protocol,
    members: counter.members,
    random: { below: (limit) => dice++ % limit },
    make,
    fire: (what) => fired.push(what),
  };
  const machine = behave(make(), power);
  const step = (event: Input<Counter>['event'], now = 0): Output<Counter> =>
    machine.step({ now, clock: { earliest: now, latest: now }, event });
  return { machine, fired, step };
}

export const propose = (command: number) => ({ type: 'propose', command }) as const;
export const heard = (value: number): Input<Counter>['event'] => {
  const body: Counter['Message'] = { kind: 'order', view: 1, slot: 1, value };
  return { type: 'message', message: seal(body, 1, new Uint8Array() as Signature) };
};
export const told = (output: Output<Counter>): (readonly [unknown, number])[] =>
  output.sends.map(({ to, message }) => [to, message.value]);
export const timersOf = ({ timers }: Output<Counter>): string[] =>
  timers.map(({ timer }) => String(timer));
