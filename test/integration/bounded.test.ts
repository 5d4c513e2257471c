/**
 * Every protocol runs for ever in bounded memory, also while one replica is away for good, and
 * brings one back that has lost its disk. Memory is what a machine's snapshot is made of.
 */
import { ms, range } from '@quorumlab/core';
import type { AnyShape, OptionValues } from '@quorumlab/harness';
import type { Simulation } from '@quorumlab/sim';
import { describe, expect, test } from 'vitest';
import { writers } from '../support/writers.ts';

type Group = readonly [protocol: string, n: number, options: OptionValues];

const groups: readonly Group[] = [
  ['raft', 3, { snapshotEvery: 20, keepEntries: 5 }],
  ['zab', 3, { snapshotEvery: 20, keepTransactions: 5 }],
  ['multi-paxos', 3, { snapshotEvery: 20, keepSlots: 5 }],
  ['epaxos', 3, { snapshotEvery: 20 }],
  ['flexible-paxos', 4, { q1: 3, q2: 2, snapshotEvery: 20, keepSlots: 5 }],
  ['pbft', 4, { checkpointEvery: 16 }],
  ['hotstuff', 4, { checkpointEvery: 16, rules: 'jolteon' }],
  ['hotstuff', 4, { checkpointEvery: 16, rules: 'hotstuff-2' }],
  ['hotstuff', 4, { checkpointEvery: 16, rules: 'chained' }],
  ['tendermint', 4, { checkpointEvery: 16, window: 32 }],
  ['streamlet', 4, { checkpointEvery: 16, window: 32 }],
  ['minbft', 3, { checkpointEvery: 16, window: 32 }],
];

/** How many values a piece of state is made of; 32 bytes count as one. */
function weight(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 1;
  if (value instanceof Uint8Array) return 1 + Math.ceil(value.length / 32);
  const parts =
    value instanceof Map
      ? [...value].flat()
      : value instanceof Set || Array.isArray(value)
        ? [...value]
        : Object.values(value);
  return parts.reduce<number>((sum, part) => sum + weight(part), 1);
}

/** What replica `seat` holds. */
function load(simulation: Simulation<AnyShape>, seat: number): number {
  const state = simulation.seat(seat).machine?.snapshot();
  if (state === undefined) return 0;
  // Names of requests that ran, so that they do not run again: the last 10,000, and no
  // run of a test is long enough to fill it.
  const { executed = null, ...volatile } = state.volatile as { readonly executed?: object };
  expect(weight(executed)).toBeLessThan(10_100);
  return weight({ ...state.stable, ...volatile });
}

interface World {
  readonly simulation: Simulation<AnyShape>;
  /** Goes on until so many writes have been answered in all. */
  answer(count: number): void;
  /** The heaviest of the replicas that run. */
  heaviest(): number;
}

function world([protocol, n, options]: Group): World {
  const busy = writers({ protocol, n, options, clients: 4, keys: 5, seed: '7', write: String });
  const { simulation } = busy;
  return {
    simulation,
    answer(count) {
      while (busy.answered < count)
        expect(simulation.runUntil(simulation.now + ms(50)), `after ${busy.answered}`).toBe(true);
    },
    heaviest: () => Math.max(...range(n).map((seat) => load(simulation, seat))),
  };
}

describe.each(groups)('%s with %i nodes %o', (...group) => {
  test('holds as much after 3,000 writes as after 1,000, whoever is away', () => {
    const { simulation, answer, heaviest } = world(group);
    /** The most that was held at moments of which some lie just before a snapshot. */
    const most = (from: number): number =>
      Math.max(
        ...range(12).map((i) => {
          answer(from + i * 43);
          return heaviest();
        }),
      );
    const before = most(500);
    const away = group[1] - 1;
    simulation.inject({ type: 'crash', at: simulation.now, seat: away });
    answer(2_500);
    expect(most(2_500)).toBeLessThan(before * 1.5);
    // Back without its disk: what the others have dropped it can only have from a snapshot.
    simulation.inject({ type: 'restart', at: simulation.now, seat: away, disk: 'lost' });
    answer(3_300);
    const [mine, first] = [away, 0].map((seat) => simulation.seat(seat).stable?.serviceSnapshot);
    expect(mine?.slot).toBeGreaterThan((first?.slot ?? 0) - 100);
    expect(most(3_300)).toBeLessThan(before * 1.5);
  });
});
