import {
  type Delay,
  type Event,
  type Infer,
  type Input,
  idle,
  integer,
  type Machine,
  message,
  messages,
  type Output,
  type PrincipalId,
  range,
  type Signed,
} from '@quorumlab/core';
import { expect, test } from 'vitest';
import { believing } from '../fixtures/counting.ts';
import {
  type Fault,
  heldCap,
  type LinkModel,
  lossy,
  partiallySynchronous,
  type Seat,
  type Simulation,
  type SimulationOptions,
  simulate,
  uniformNetwork,
} from './index.ts';

const words = messages(
  message('ping', { number: integer() }),
  message('pong', { number: integer() }),
);

interface Chatter {
  readonly Stable: object;
  readonly Volatile: object;
  readonly Message: Infer<typeof words>;
  readonly Timer: string;
  readonly Command: unknown;
}

type Reaction = (input: Input<Chatter>) => Partial<Output<Chatter>>;

/** A machine that does what it is told here. */
const scripted = (self: PrincipalId, react: Reaction): Machine<Chatter> => ({
  self,
  step: (input) => ({ ...idle<Chatter>(), ...react(input) }),
  snapshot: () => ({ stable: {}, volatile: {} }),
  restore() {},
  fork: () => scripted(self, react),
  status: () => ({ term: 0, role: 'scripted' }),
});

interface Heard {
  readonly seat: number;
  readonly now: number;
  readonly event: Event<Chatter>;
}

/** Seats that react as told, and everything they hear. */
function stage(
  principals: readonly PrincipalId[],
  react: (seat: number, input: Input<Chatter>) => Partial<Output<Chatter>>,
  more: Partial<SimulationOptions<Chatter>> = {},
): { readonly simulation: Simulation<Chatter>; readonly heard: Heard[] } {
  const heard: Heard[] = [];
  const seats = principals.map(
    (principal, seat): Seat<Chatter> => ({
      principal,
      make: () =>
        scripted(principal, (input) => {
          heard.push({ seat, now: input.now, event: input.event });
          return react(seat, input);
        }),
    }),
  );
  const simulation = simulate<Chatter>({
    messages: words,
    keyring: believing,
    seats,
    network: uniformNetwork('even', { delay: { type: 'constant', delay: 100 } }),
    seed: 1,
    limits: { until: 100_000 },
    ...more,
  });
  return { simulation, heard };
}

const every = (after: Delay): Partial<Output<Chatter>> => ({
  timers: [{ type: 'set', timer: 'beat', after }],
});

/** Every seat says a numbered ping to all, each millisecond. */
const beating = (_seat: number, { now, event }: Input<Chatter>): Partial<Output<Chatter>> =>
  event.type === 'message'
    ? {}
    : { ...every(1_000), sends: [{ to: 'all', message: { kind: 'ping', number: now } }] };

const from = (heard: readonly Heard[], seat: number, sender: number): number[] =>
  heard.flatMap(({ seat: at, event }) =>
    at === seat && event.type === 'message' && event.message.from === sender
      ? [(event.message as Signed<Infer<typeof words>>).number]
      : [],
  );

const within = (list: readonly number[], low: number, high: number): number =>
  list.filter((each) => each >= low && each < high).length;

test('a timer set again replaces, a cleared one never fires, and one fires once', () => {
  const { simulation, heard } = stage([0], (_, { event, now }) => {
    if (event.type === 'start')
      return {
        timers: [
          { type: 'set', timer: 'later', after: 500 },
          { type: 'set', timer: 'later', after: 900 },
          { type: 'set', timer: 'sooner', after: 900 },
          { type: 'set', timer: 'sooner', after: 300 },
          { type: 'set', timer: 'never', after: 100 },
          { type: 'clear', timer: 'never' },
          { type: 'clear', timer: 'unknown' },
          { type: 'set', timer: 'stopped', after: 700 },
        ],
      };
    return now === 300 ? { timers: [{ type: 'clear', timer: 'stopped' }] } : {};
  });
  simulation.run();
  const fired = heard.flatMap(({ now, event }) =>
    event.type === 'timeout' ? [[event.timer, now]] : [],
  );
  expect(fired).toEqual([
    ['sooner', 300],
    ['later', 900],
  ]);
});

test('timers with endless names are forgotten, and those of a crash never fire', () => {
  const { simulation, heard } = stage(
    [0],
    (_, { now }) => ({ timers: [{ type: 'set', timer: `view/${now}`, after: 10 }] }),
    { faults: [{ type: 'crash', at: 50_005, seat: 0 }] },
  );
  const result = simulation.run();
  expect(heard).toHaveLength(5_001);
  expect(result.ending).toBe('idle');
});

test('a random delay is drawn within its bounds', () => {
  const { simulation, heard } = stage([0], () => every([100, 200]), { limits: { events: 2_000 } });
  simulation.run();
  const gaps = heard.slice(1).map(({ now }, i) => now - (heard[i] as Heard).now);
  expect(Math.min(...gaps)).toBe(100);
  expect(Math.max(...gaps)).toBe(200);
});

test('a split cuts both ways, a cut one way or one kind, and healing ends it', () => {
  const faults: Fault[] = [
    { type: 'split', at: 10_000, groups: [[0], [1]] },
    { type: 'heal', at: 20_000 },
    { type: 'cut', at: 30_000, from: [0], to: [1] },
    { type: 'heal', at: 40_000 },
    { type: 'cut', at: 50_000, from: [1], to: [0, 2], kinds: ['pong'] },
    { type: 'cut', at: 60_000, from: [1], to: [0], kinds: ['ping'] },
  ];
  const { simulation, heard } = stage([0, 1, 2], beating, { faults });
  simulation.run();
  for (const [seat, sender] of [
    [0, 1],
    [1, 0],
  ] as const) {
    expect(within(from(heard, seat, sender), 0, 9_900)).toBe(10);
    expect(within(from(heard, seat, sender), 9_901, 20_000)).toBe(0);
    expect(within(from(heard, seat, sender), 20_000, 29_900)).toBe(10);
  }
  expect(within(from(heard, 1, 0), 29_901, 40_000)).toBe(0);
  expect(within(from(heard, 0, 1), 30_000, 40_000)).toBe(10);
  expect(within(from(heard, 0, 1), 50_000, 60_000)).toBe(10);
  expect(within(from(heard, 0, 1), 60_000, 99_000)).toBe(0);
  // Seats in no group reach everybody, and nobody is ever cut off from himself.
  expect(within(from(heard, 2, 0), 0, 90_000)).toBe(90);
  expect(within(from(heard, 0, 0), 0, 90_000)).toBe(90);
});

test('a paused seat hears later and in order what it missed; a crash while paused loses it', () => {
  const faults: Fault[] = [
    { type: 'pause', at: 10_500, seat: 1 },
    { type: 'resume', at: 20_500, seat: 1 },
    { type: 'pause', at: 30_500, seat: 1 },
    { type: 'crash', at: 40_500, seat: 1 },
    { type: 'restart', at: 40_600, seat: 1 },
  ];
  const { simulation, heard } = stage([0, 1], beating, { faults });
  simulation.run();
  const mine = heard.filter(({ seat }) => seat === 1);
  // Ten messages, one timer, and what the seat then says to itself.
  expect(mine.some(({ now }) => now > 10_500 && now < 20_500)).toBe(false);
  expect(mine.filter(({ now }) => now === 20_500)).toHaveLength(12);
  const numbers = from(heard, 1, 0);
  expect(within(numbers, 10_000, 20_000)).toBe(10);
  expect(within(numbers, 31_000, 40_000)).toBe(0);
  expect([...numbers].sort((a, b) => a - b)).toEqual(numbers);
});

test('what waits for a paused seat is bounded', () => {
  const many = Array.from({ length: 1_000 }, (_, number) => ({
    to: 1,
    message: { kind: 'ping', number } as const,
  }));
  const { simulation } = stage(
    [0, 1],
    (seat, { event }) =>
      seat === 0 && event.type !== 'message' ? { ...every(100), sends: many } : {},
    { faults: [{ type: 'pause', at: 0, seat: 1 }], limits: { until: 10_000 } },
  );
  const { counters } = simulation.run();
  expect(counters.dropped).toBeGreaterThan(20_000);
  expect(counters.sent - counters.dropped).toBeLessThan(heldCap + 2_000);
});

test('a machine that throws stops alone, says nothing of that step, and the reason is kept', () => {
  const { simulation, heard } = stage([0, 1], (seat, input) => {
    if (seat === 1 && input.now > 5_000) throw new RangeError('out of range');
    return beating(seat, input);
  });
  simulation.run();
  expect(simulation.seat(1)).toMatchObject({ running: false, reason: 'RangeError: out of range' });
  expect(within(from(heard, 0, 1), 5_001, 100_000)).toBe(0);
  expect(within(from(heard, 0, 0), 5_001, 99_999)).toBeGreaterThan(90);
});

test('what has no encoding or no such kind is the fault of who said it', () => {
  for (const sent of [
    { kind: 'ping', number: -1 },
    { kind: 'pang', number: 1 },
  ]) {
    const { simulation } = stage(
      [0, 1],
      (seat, { event }) =>
        seat === 0 && event.type === 'start'
          ? { sends: [{ to: 1, message: sent as Infer<typeof words> }] }
          : {},
      { strict: true },
    );
    simulation.run();
    expect(simulation.seat(0).reason).toMatch(/SchemaError/);
    expect(simulation.seat(1).running).toBe(true);
  }
});

test('twins share a name: both hear what is said to it, one at once what it says itself', () => {
  const { simulation, heard } = stage([0, 1, 1], (seat, { event }) =>
    event.type === 'start'
      ? { sends: [{ to: 'all', message: { kind: 'ping', number: seat } }] }
      : {},
  );
  simulation.run();
  for (const seat of [0, 1, 2]) {
    expect([...from(heard, seat, 1)].sort()).toEqual([1, 2]);
    expect(from(heard, seat, 0)).toEqual([0]);
    const first = heard.filter((each) => each.seat === seat)[1];
    expect(first?.now).toBe(0);
    expect(from(first ? [first] : [], seat, seat === 0 ? 0 : 1)).toEqual([seat]);
  }
});

test('a signature that is wrong reaches no machine, and is counted once per recipient', () => {
  const { simulation, heard } = stage([0, 1, 2], beating, {
    keyring: (seat, principal) => ({
      ...believing<Infer<typeof words>>(seat, principal),
      check: ({ from: by }) => by !== 2,
      checkEvidence: (_, [evidence]) => evidence === undefined,
    }),
    evidence: ({ number }) =>
      number === 7_000
        ? [{ kind: 'ping', number, from: 0, signature: new Uint8Array() } as never]
        : [],
  });
  const { counters } = simulation.run();
  expect(from(heard, 0, 2)).toEqual([]);
  expect(from(heard, 0, 1)).not.toContain(7_000);
  expect(from(heard, 0, 1)).toContain(8_000);
  expect(counters.refused).toBe(counters.dropped);
  expect(counters.verified).toBe(counters.delivered + counters.refused);
});

test('links keep the order they promise; what is under way at GST arrives by GST + Δ', () => {
  const order = (link: LinkModel): boolean => {
    const { simulation, heard } = stage([0, 1], beating, { network: uniformNetwork('x', link) });
    simulation.run();
    const numbers = from(heard, 1, 0);
    return numbers.every((each, i) => i === 0 || each >= (numbers[i - 1] as number));
  };
  const delay = { type: 'uniform', min: 0, max: 20_000 } as const;
  expect(order({ delay })).toBe(false);
  expect(order({ delay, fifo: true })).toBe(true);

  const gst = 50_000;
  const network = partiallySynchronous({ gst, delta: 2_000, worst: 90_000 });
  const { simulation, heard } = stage([0, 1], beating, { network });
  simulation.run();
  const late = heard.flatMap(({ now, event }) =>
    event.type === 'message' && event.message.from !== 1 && now > gst + 2_000
      ? [now - event.message.number]
      : [],
  );
  expect(late.length).toBeGreaterThan(20);
  expect(Math.max(...late)).toBeLessThanOrEqual(2_000);
});

test('only members get what is said to all; nobody gets what is said to a stranger', () => {
  const client = 65_536;
  const { simulation, heard } = stage([0, 1, client], (seat, { event }) =>
    seat === 0 && event.type === 'start'
      ? {
          sends: [
            { to: 'all', message: { kind: 'ping', number: 1 } },
            { to: client, message: { kind: 'pong', number: 2 } },
            { to: 99, message: { kind: 'pong', number: 3 } },
          ],
        }
      : {},
  );
  const { counters } = simulation.run();
  expect(range(3).map((seat) => from(heard, seat, 0))).toEqual([[1], [1], [2]]);
  expect(counters.dropped).toBe(1);
});

test('a seat lives by its own clock', () => {
  const { simulation, heard } = stage([0, 1], () => every(1_000), {
    faults: [{ type: 'skew', at: 0, seat: 1, driftPerBillion: 100_000_000 }],
    network: lossy,
  });
  simulation.run();
  const beats = (seat: number): number => heard.filter((each) => each.seat === seat).length;
  expect(beats(0)).toBe(101);
  expect(beats(1)).toBe(111 - 1);
});
