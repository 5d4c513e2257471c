import {
  firstClient,
  type Infer,
  type Input,
  idle,
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
import { listening } from './behaviour.ts';
import { fingerprint } from './fingerprint.ts';
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
  misreport,
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

test('what is delayed by a moment or a recipient that does not fit goes out at once', () => {
  const { step, fired } = traitor(delay(500, undefined, atSlots(2)));
  expect(told(step(propose(5), 10)).map(([to]) => to)).toEqual([0, 1, 2, 3]);
  expect([fired, step(heard(1), 11).timers]).toEqual([[], []]);
  // To itself nobody is late.
  expect(told(step(propose(6), 12))).toEqual([[0, 6]]);
  expect(fired).toEqual(['delay', 'delay', 'delay']);
  // It comes with what else was late, and nothing rings after that.
  const due = step({ type: 'timeout', timer: 'adversary/delay' }, 512);
  expect(told(due)).toEqual([1, 2, 3].map((to) => [to, 6]));
  expect(due.timers).toEqual([]);
  // Its own timers are the honest machine's.
  expect(step({ type: 'timeout', timer: 'tick' }, 600).timers).toMatchObject([{ timer: 'tick' }]);
});

test('who holds back has an end to what it holds: then it lets all go', () => {
  const { step } = traitor(delay(1e9));
  let held = 0;
  for (let i = 0; i < 1400; i++) held += 3 - (told(step(propose(i))).length - 1);
  expect(held).toBe(4096);
});

test('a reply is a lie to clients only, and what is no reply is not touched', () => {
  const replies: Behaviour<Counter> = (honest) => ({
    ...honest,
    step: () => ({
      ...idle<Counter>(),
      sends: [
        { to: firstClient, message: { kind: 'reply', results: [Uint8Array.of(1)] } },
        { to: firstClient, message: { kind: 'query-reply', results: [Uint8Array.of(2)] } },
        { to: firstClient, message: { kind: 'query-reply', results: null } },
        { to: firstClient, message: { kind: 'other', results: [Uint8Array.of(3)] } },
        { to: firstClient, message: { kind: 'reply' } },
        { to: firstClient - 1, message: { kind: 'reply', results: [Uint8Array.of(4)] } },
      ] as never,
    }),
  });
  const { step, fired } = traitor(
    chain(
      replies,
      misreport((each) => each.map((byte) => byte + 8)),
    ),
  );
  const said = step(heard(1)).sends.map(
    ({ message }) =>
      (message as unknown as { readonly results?: readonly Uint8Array[] }).results?.[0]?.[0],
  );
  expect(said).toEqual([9, 10, undefined, 3, undefined, 4]);
  expect(fired).toEqual(['wrong reply', 'wrong reply']);
});

test('a traitor says early what an honest one does, to whom it wants', () => {
  const early: Behaviour<Counter> = (honest) => ({
    ...honest,
    step(input) {
      const { sends, ...rest } = honest.step(input);
      return { ...rest, early: sends, sends: [] };
    },
  });
  const { step } = traitor(
    chain(
      early,
      silentTo((to) => to === 2),
    ),
  );
  const output = step(propose(5));
  expect([output.early.map(({ to }) => to), output.sends]).toEqual([[0, 1, 3], []]);
});

test('a wrapped machine is the honest one in all but its steps', () => {
  const { machine, step } = traitor(silentTo(() => true));
  step(propose(5));
  const honest = make();
  const input = { now: 0, clock: { earliest: 0, latest: 0 }, event: propose(5) };
  honest.step(input);
  expect(machine.snapshot()).toEqual(honest.snapshot());
  expect([machine.self, machine.status()]).toEqual([honest.self, honest.status()]);
  const fork = machine.fork();
  fork.step(input);
  expect(machine.snapshot().stable.said).toBe(1);
  machine.restore(fork.snapshot());
  expect(machine.snapshot().stable.said).toBe(2);
});

test('a liar knows the last requests that it heard of, each once', () => {
  const known = listening<Counter>();
  for (let i = 0; i < 70; i++) {
    known.note(propose(i));
    known.note(propose(i));
    known.note(heard(i));
  }
  expect(known.commands).toEqual(Array.from({ length: 64 }, (_, i) => i + 6));
  const request = { kind: 'request', value: 1 } as never;
  known.note({ type: 'message', message: request });
  expect(known.commands.at(-1)).toBe(request);
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

test('a once trigger fires once after each instant, however late it is asked', () => {
  const trigger = onceAfter(10, 20, 30);
  const fires = [5, 10, 11, 25, 26, 40, 50].filter((now) =>
    trigger({ now, view: undefined, slot: undefined, random: { below: () => 0 } }),
  );
  expect(fires).toEqual([10, 25, 40]);
});

test('what is about no view and no slot is at none', () => {
  const ask = { kind: 'ask', sequence: 1, value: 1 } as const;
  expect(place(counter, ask)).toEqual({ view: undefined, slot: undefined });
  expect(place({}, ask)).toEqual({ view: undefined, slot: undefined });
  const words = { vows: () => [['vote/7x/12/3', 'a'] as const] };
  expect(place<Counter>(words, ask)).toEqual({ view: 12, slot: 3 });
  const at = { now: 0, random: { below: () => 0 }, ...place(counter, ask) };
  for (const trigger of [atSlots(0), atViews(0), slotsBetween(0, 9), viewsBetween(0, 9)])
    expect(trigger(at)).toBe(false);
  const edges = (slot: number) => slotsBetween(2, 3)({ ...at, slot });
  expect([1, 2, 3, 4].map(edges)).toEqual([false, true, true, false]);
  const views = (view: number) => viewsBetween(2, 3)({ ...at, view });
  expect([1, 2, 3, 4].map(views)).toEqual([false, true, true, false]);
});

test('the name of a statement is the same for equal ones only, whoever has sealed it', () => {
  const parts = [1, '1', null, undefined, true, Uint8Array.of(1), [1], { a: 1 }, new Map([[1, 1]])];
  const names = parts.map((part) => fingerprint({ part }));
  expect(new Set(names).size).toBe(parts.length);
  expect(fingerprint({ a: 1, b: 2 })).toBe(fingerprint({ b: 2, a: 1 }));
  expect(fingerprint({ a: 1, from: 1, signature: 2 })).toBe(fingerprint({ a: 1, from: 3 }));
  // Only the outer seal does not count.
  expect(fingerprint({ a: { from: 1 } })).not.toBe(fingerprint({ a: { from: 2 } }));
  expect(fingerprint({ a: 12, b: 3 })).not.toBe(fingerprint({ a: 1, b: 23 }));
  expect(fingerprint({})).toMatch(/^[0-9a-f]{16}$/);
});

test('a coalition remembers who said what with which face, and the latest of too many', () => {
  const shared = coalition();
  shared.note(1, { a: 1 }, 0);
  shared.note(1, { a: 2 }, 1);
  expect([shared.facesOf(1, { a: 1 }), shared.facesOf(1, { a: 2 })]).toEqual([[0], [1]]);
  expect([shared.facesOf(2, { a: 1 }), shared.facesOf(1, { a: 3 })]).toEqual([
    [0, 1],
    [0, 1],
  ]);
  shared.note(1, { a: 1 }, 0);
  expect(shared.facesOf(1, { a: 1 })).toEqual([0]);
  shared.note(1, { a: 1 }, 1);
  expect(shared.facesOf(1, { a: 1 })).toEqual([0, 1]);
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
