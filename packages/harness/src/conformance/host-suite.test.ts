import { range, type Shape } from '@quorumlab/core';
import { type DiskModel, type Simulation, simulate, ssd, uniformNetwork } from '@quorumlab/sim';
import { idealAuthority, idealKeyring } from '@quorumlab/wire';
import { describe, expect, test } from 'vitest';
import { type HostedGroup, type HostSetup, type MakeHost, testHost } from './host-suite.ts';

const network = uniformNetwork('any order', { delay: { type: 'uniform', min: 100, max: 900 } });

/** The simulator as a host under test: time passes when somebody waits. */
const simulated =
  (seed: number, disk: DiskModel = ssd): MakeHost =>
  async <S extends Shape>(setup: HostSetup<S>): Promise<HostedGroup<S>> => {
    const authority = idealAuthority();
    const { n, make, messages } = setup;
    const run: Simulation<S> = simulate<S>({
      messages,
      keyring: (_seat, self) => idealKeyring({ authority, messages, protocol: { messages }, self }),
      seats: range(n).map((principal) => ({
        principal,
        make: (stable) => make(principal, stable),
        disk,
      })),
      network,
      seed,
      limits: {},
    });
    const pass = async (microseconds: number): Promise<void> => {
      run.runUntil(run.now + microseconds);
    };
    await pass(1);
    return {
      propose: (seat, command) =>
        run.input({ at: run.now, seat, event: { type: 'propose', command } }),
      async crash(seat) {
        run.inject({ type: 'crash', at: run.now, seat });
        await pass(0);
      },
      async restart(seat) {
        run.inject({ type: 'restart', at: run.now, seat });
        await pass(0);
      },
      async until(condition) {
        for (let i = 0; i < 100_000; i++) {
          if (condition()) return;
          if (!run.step()) await pass(1000);
        }
        throw new Error(`in vain, after ${run.now} microseconds of simulated time`);
      },
      pass,
      failure: (seat) => run.seat(seat).reason,
      end: async () => void run.finish(),
    };
  };

describe.each([1, 2, 3])('the simulator with seed %i as a host', (seed) => {
  for (const { name, run } of testHost(simulated(seed))) test(name, run);
});

test('a host whose disk lies is caught', async () => {
  const durable = testHost(simulated(1, { ...ssd, lies: true })).find(({ name }) =>
    name.startsWith('what was said is on the disk'),
  );
  await expect(durable?.run()).rejects.toThrow('was kept');
});
