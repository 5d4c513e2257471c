/** A snapshot without its sessions runs an old command again, on one replica only. */
import {
  type Machine,
  ms,
  type Outgoing,
  type Request,
  range,
  type Signature,
} from '@quorumlab/core';
import { installedBy, keyValueStore, kv, type Serviced, serviced } from '@quorumlab/log';
import { type MultiPaxos, multiPaxos } from '@quorumlab/multi-paxos';
import { digestOf } from '@quorumlab/wire';
import { expect, test } from 'vitest';

type Shape = Serviced<MultiPaxos>;

const signature = new Uint8Array(0) as Signature;
const client = 65_536;
const request = (sequence: number, operation: Uint8Array): Request => ({
  kind: 'request',
  client,
  sequence,
  acknowledged: 1, // The client still waits for all its replies.
  operations: [operation],
});

function textOf(result: Uint8Array): string {
  const found = kv.result(result);
  return found.kind === 'value' && found.value !== null
    ? new TextDecoder().decode(found.value)
    : found.kind;
}

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
function valuesOf(spoil: (right: Machine<Shape>) => Machine<Shape>): readonly string[] {
  const group = serviced(multiPaxos({ n: 3, snapshotEvery: 2, keepSlots: 0 }));
  const machines = range(3).map((id) => {
    const right = group.machine(id, { stateMachine: keyValueStore, digest: digestOf });
    return id === 2 ? spoil(right) : right;
  });
  let now = 0;
  let alive: readonly number[] = [0, 1];
  const step = (id: number, event: Parameters<Machine<Shape>['step']>[0]['event']): void => {
    const clock = { earliest: now, latest: now };
    const { early, sends } = (machines[id] as Machine<Shape>).step({ now, clock, event });
    for (const each of [...early, ...sends]) route(id, each);
  };
  function route(from: number, { to, message }: Outgoing<Shape>): void {
    const receivers = to === 'all' ? alive : alive.filter((each) => each === to);
    for (const each of receivers)
      step(each, { type: 'message', message: { ...message, from, signature } });
  }
  const ask = (id: number, what: Request): void =>
    step(id, { type: 'message', message: { ...what, from: client, signature } });
  const lead = (id: number): void => {
    now += ms(1000);
    step(id, { type: 'timeout', timer: 'election' });
  };
  for (const id of alive) step(id, { type: 'start' });
  lead(0);
  for (const i of range(4)) ask(0, request(i + 1, kv.append('log', `${i};`)));
  // Replica 2 comes late: what it lacks is in a snapshot only.
  alive = [0, 1, 2];
  step(2, { type: 'start' });
  step(0, { type: 'timeout', timer: 'heartbeat' });
  step(2, { type: 'timeout', timer: 'catch-up' });
  // It leads, and the client asks once more for what it asked first.
  lead(2);
  ask(2, request(1, kv.append('log', '0;')));
  step(2, { type: 'timeout', timer: 'heartbeat' });
  const get = kv.get('log');
  return machines.map((machine, id) => {
    let answer = '';
    const clock = { earliest: now, latest: now };
    const event = { type: 'submit', id: 1, operation: get, readOnly: true, local: true } as const;
    for (const { result } of machine.step({ now, clock, event }).answers)
      if (result !== undefined) answer = textOf(result);
    expect(answer, `replica ${id}`).not.toBe('');
    return answer;
  });
}

test('A-50: without sessions in the snapshot, states differ', () => {
  expect(valuesOf(forgetful)).toEqual(['0;1;2;3;', '0;1;2;3;', '0;1;2;3;0;']);
});

test('with them, the same command runs once everywhere', () => {
  const values = valuesOf((right) => right);
  expect(new Set(values).size).toBe(1);
  expect(values[0]).toBe('0;1;2;3;');
});
