import {
  firstClient,
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
import { expect, test } from 'vitest';
import {
  all,
  always,
  atSlots,
  atViews,
  type Behaviour,
  chain,
  chance,
  coalition,
  delay,
  drop,
  equivocate,
  from,
  hasty,
  never,
  onceAfter,
  onceLeading,
  type Power,
  place,
  replay,
  restarts,
  silentTo,
  slotsBetween,
  type Trigger,
  twoFaced,
  viewsBetween,
} from './index.ts';

const order = message('order', { view: integer(), slot: integer(), value: integer() });
const ask = message('ask', { sequence: integer(), value: integer() });
const kinds = messages(order, ask);

interface Counter extends Shape {
  Stable: { said: number };
  Volatile: { leading: boolean };
  Message: Infer<typeof kinds>;
  Timer: 'tick' | 'adversary/delay';
  Command: number;
}

/** Broadcasts every proposal as an order for the next slot; hearing value 99 makes it a leader. */
const counter: Protocol<Counter> = {
  name: 'counter',
  version: 1,
  claims: { faults: 'crash', replicas: (f) => 2 * f + 1, order: 'total' },
  members: range(4),
  f: 1,
  client: { matching: 1, ask: 'any', signed: false },
  messages: kinds,
  stored: { said: integer() },
  stable: () => ({ said: 0 }),
  volatile: () => ({ leading: false }),
  start: (_replica, ctx) => ctx.setTimer('tick', [1000, 2000]),
  propose(replica, value, ctx) {
    ctx.save({ said: replica.said + 1 });
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

const make = (stable?: Counter['Stable']): Machine<Counter> =>
  replica(counter, 0, { digest: () => '0'.repeat(64), ...(stable ? { stable } : {}) });

function traitor(behave: Behaviour<Counter>): {
  machine: Machine<Counter>;
  fired: string[];
  step: (event: Input<Counter>['event'], now?: number) => Output<Counter>;
} {
  const fired: string[] = [];
  let dice = 0;
  const power: Power<Counter> = {
    protocol: counter,
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

const propose = (command: number) => ({ type: 'propose', command }) as const;
const heard = (value: number): Input<Counter>['event'] => {
  const body: Counter['Message'] = { kind: 'order', view: 1, slot: 1, value };
  return { type: 'message', message: seal(body, 1, new Uint8Array() as Signature) };
};
const told = (output: Output<Counter>): (readonly [unknown, number])[] =>
  output.sends.map(({ to, message }) => [to, message.value]);

test('an equivocator tells two halves two values, itself the true one, and breaks a vow', () => {
  const { step, fired } = traitor(equivocate((to) => to >= 2));
  step(propose(5));
  expect(told(step(propose(6)))).toEqual([
    [0, 6],
    [1, 6],
    [2, 5],
    [3, 5],
  ]);
  expect(fired).toEqual(Array(4).fill('equivocate'));
});

test('an equivocator limited to other kinds or moments is honest', () => {
  for (const behave of [
    equivocate<Counter>(() => true, never),
    equivocate<Counter>(() => true, always, ['vote']),
  ]) {
    const { step, fired } = traitor(behave);
    expect(told(step(propose(6))).map(([, value]) => value)).toEqual([6, 6, 6, 6]);
    expect(fired).toEqual([]);
  }
});

test('silence towards some leaves the others and itself served', () => {
  const { step } = traitor(silentTo((to) => to < 3));
  expect(told(step(propose(6)))).toEqual([
    [0, 6],
    [3, 6],
  ]);
});

test('behaviours chain: silence after a lie', () => {
  const { step } = traitor(
    chain(
      equivocate((to) => to === 2),
      silentTo((to) => to === 3),
    ),
  );
  step(propose(5));
  expect(told(step(propose(6)))).toEqual([
    [0, 6],
    [1, 6],
    [2, 5],
  ]);
});

test('drop loses what its trigger names and nothing else', () => {
  const { step } = traitor(drop(atSlots(2)));
  expect(told(step(propose(5)))).toHaveLength(4);
  expect(told(step(propose(6)))).toEqual([[0, 6]]);
});

test('a delayed message comes when it is due, once, in order', () => {
  const { step } = traitor(delay(500, (to) => to === 1));
  expect(step(propose(5), 10).timers).toContainEqual({
    type: 'set',
    timer: 'adversary/delay',
    after: 500,
  });
  step(propose(6), 100);
  const due = step({ type: 'timeout', timer: 'adversary/delay' }, 510);
  expect(told(due)).toEqual([[1, 5]]);
  expect(due.timers).toEqual([{ type: 'set', timer: 'adversary/delay', after: 90 }]);
  expect(told(step({ type: 'timeout', timer: 'adversary/delay' }, 600))).toEqual([[1, 6]]);
});

test('replay repeats only what this node said', () => {
  const { step, fired } = traitor(replay(always));
  step(propose(5));
  const again = step(heard(1));
  expect(again.sends).toHaveLength(1);
  expect(again.sends[0]?.message.value).toBe(5);
  expect(fired).toContain('replay');
});

test('a restart keeps or loses the disk', () => {
  for (const [disk, said] of [
    ['kept', 1],
    ['lost', 0],
  ] as const) {
    const { step, machine } = traitor(restarts(disk, from(100)));
    step(propose(5), 0);
    expect(step(heard(1), 100).timers).toHaveLength(1);
    expect(machine.snapshot().stable.said).toBe(said);
  }
});

test('who forgets has forgotten it on the disk too', () => {
  const { step } = traitor(restarts('lost', from(100)));
  expect(step(propose(5), 0).writes).toContainEqual({ type: 'save', registers: { said: 1 } });
  expect(step(heard(1), 100).writes).toContainEqual({ type: 'save', registers: { said: 0 } });
});

test('who comes back empty and had nothing to forget has not lied', () => {
  const { step, fired } = traitor(restarts('lost', onceAfter(100, 300)));
  step(heard(1), 100);
  expect(fired).toEqual([]);
  step(propose(5), 200);
  step(heard(1), 400);
  step(heard(1), 500);
  expect(fired).toEqual(['restart']);
});

test('each campaign that comes to nothing halves the hurry', () => {
  const { step } = traitor(hasty(2));
  const again = (): unknown =>
    step({ type: 'timeout', timer: 'tick' }).timers.map(
      (each) => each.type === 'set' && each.after,
    );
  expect([again(), again()]).toEqual([[[1000, 1000]], [[1000, 2000]]]);
});

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

test('haste divides delays', () => {
  expect(traitor(hasty(10)).step({ type: 'start' }).timers).toEqual([
    { type: 'set', timer: 'tick', after: [1000, 1000] },
  ]);
});

test('onceLeading misbehaves from the moment it leads', () => {
  const { step } = traitor(onceLeading(silentTo(() => true)));
  expect(told(step(propose(5)))).toEqual([['all', 5]]);
  step(heard(99));
  expect(told(step(propose(6)))).toEqual([[0, 6]]);
  step(heard(1));
  expect(told(step(propose(7)))).toEqual([[0, 7]]);
});

test('triggers read view and slot from the vows', () => {
  const said = { kind: 'order', view: 7, slot: 3, value: 1 } as const;
  const at = { now: 50, random: { below: () => 1 }, ...place(counter, said) };
  const yes: Trigger[] = [
    always,
    atSlots(3),
    atViews(7),
    slotsBetween(1, 3),
    viewsBetween(7, 9),
    from(50),
    chance(2, 4),
    all(always, atViews(7)),
  ];
  const no: Trigger[] = [
    never,
    atSlots(4),
    atViews(8),
    slotsBetween(4, 9),
    viewsBetween(1, 6),
    from(51),
    chance(1, 4),
    all(always, never),
  ];
  expect(yes.map((trigger) => trigger(at))).toEqual(yes.map(() => true));
  expect(no.map((trigger) => trigger(at))).toEqual(no.map(() => false));
});
