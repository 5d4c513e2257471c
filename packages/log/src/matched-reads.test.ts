/** Reads that all replicas are asked, and that several must answer alike: 3 of 4 here. */
import { firstClient } from '@quorumlab/core';
import { expect, test } from 'vitest';
import { from } from '../test/puppet.ts';
import { client } from './client.ts';
import type { ServiceMessage } from './messages.ts';

const clock = { earliest: 0, latest: 0 };
const value = (byte: number) => [Uint8Array.of(byte)];

/** A client that has read once: what it has said, and what it makes of answers. */
function reading() {
  const policy = { matching: 2, ask: 'any', signed: false, reads: 3 } as const;
  const machine = client(policy, [0, 1, 2, 3], firstClient);
  const ask = (id: number) => {
    const operation = Uint8Array.of(id);
    const { sends } = machine.step({
      ...{ now: 0, clock, event: { type: 'submit', id, operation, readOnly: true } },
    });
    return sends.map(({ to, message }) => ({ to, message: message as ServiceMessage }));
  };
  const first = ask(1);
  const [{ message }] = first as unknown as [{ readonly message: { readonly sequence: number } }];
  const { sequence } = message;
  return {
    first,
    ask,
    hear(sender: number, results: readonly Uint8Array[] | null) {
      const message = from<ServiceMessage>(sender, { kind: 'query-reply', sequence, results });
      const { answers, sends } = machine.step({
        now: 1,
        clock,
        event: { type: 'message', message },
      });
      return { answers, ordered: sends.filter((each) => each.message.kind === 'request').length };
    },
  };
}
const nothing = { answers: [], ordered: 0 };

test('all are asked, and equal answers of three are believed, each replica once', () => {
  const { first, hear } = reading();
  expect(first.map(({ to, message }) => [to, message.kind])).toEqual([['all', 'query']]);
  expect([hear(0, value(7)), hear(0, value(7)), hear(1, value(7))]).toEqual(Array(3).fill(nothing));
  expect(hear(2, value(7))).toEqual({ answers: [{ id: 1, result: value(7)[0] }], ordered: 0 });
  expect(hear(3, value(7))).toEqual(nothing);
});

test('one that says something else, or nothing of use, does not count', () => {
  const { hear } = reading();
  for (const [sender, results] of [
    [0, value(7)],
    [1, value(8)],
    [2, null],
    [2, [...value(7), ...value(7)]],
    [firstClient, value(7)],
    [2, value(7)],
  ] as const)
    expect(hear(sender, results)).toEqual(nothing);
  expect(hear(3, value(7)).answers).toEqual([{ id: 1, result: value(7)[0] }]);
});

test('it goes through the log as soon as three cannot agree any more', () => {
  const { hear } = reading();
  expect([hear(0, value(7)), hear(1, value(8))]).toEqual([nothing, nothing]);
  const { answers, ordered } = hear(2, value(9));
  expect([answers, ordered > 0]).toEqual([[], true]);
  expect(hear(3, value(7))).toEqual(nothing);
  const two = reading();
  for (const sender of [0, 1]) two.hear(sender, value(7));
  expect(two.hear(2, value(8))).toEqual(nothing);
  expect(two.hear(3, value(8)).ordered).toBeGreaterThan(0);
});
