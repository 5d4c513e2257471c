/**
 * What a log keeps of large values is bounded in bytes, and not by the number of its entries: also
 * while one replica is away for good, with the options that a group has unless it is told others.
 */
import { keptBehindBytes, ms, range, snapshotEveryBytes } from '@quorumlab/core';
import type { OptionValues } from '@quorumlab/harness';
import { expect, test } from 'vitest';
import { writers } from '../support/writers.ts';

const isLong = process.env.QUORUMLAB_LONG_TESTS === '1';

const groups: readonly (readonly [protocol: string, n: number, options: OptionValues])[] = [
  ['raft', 3, {}],
  ['zab', 3, {}],
  ['multi-paxos', 3, {}],
  ['flexible-paxos', 4, { q1: 3, q2: 2 }],
];

const MiB = 1 << 20;
const valueBytes = 30_000;
const keys = 50;
/** What is written in all: more than may be kept. */
const writes = Math.ceil(((isLong ? 200 : 66) * MiB) / valueBytes);
/** The state of 1.5 MB in its chunks, snapshots and sessions, and what is under way. */
const slack = 12 * MiB;

/** Bytes of all byte strings in `value`, each counted once. */
function weigh(value: unknown, seen: Set<unknown>): number {
  if (typeof value !== 'object' || value === null || seen.has(value)) return 0;
  seen.add(value);
  if (value instanceof Uint8Array) return value.length;
  const parts = value instanceof Map ? [...value.values()] : Object.values(value);
  return parts.reduce<number>((sum, part) => sum + weigh(part, seen), 0);
}

const tried = isLong ? groups : groups.slice(0, 1);

test.each(tried)('%s with %i nodes %o keeps within its bound', (protocol, n, options) => {
  const write = (id: number): string => `${id}`.padEnd(valueBytes, 'x');
  const busy = writers({ protocol, n, options, clients: 8, keys, seed: '11', write });
  const { simulation } = busy;
  simulation.inject({ type: 'crash', at: ms(1_000), seat: n - 1 });
  let most = 0;
  while (busy.answered < writes) {
    expect(simulation.runUntil(simulation.now + ms(1_000)), `after ${busy.answered}`).toBe(true);
    for (const seat of range(n)) {
      const state = simulation.seat(seat).machine?.snapshot();
      if (state !== undefined) most = Math.max(most, weigh(state, new Set()));
    }
  }
  // It is the bound that holds it, not that little was written.
  expect(most).toBeGreaterThan(snapshotEveryBytes / 2);
  expect(most).toBeLessThan(snapshotEveryBytes + keptBehindBytes + slack);
});
