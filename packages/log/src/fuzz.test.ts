import { firstClient, type Machine, type Shape, type Signature } from '@quorumlab/core';
import { describe, expect, test } from 'vitest';
import { group } from '../test/group.ts';
import { honest, sequencer } from '../test/sequencer.ts';
import { digestOf, seeded } from '../test/world.ts';
import { client } from './client.ts';
import { keyValueStore, kv } from './key-value-store.ts';
import { serviced } from './serviced.ts';

const signature = new Uint8Array() as Signature;

describe('no message from anybody', () => {
  const sequenced = serviced(sequencer({ snapshotEvery: 4 }));
  const field = sequenced.messages;
  const machines = (seed: number): readonly (readonly [string, Machine<Shape>])[] => {
    const options = { stateMachine: keyValueStore, digest: digestOf };
    const byzantine = { ...honest, matching: 2 };
    // The machines have different shapes; here they are only shaken.
    return [
      ['leader', sequenced.machine(0, options)],
      ['follower', sequenced.machine(1, options)],
      ['client', client(honest, [0, 1, 2], firstClient)],
      ['Byzantine client', client(byzantine, [0, 1, 2], firstClient + seed)],
    ] as unknown as readonly (readonly [string, Machine<Shape>])[];
  };

  test('makes a service or a client throw', () => {
    for (let seed = 1; seed <= 60; seed++) {
      const random = seeded(seed);
      const all = machines(seed);
      for (let i = 0; i < 120; i++)
        for (const [name, machine] of all) {
          const from = [0, 1, 2, 5, firstClient, firstClient + 1][random.below(6)] as number;
          let message = field.sample(random);
          if (message.kind === 'request' && random.below(2) === 0)
            message = { ...message, client: from, sequence: random.below(9), acknowledged: 0 };
          if (message.kind === 'reply' && random.below(2) === 0)
            message = { ...message, client: machine.self, sequence: 1 + random.below(4) };
          // Only the decided log is the protocol's business: keep it to slots it could reach.
          if (message.kind === 'order') message = { ...message, slot: random.below(50) };
          const readOnly = i % 2 === 0;
          const submit = { type: 'submit', id: i, operation: kv.get('a'), readOnly } as const;
          const events = [
            { type: 'message', message: { ...message, from, signature } },
            { type: 'timeout', timer: 'service/client' },
            { type: 'timeout', timer: 'service/transfer' },
            submit,
          ] as const;
          const event = events[random.below(8)] ?? events[0];
          const clock = { earliest: i * 1000, latest: i * 1000 };
          expect(
            () => machine.step({ now: i * 1000, clock, event }),
            `${name}, seed ${seed}, step ${i}: ${message.kind} from ${from}`,
          ).not.toThrow();
        }
    }
  });

  test('gets past a size limit', () => {
    for (const kind of field.kinds)
      expect(kind.maxBytes, kind.kind).toBeLessThanOrEqual(35_000_000);
    for (const kind of ['request', 'reply', 'query', 'query-reply', 'snapshot-chunk'])
      expect(field.of(kind)?.maxBytes).toBeLessThanOrEqual(1 << 21);
  });
});

describe('a machine', () => {
  test('goes on alike after a fork and after its snapshot was restored', () => {
    const g = group({ snapshotEvery: 3 });
    for (let i = 0; i < 7; i++) g.ask(firstClient, kv.append('a', `${i}`));
    g.world.run(1500);
    for (const id of [0, 1, 2, firstClient]) {
      const one = g.world.machine(id);
      const other = one.fork();
      expect(other.snapshot()).toEqual(one.snapshot());
      const event = {
        type: 'submit',
        id: 99,
        operation: kv.put('b', '2'),
        readOnly: false,
      } as const;
      const input = { now: 9e6, clock: { earliest: 9e6, latest: 9e6 }, event };
      const before = one.snapshot();
      const said = other.step(input);
      expect(one.snapshot()).toEqual(before);
      expect(one.step(input)).toEqual(said);
    }
  });

  test('that asks nothing of the service gets its protocol’s output untouched', () => {
    const options = { stateMachine: keyValueStore, digest: digestOf };
    const machine = serviced(sequencer()).machine(1, options);
    const clock = { earliest: 0, latest: 0 };
    const moved = { kind: 'pull', next: 3, from: 2, signature } as const;
    const output = machine.step({ now: 0, clock, event: { type: 'message', message: moved } });
    expect(Object.isFrozen(output)).toBe(true);
  });
});
