import { firstClient, type Request, type Signature, seal } from '@quorumlab/core';
import { expect, test } from 'vitest';
import { client } from './client.ts';
import { hashOf } from './hash.ts';
import type { ServiceMessage } from './messages.ts';

const clock = { earliest: 0, latest: 0 };
const unsigned = new Uint8Array(0) as Signature;

/** A client that has asked for one operation, and what replicas say to it. */
function asked(matching: number) {
  const machine = client({ matching, ask: 'any', signed: false }, [0, 1, 2], firstClient);
  const operation = new Uint8Array([1]);
  const submit = { type: 'submit', id: 7, operation, readOnly: false } as const;
  const { sends } = machine.step({ now: 0, clock, event: submit });
  const request = (sends[0] as (typeof sends)[number]).message as Request;
  const { sequence } = request;
  const hash = hashOf(request);
  const hear = (from: number, about = sequence) => {
    const refusal = {
      kind: 'refusal',
      sequence: about,
      hash,
      reason: 'log-full',
      next: 0,
    } as const;
    const message = seal<ServiceMessage>(refusal, from, unsigned);
    return machine.step({ now: 1, clock, event: { type: 'message', message } }).answers;
  };
  return { hear, sequence };
}

test('a refusal is believed if one replica gives it where one answer will do', () => {
  const { hear, sequence } = asked(1);
  expect(hear(firstClient + 1)).toEqual([]);
  expect(hear(1, sequence + 1)).toEqual([]);
  expect(hear(1)).toMatchObject([{ id: 7, refused: 'log-full' }]);
  expect(hear(2)).toEqual([]);
});

test('where some may lie it takes as many replicas as for a result, each once', () => {
  const { hear } = asked(2);
  expect(hear(1)).toEqual([]);
  expect(hear(1)).toEqual([]);
  expect(hear(2)).toMatchObject([{ id: 7, refused: 'log-full' }]);
});
