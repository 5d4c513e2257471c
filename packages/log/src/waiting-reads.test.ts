/** Queries that the protocol allows late, of clients of which one asks without end. */
import { firstClient, operationBytes, type Signature, seal } from '@quorumlab/core';
import { expect, test } from 'vitest';
import { type Sequencer, sequencer } from '../test/sequencer.ts';
import { digestOf } from '../test/world.ts';
import { keyValueStore, kv } from './key-value-store.ts';
import type { ServiceMessage } from './messages.ts';
import { service } from './service.ts';

const clock = { earliest: 0, latest: 0 };
const unsigned = new Uint8Array(0) as Signature;

/** A leader whose protocol allows what waits when it is given a request. */
function leader() {
  const waiting: number[] = [];
  let requests = 0;
  const protocol = {
    ...sequencer(),
    read: (_replica: unknown, id: number) => void waiting.push(id),
    propose(
      _replica: unknown,
      _command: unknown,
      ctx: { allowRead(id: number, at: number): void },
    ) {
      for (const id of waiting.splice(0)) ctx.allowRead(id, -1);
    },
  };
  const machine = service<Sequencer>(protocol, 0, {
    stateMachine: keyValueStore,
    digest: digestOf,
  });
  const tell = (from: number, message: ServiceMessage) => {
    const sealed = seal<ServiceMessage>(message, from, unsigned);
    return machine.step({ now: 0, clock, event: { type: 'message', message: sealed } }).sends;
  };
  return {
    ask: (from: number, sequence: number, operations: readonly Uint8Array[]) =>
      tell(from, { kind: 'query', sequence, operations, consistency: 'linearizable' }),
    allow() {
      const request = { kind: 'request', client: firstClient, session: 0, operations: [] } as const;
      const sends = tell(firstClient, { ...request, sequence: ++requests, acknowledged: 0 });
      return sends.flatMap(({ to, message }) =>
        message.kind === 'query-reply' ? [{ to: to as number, sequence: message.sequence }] : [],
      );
    },
  };
}

test.each([
  ['many', 1_030, [kv.get('key')]],
  ['large', 24, Array<Uint8Array>(15).fill(new Uint8Array(65_000))],
])('a client with %s queries drives out its own, the oldest first', (_, count, operations) => {
  const { ask, allow } = leader();
  const mine = [kv.get('mine')];
  for (const honest of [1, 2, 3]) ask(firstClient + honest, 1, mine);
  for (let sequence = 1; sequence <= count; sequence++) ask(firstClient, sequence, operations);
  for (const honest of [1, 2, 3]) ask(firstClient + honest, 2, mine);
  const answered = allow();
  const of = (id: number): number[] =>
    answered.filter(({ to }) => to === id).map(({ sequence }) => sequence);
  for (const honest of [1, 2, 3]) expect(of(firstClient + honest)).toEqual([1, 2]);
  const kept = of(firstClient);
  expect(kept.length).toBeLessThan(count);
  expect(kept).toEqual([...Array(kept.length).keys()].map((i) => count - kept.length + 1 + i));
});

test('1,024 queries and 16 MiB of them wait, and not one more', () => {
  const most = new Uint8Array(65_536);
  const [small, mebibyte] = [[new Uint8Array(1)], Array<Uint8Array>(16).fill(most)];
  for (const [count, operations] of [
    [1_024, small],
    [16, mebibyte],
  ] as const) {
    const { ask, allow } = leader();
    // Room that was taken is there again when what took it has been answered.
    for (let round = 0; round < 2; round++) {
      const from = 2_000 * round;
      for (let i = 1; i <= count; i++) ask(firstClient + (i % 2), from + i, operations);
      expect(allow(), `${round}`).toHaveLength(count);
    }
    for (let i = 1; i <= count; i++) ask(firstClient + 1, 9_000 + i, operations);
    ask(firstClient + 2, 1, small);
    const kept = allow();
    expect(kept).toHaveLength(count);
    // It is the oldest of the client that takes most that goes.
    expect(kept[0]).toEqual({ to: firstClient + 1, sequence: 9_002 });
    expect(kept.at(-1)).toEqual({ to: firstClient + 2, sequence: 1 });
  }
});

test('small operations of queries count what they take, and not their bytes', () => {
  const { ask, allow } = leader();
  const operations = Array<Uint8Array>(1_024).fill(new Uint8Array(1));
  for (let i = 1; i <= 1_000; i++) ask(firstClient, i, operations);
  expect(allow()).toHaveLength(2 ** 24 / (1_024 * operationBytes));
});
