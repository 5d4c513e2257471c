/** Queries that the protocol allows late, of clients of which one asks without end. */
import { firstClient, type Signature, seal } from '@quorumlab/core';
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
    ask: (from: number, sequence: number, keys: readonly string[]) =>
      tell(from, {
        kind: 'query',
        sequence,
        operations: keys.map((key) => kv.get(key)),
        consistency: 'linearizable',
      }),
    allow: () =>
      tell(firstClient, {
        kind: 'request',
        client: firstClient,
        session: 0,
        sequence: 1,
        acknowledged: 0,
        operations: [],
      }),
  };
}

test.each([
  ['many', 2_000, ['key']],
  ['large', 400, Array<string>(60).fill('k'.repeat(1_000))],
])('a client with %s queries drives out its own, the oldest first', (_, count, keys) => {
  const { ask, allow } = leader();
  for (const honest of [1, 2, 3]) ask(firstClient + honest, 1, ['mine']);
  for (let sequence = 1; sequence <= count; sequence++) ask(firstClient, sequence, keys);
  for (const honest of [1, 2, 3]) ask(firstClient + honest, 2, ['mine']);
  const answered = allow().filter(({ message }) => message.kind === 'query-reply');
  const of = (id: number): number[] =>
    answered
      .filter(({ to }) => to === id)
      .map(({ message }) => (message as { readonly sequence: number }).sequence);
  for (const honest of [1, 2, 3]) expect(of(firstClient + honest)).toEqual([1, 2]);
  const kept = of(firstClient);
  expect(kept.length).toBeLessThan(count);
  expect(kept).toEqual([...Array(kept.length).keys()].map((i) => count - kept.length + 1 + i));
});
