/** A snapshot without its sessions runs an old command again, on one replica only. */
import type { Machine } from '@quorumlab/core';
import { installedBy, kv, type Serviced } from '@quorumlab/log';
import { type MultiPaxos, multiPaxos } from '@quorumlab/multi-paxos';
import { expect, test } from 'vitest';
import { client, groupOf, request } from '../support/serviced-group.ts';

type Shape = Serviced<MultiPaxos>;

/** Forgets who has asked for what whenever it takes over a snapshot. */
function forgetful(right: Machine<Shape>): Machine<Shape> {
  return {
    ...right,
    step(input) {
      const output = right.step(input);
      if (installedBy(output) === undefined) return output;
      const { stable, volatile } = right.snapshot();
      right.restore({
        stable,
        volatile: {
          ...volatile,
          service: { ...volatile.service, sessions: { forgotten: 0, clients: [] } },
        },
      });
      return output;
    },
  };
}

/** The values that each replica holds in the end. */
function valuesOf(
  spoil: (right: Machine<Shape>) => Machine<Shape>,
): readonly (string | undefined)[] {
  let alive: readonly number[] = [0, 1];
  const group = groupOf(
    multiPaxos({ n: 3, snapshotEvery: 2, keepSlots: 0 }),
    (right, id) => (id === 2 ? spoil(right) : right),
    (from, to) => !alive.includes(from) || !alive.includes(to),
  );
  const ask = (id: number, i: number): void =>
    group.hears(id, client, request(i + 1, kv.append('log', `${i};`)));
  group.timeout(0, 'election');
  for (const i of [0, 1, 2, 3]) ask(0, i);
  // Replica 2 comes late: what it lacks is in a snapshot only.
  alive = [0, 1, 2];
  group.timeout(0, 'heartbeat');
  group.timeout(2, 'catch-up');
  // It leads, and the client asks once more for what it asked first.
  group.timeout(2, 'election');
  ask(2, 0);
  group.timeout(2, 'heartbeat');
  return group.values('log');
}

test('A-50: without sessions in the snapshot, states differ', () => {
  expect(valuesOf(forgetful)).toEqual(['0;1;2;3;', '0;1;2;3;', '0;1;2;3;0;']);
});

test('with them, the same command runs once everywhere', () => {
  const values = valuesOf((right) => right);
  expect(new Set(values).size).toBe(1);
  expect(values[0]).toBe('0;1;2;3;');
});
