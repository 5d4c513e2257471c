import { firstClient, type Protocol, seal, type Tagged } from '@quorumlab/core';
import { unsigned } from '@quorumlab/protocol-testing';
import { describe, expect, test } from 'vitest';
import { honest, type Sequencer, sequencer } from '../test/sequencer.ts';
import { digestOf } from '../test/world.ts';
import { keyValueStore } from './key-value-store.ts';
import { clientMessages } from './messages.ts';
import { service } from './service.ts';
import { serviced } from './serviced.ts';
import type { Serviced } from './types.ts';

const options = { stateMachine: keyValueStore, digest: digestOf };
const request = {
  kind: 'request',
  client: firstClient,
  sequence: 1,
  acknowledged: 1,
  operations: [],
} as const;
const commands = [seal(request, firstClient, unsigned)];
const order = { kind: 'order', slot: 3, commands } as const;

type Said = Serviced<Sequencer>['Message'];

/** Says of any message that it binds its signer and has a signed part inside. */
const binding: Protocol<Sequencer> = {
  ...sequencer(),
  vows: ({ kind }) => [['all', kind]],
  evidence: () => [seal<Tagged>({ kind: 'part' }, 0, unsigned)],
  conflict: (message) => (message.kind === 'order' ? { ...message, slot: 9 } : message),
};

describe('a serviced protocol', () => {
  const group = serviced(binding);

  test("says the service's messages under the first tags, then its own", () => {
    expect(group.messages.kinds.map(({ kind }) => kind)).toEqual(
      [...clientMessages.kinds, ...binding.messages.kinds].map(({ kind }) => kind),
    );
    expect([order, request].map(group.isOwn)).toEqual([true, false]);
  });

  test('has a schema for each field that is on its disk', () => {
    const stable = service(binding, 0, options).snapshot().stable;
    expect(Object.keys(group.stored).sort()).toEqual(Object.keys(stable).sort());
    expect(group.stable()).toEqual(stable);
  });

  test('is asked for vows, evidence and lies about its own messages only', () => {
    expect([...group.vows(order)]).toEqual([['all', 'order']]);
    expect([...group.evidence(order)]).toHaveLength(1);
    expect(group.conflict(order, 0, [])).toEqual({ ...order, slot: 9 });
    for (const foreign of [request, { kind: 'part' }])
      expect([...group.vows(foreign), ...group.evidence(foreign)]).toEqual([]);
    expect(group.conflict(request, 0, [])).toBe(request);
  });

  test('binds nobody if its protocol has no vows', () => {
    const { vows: _, evidence: __, conflict: ___, ...plain } = binding;
    const free = serviced<Sequencer>(plain);
    expect([...free.vows(order), ...free.evidence(order)]).toEqual([]);
    expect(free.conflict(order, 0, [])).toBe(order);
  });

  test('makes replicas and clients that understand each other', () => {
    const [replica, config] = [group.machine(0, options), group.client(firstClient)];
    const input = { now: 0, clock: { earliest: 0, latest: 0 } };
    const operation = new Uint8Array(1);
    const event = { type: 'submit', id: 0, operation, readOnly: false } as const;
    const [asked] = config.step({ ...input, event }).sends;
    if (asked === undefined) throw new Error('the client asks nobody');
    const message = seal<Said>(asked.message, firstClient, unsigned);
    const said = replica.step({ ...input, event: { type: 'message', message } });
    expect(honest.matching).toBe(1);
    expect([...said.early, ...said.sends].length).toBeGreaterThan(0);
  });
});
