import { firstClient, idle, type Output } from '@quorumlab/core';
import { expect, test } from 'vitest';
import {
  type Counter,
  counter,
  heard,
  make,
  propose,
  timersOf,
  told,
  traitor,
} from '../test/counter.ts';
import { listening } from './behaviour.ts';
import {
  always,
  atSlots,
  type Behaviour,
  chain,
  delay,
  drop,
  equivocate,
  from,
  hasty,
  misreport,
  never,
  onceAfter,
  onceLeading,
  replay,
  restarts,
  silentTo,
} from './index.ts';

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

test('an equivocator tells itself the truth, and who cannot lie has told no lie', () => {
  const liar = traitor(equivocate(() => true));
  liar.step(propose(5));
  expect(told(liar.step(propose(6))).map(([, value]) => value)).toEqual([6, 5, 5, 5]);
  const { conflict: _, ...truthful } = counter;
  const { step, fired } = traitor(
    equivocate(() => true),
    truthful,
  );
  step(propose(5));
  expect(told(step(propose(6))).map(([, value]) => value)).toEqual([6, 6, 6, 6]);
  expect(fired).toEqual([]);
});

test('an equivocator that repeats a message repeats its lie, whatever it has heard since', () => {
  const message = { kind: 'order', view: 1, slot: 1, value: 9 } as const;
  const repeats: Behaviour<Counter> = (honest) => ({
    ...honest,
    step: () => ({ ...idle<Counter>(), sends: [{ to: 1, message }] }),
  });
  const { step } = traitor(
    chain(
      repeats,
      equivocate(() => true),
    ),
  );
  expect(told(step(propose(9)))).toEqual([[1, 9]]);
  expect(told(step(propose(7)))).toEqual([[1, 9]]);
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

test('a restart is seen in its step: what starting asks for comes first, then the event', () => {
  const { step, machine, fired } = traitor(restarts('lost', from(100)));
  step(propose(5), 0);
  // Its first event is no moment for a restart.
  expect(step({ type: 'start' }, 200).writes).toEqual([]);
  expect(fired).toEqual([]);
  const output = step(propose(6), 200);
  expect(output.writes).toEqual([
    { type: 'save', registers: { said: 0 } },
    { type: 'drop', table: 'rows', rows: { from: 0 } },
    { type: 'save', registers: { said: 1 } },
    { type: 'put', table: 'rows', index: 1, row: 6 },
  ]);
  expect([told(output), timersOf(output)]).toEqual([[['all', 6]], ['tick']]);
  expect(fired).toEqual(['restart']);
  expect(machine.snapshot().stable).toEqual({ said: 1, rows: new Map([[1, 6]]) });
  expect(machine.fork().snapshot()).toEqual(machine.snapshot());
  machine.restore({ stable: { said: 7, rows: new Map() }, volatile: { leading: true } });
  expect(machine.status().leader).toBe(0);
});

test('a disk that is kept is not written anew', () => {
  const { step, fired } = traitor(restarts('kept', from(100)));
  step(propose(5), 0);
  expect(step(heard(1), 100).writes).toEqual([]);
  expect(fired).toEqual(['restart']);
});

test('haste shortens what is set and nothing else, and ends when it leads', () => {
  const asks: Behaviour<Counter> = (honest) => ({
    ...honest,
    step: () => ({
      ...idle<Counter>(),
      timers: [
        { type: 'clear', timer: 'tick' },
        { type: 'set', timer: 'tick', after: 8000 },
        { type: 'set', timer: 'tick', after: 800 },
        { type: 'set', timer: 'tick', after: [4000, 16_000] },
      ],
    }),
  });
  const { step } = traitor(chain(asks, hasty(4)));
  const after = (output: Output<Counter>) =>
    output.timers.map((each) => (each.type === 'set' ? each.after : each.type));
  for (const event of [propose(1), propose(2)])
    expect(after(step(event))).toEqual(['clear', 2000, 800, [1000, 4000]]);
  const tick = { type: 'timeout', timer: 'tick' } as const;
  expect(after(step(tick))).toEqual(['clear', 2000, 800, [1000, 4000]]);
  expect(after(step(tick))).toEqual(['clear', 4000, 800, [2000, 8000]]);
  for (let i = 0; i < 3; i++) step(tick);
  expect(after(step(tick))).toEqual(['clear', 8000, 800, [4000, 16_000]]);
  const leader = traitor(hasty(10));
  leader.step(heard(99));
  leader.step(heard(1));
  expect(after(leader.step({ type: 'start' }))).toEqual([[1000, 2000]]);
  // No timer, nothing to shorten.
  expect(leader.step(heard(1))).toEqual(idle());
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
