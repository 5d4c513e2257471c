import type { Observer } from '@quorumlab/checker';
import { expect, test } from 'vitest';
import {
  believing,
  type Counting,
  type CountingOptions,
  countingMessages,
  countingSeats,
} from '../fixtures/counting.ts';
import {
  type DiskModel,
  type Fault,
  lan,
  type Seat,
  type Simulation,
  type SimulationOptions,
  simulate,
  ssd,
} from './index.ts';

/** A run, and the promises in it that its disks have forgotten. */
function promises(
  seats: Partial<Seat<Counting>> & CountingOptions,
  more: Partial<SimulationOptions<Counting>>,
): [Simulation<Counting>, string[]] {
  const said = new Map<number, number>();
  const broken: string[] = [];
  const simulation = simulate<Counting>({
    messages: countingMessages,
    keyring: believing,
    seats: countingSeats(3, seats),
    network: lan,
    seed: 7,
    limits: { until: 60_000 },
    strict: true,
    watcher: {
      said(at, seat, { kind, number }) {
        if (kind === 'say' && number < (said.get(seat) ?? 0))
          broken.push(`${at}: seat ${seat} said ${number} after ${said.get(seat)}`);
        if (kind === 'say') said.set(seat, Math.max(number, said.get(seat) ?? 0));
      },
    },
    ...more,
  });
  simulation.run();
  return [simulation, broken];
}

const disks: Record<string, DiskModel> = {
  instant: {},
  ssd,
  torn: { ...ssd, torn: true },
  slow: { sync: { type: 'uniform', min: 1_000, max: 9_000 } },
};

for (const [name, disk] of Object.entries(disks))
  test(`a crash at any boundary forgets nothing that was said: ${name} disk`, () => {
    const limits = { until: 12_000 };
    const [calm] = promises({ disk }, { limits });
    // Time for the restart that follows the last crash.
    const longer = { until: 13_000 };
    for (const seat of [0, 1]) {
      const { boundaries } = calm.seat(seat);
      expect(boundaries).toBeGreaterThan(4);
      for (let boundary = 0; boundary < boundaries; boundary++) {
        const crashAt = { seat, boundary, restartAfter: 500 };
        const [simulation, broken] = promises({ disk }, { limits: longer, crashAt });
        expect(broken, `crash of ${seat} at ${boundary}`).toEqual([]);
        expect(simulation.counters.crashes).toBe(1);
        expect(simulation.seat(seat).starts).toBe(2);
      }
    }
  });

/** The last number that observers were told of, and the last one that the leader's disk decided. */
function toldAndKept(disk: DiskModel, more: Partial<SimulationOptions<Counting>>) {
  let told = 0;
  const observer: Observer = {
    decided: (_at, seat, { slot }) => {
      if (seat === 0) told = Math.max(told, slot);
    },
    violation: undefined,
  };
  const [simulation] = promises({ disk, repeat: 400 }, { observer, ...more });
  // The leader saves the next number in the step that decides one.
  return { told, kept: (simulation.seat(0).stable?.number ?? 0) - 1, simulation };
}

for (const [name, disk] of Object.entries(disks))
  test(`a crash hides nothing that is durable from observers: ${name} disk`, () => {
    const calm = toldAndKept(disk, { limits: { until: 12_000 } });
    for (let boundary = 0; boundary < calm.simulation.seat(0).boundaries; boundary++) {
      const crashAt = { seat: 0, boundary };
      const { told, kept } = toldAndKept(disk, { limits: { until: 12_000 }, crashAt });
      expect(told, `crash at ${boundary}`).toBeGreaterThanOrEqual(kept);
    }
    // While it writes, and while it is paused with a write that has ended.
    for (let at = 2_000; at < 12_000; at += 97)
      for (const pause of [0, 1_500]) {
        const faults: Fault[] = [
          { type: 'pause', at: at - pause, seat: 0 },
          { type: 'crash', at, seat: 0 },
        ];
        const { told, kept } = toldAndKept(disk, { faults });
        expect(told, `crash at ${at} after a pause of ${pause}`).toBeGreaterThanOrEqual(kept);
      }
  });

test('a fault crashes at a boundary that is still to come, and a restart calls it off', () => {
  const places: [number, string][] = [];
  const at = 1_700;
  const crash = { type: 'crash', at, seat: 0 } as const;
  const run = (faults: readonly Fault[]) => {
    const watcher = {
      cutOff: (_at: number, seat: number, where: string) => void places.push([seat, where]),
    };
    return promises({ disk: ssd }, { faults, watcher })[0].counters.crashes;
  };
  const boundaries = Array.from({ length: 8 }, (_, i) => i);
  expect(boundaries.map((boundary) => run([{ ...crash, boundary }]))).toEqual(
    boundaries.map(() => 1),
  );
  expect(new Set(places.map(([seat]) => seat))).toEqual(new Set([0]));
  const all = new Set(['before-write', 'after-write', 'before-message']);
  expect(new Set(places.map(([, where]) => where))).toEqual(all);
  places.length = 0;
  expect(run([{ ...crash, boundary: 2, before: 'say' }])).toBe(1);
  expect(places).toEqual([[0, 'before-message']]);
  expect(run([{ ...crash, boundary: 0, before: 'nothing that is ever said' }])).toBe(0);
  expect(
    run([
      { ...crash, boundary: 5 },
      { type: 'restart', at, seat: 0 },
    ]),
  ).toBe(0);
  expect(() => run([{ ...crash, boundary: -1 }])).toThrow(/an integer from 0/);
});

const restarts = (seat: number, disk?: 'nothing' | 'backup'): Fault[] =>
  Array.from({ length: 20 }, (_, i): Fault[] => [
    { type: 'crash', at: 2_000 * i + 1_700, seat },
    { type: 'restart', at: 2_000 * i + 1_800, seat, ...(disk ? { disk } : {}) },
  ]).flat();

test('who speaks before it is saved breaks its promise at some crash', () => {
  const [, broken] = promises({ disk: ssd, hasty: true }, { faults: restarts(0) });
  expect(broken).not.toEqual([]);
});

test('who has a disk that lies, loses everything or is stale breaks its promise too', () => {
  const slow = { type: 'constant', delay: 5_000 } as const;
  const [, lied] = promises({ disk: { sync: slow, lies: true } }, { faults: restarts(0) });
  expect(lied).not.toEqual([]);
  const [, amnesia] = promises({}, { faults: restarts(0, 'nothing') });
  expect(amnesia).not.toEqual([]);
  const backup: Fault = { type: 'backup', at: 1_000, seat: 0 };
  const [stale, forgot] = promises({}, { faults: [backup, ...restarts(0, 'backup')] });
  expect(forgot).not.toEqual([]);
  expect(stale.seat(0).stable?.number).toBeGreaterThan(0);
});

test('what was not synced is lost, what was synced comes back', () => {
  const disk: DiskModel = { sync: { type: 'constant', delay: 3_000 } };
  const simulation = simulate<Counting>({
    messages: countingMessages,
    keyring: believing,
    seats: countingSeats(1, { disk }),
    network: lan,
    seed: 1,
    limits: { until: 100_000 },
  });
  // Number 1 is saved from 0 on and synced at 3,000; number 2 would be at 6,000.
  simulation.runUntil(5_000);
  expect(simulation.seat(0).machine?.snapshot().stable.number).toBe(2);
  expect(simulation.seat(0).stable?.number).toBe(1);
  simulation.inject({ type: 'crash', at: 5_000, seat: 0 });
  simulation.inject({ type: 'restart', at: 5_500, seat: 0 });
  simulation.runUntil(5_400);
  expect(simulation.seat(0)).toMatchObject({ running: false, machine: undefined });
  simulation.runUntil(5_500);
  expect(simulation.seat(0).machine?.snapshot().stable.number).toBeLessThanOrEqual(2);
  expect(simulation.seat(0).stable?.number).toBe(1);
});

test('a disk that fails or is full stops its seat alone, with a reason', () => {
  const cases: [DiskModel, RegExp][] = [
    [{ fails: true }, /SyncFailed/],
    [{ ...ssd, fails: true }, /SyncFailed/],
    [{ full: true }, /DiskFull/],
  ];
  for (const [disk, reason] of cases) {
    const fault: Fault = { type: 'disk', at: 5_000, seat: 1, disk };
    const [simulation, broken] = promises({ disk: ssd }, { faults: [fault] });
    expect(simulation.seat(1)).toMatchObject({ running: false });
    expect(simulation.seat(1).reason).toMatch(reason);
    expect(simulation.seat(0).running && simulation.seat(2).running).toBe(true);
    expect(broken).toEqual([]);
    const before = simulation.seat(1).stable?.number ?? 0;
    expect(simulation.seat(0).stable?.number).toBeGreaterThan(before + 5);
  }
});

test('machines that keep what they wrote and change it are found out by a strict disk', () => {
  const seats = countingSeats(1).map(
    (seat): Seat<Counting> => ({
      ...seat,
      make(stable, host) {
        const inner = seat.make(stable, host);
        const row = { number: 0 };
        return {
          ...inner,
          step(input) {
            const output = inner.step(input);
            row.number++;
            // A row that its writer goes on changing: wrong, and not to be seen from the disk.
            const put = { type: 'put', table: 'log', index: 0, row } as const;
            return row.number > 1 ? output : { ...output, writes: [put] };
          },
        };
      },
    }),
  );
  const run = (strict: boolean): unknown => {
    const simulation = simulate<Counting>({
      messages: countingMessages,
      keyring: believing,
      seats,
      network: lan,
      seed: 1,
      limits: { events: 20 },
      strict,
    });
    simulation.run();
    return simulation.seat(0).stable?.log.get(0);
  };
  expect(run(true)).toEqual({ number: 1 });
  expect(run(false)).not.toEqual({ number: 1 });
});

test('observers are told what a restarted machine still has, and what a step has replaced', () => {
  const told: [boolean, number, number][] = [];
  promises(
    {},
    {
      faults: [
        { type: 'crash', at: 9_000, seat: 1 },
        { type: 'restart', at: 9_500, seat: 1 },
      ],
      // The registers stand in for a service's: 3 is a snapshot, and so is all that is found.
      installed: ({ number = 0 }, when) =>
        when === 'restart' ? 1_000 + number : number === 3 ? 3 : undefined,
      observer: {
        installed: (at, seat, slot) => void told.push([at < 9_000, seat, slot]),
        violation: undefined,
      },
    },
  );
  expect(told.filter(([early]) => early).map(([, seat, slot]) => [seat, slot])).toEqual(
    expect.arrayContaining([0, 1, 2].map((seat) => [seat, 3])),
  );
  const [later] = told.filter(([early]) => !early);
  expect(later?.[1]).toBe(1);
  expect(later?.[2]).toBeGreaterThan(1_003);
  expect(told).toHaveLength(4);
});

test('who has lost its disk is told so at every start, until the new one holds something', () => {
  const told: (true | undefined)[] = [];
  const watching = (seat: Seat<Counting>): Seat<Counting> => ({
    ...seat,
    make(stable, host) {
      const machine = seat.make(stable, host);
      const step: typeof machine.step = (input) => {
        if (input.event.type === 'start') told.push(input.event.rejoin);
        return machine.step(input);
      };
      return { ...machine, step };
    },
  });
  const slow: DiskModel = { sync: { type: 'constant', delay: 500 } };
  simulate<Counting>({
    messages: countingMessages,
    keyring: believing,
    seats: countingSeats(3, { disk: slow }).map((seat, i) => (i === 0 ? watching(seat) : seat)),
    network: lan,
    seed: 7,
    limits: { until: 30_000 },
    faults: [
      { type: 'crash', at: 9_000, seat: 0 },
      { type: 'restart', at: 10_000, seat: 0, disk: 'lost' },
      { type: 'crash', at: 10_001, seat: 0 },
      { type: 'restart', at: 11_000, seat: 0 },
      { type: 'crash', at: 20_000, seat: 0 },
      { type: 'restart', at: 21_000, seat: 0 },
    ],
  }).run();
  expect(told).toEqual([undefined, true, true, undefined]);
});
