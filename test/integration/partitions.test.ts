/**
 * Section 5.3.2 of TOCS 2002, state transfer by partitions: a replica of PBFT that fell behind
 * fetches what differs from what it holds, and takes nothing that the certificate of the stable
 * checkpoint does not stand for. The partitions are the leaves of the store.
 */
import { rewrite } from '@quorumlab/adversary';
import { ms, type Protocol, range } from '@quorumlab/core';
import { simulateService } from '@quorumlab/harness';
import {
  keyValueStore,
  kv,
  type LogShape,
  type Serviced,
  type ServiceMessage,
} from '@quorumlab/log';
import { pbft } from '@quorumlab/pbft';
import { uniformNetwork } from '@quorumlab/sim';
import { digestOf } from '@quorumlab/wire';
import { expect, test } from 'vitest';

const values = 64;
const valueBytes = 20_000;
const lazy = 3;

interface ServiceState {
  readonly service: {
    readonly next: number;
    readonly hash: number;
    readonly kept: readonly { readonly manifest: { readonly chunks: readonly string[] } }[];
  };
}

/** Replica 3 sleeps while one of many values is written again and again, and comes back. */
function broughtBack({ disk, lies }: { disk: 'synced' | 'lost'; lies: boolean }) {
  const protocol = pbft({ n: 4, checkpointEvery: 8, digest: digestOf });
  const group = simulateService<LogShape>(protocol as unknown as Protocol<LogShape>, {
    stateMachine: keyValueStore,
    network: uniformNetwork('20 ms', { delay: { type: 'constant', delay: ms(20) }, fifo: true }),
    until: ms(3_600_000),
    traitors: lies
      ? {
          0: (honest, power) =>
            rewrite<Serviced<LogShape>>(honest, power.members, (to, message) => {
              const said = message as ServiceMessage;
              if (said.kind !== 'snapshot-chunk') return [{ to, message }];
              power.fire('lie');
              const bytes = said.bytes.map((byte) => byte ^ 1);
              return [{ to, message: { ...said, bytes } }];
            }),
        }
      : {},
  });
  const { simulation, submit } = group;
  const stateOf = (seat: number): ServiceState['service'] => {
    const volatile = simulation.seat(seat).machine?.snapshot().volatile as ServiceState | undefined;
    if (volatile === undefined) throw new Error(`replica ${seat} is down`);
    return volatile.service;
  };
  for (const i of range(values)) submit(kv.put(`key ${i}`, new Uint8Array(valueBytes).fill(i)));
  group.pass(ms(2000));
  simulation.inject({ type: 'crash', at: simulation.now, seat: lazy });
  // So long that nobody keeps any batches for it.
  group.pass(ms(10_000));
  for (const i of range(40)) submit(kv.put('key 7', `written ${i}`));
  simulation.inject({ type: 'restart', at: simulation.now, seat: lazy, disk });
  group.pass(ms(10));
  for (let i = 0; i < 1000 && stateOf(lazy).next < stateOf(1).next; i++) group.pass(ms(20));
  expect(simulation.seat(lazy).reason).toBeUndefined();
  expect([stateOf(lazy).next, stateOf(lazy).hash]).toEqual([stateOf(1).next, stateOf(1).hash]);
  return {
    chunks: stateOf(lazy).kept[0]?.manifest.chunks.length ?? 0,
    sent: simulation.counters.kinds['snapshot-chunk']?.sent ?? 0,
    lies: simulation.counters.fired.lie ?? 0,
  };
}

test('partitions that did not change are not sent again', () => {
  const all = broughtBack({ disk: 'lost', lies: false });
  const few = broughtBack({ disk: 'synced', lies: false });
  expect(all.chunks).toBeGreaterThan(20);
  expect(all.sent).toBeGreaterThanOrEqual(all.chunks);
  // The leaf with the key, the sessions and the last chunk, which says what the others are.
  expect(few.chunks).toBe(all.chunks);
  expect(few.sent).toBeLessThanOrEqual(2 * 3);
});

test('a partition that is not the one of the certificate is refused, and had elsewhere', () => {
  expect(broughtBack({ disk: 'lost', lies: true }).lies).toBeGreaterThan(0);
});
