import { firstClient, type Request, toUtf8 } from '@quorumlab/core';
import { expect, test } from 'vitest';
import { relativeOrder } from './relative-order.ts';

const ask = (client: number, text: string): Request => ({
  kind: 'request',
  client: firstClient + client,
  sequence: 1,
  acknowledged: 0,
  operations: [toUtf8(text)],
});
const text = ({ operations }: Request): string => String.fromCharCode(...(operations[0] ?? []));
/** Requests about one letter interfere. */
const sameLetter = (one: Request, other: Request): boolean => text(one)[0] === text(other)[0];

const a1 = ask(0, 'a1');
const a2 = ask(1, 'a2');
const b1 = ask(2, 'b1');

function judged(...orders: readonly (readonly (readonly Request[])[])[]): string | undefined {
  const check = relativeOrder(sameLetter, text);
  orders.forEach((slots, seat) => {
    slots.forEach((commands, slot) => void check.decided?.(0, seat, { slot, commands }));
  });
  return check.violation?.sentence;
}

test('what does not interfere may stand in any order', () => {
  expect(judged([[a1], [b1], [a2]], [[b1], [a1], [a2]], [[a1, a2], [b1]])).toBeUndefined();
});

test('what interferes may not', () => {
  const sentence = 'n0 committed a1 before a2, n1 did not';
  expect(judged([[a1], [a2]], [[a2], [a1]])).toBe(sentence);
  expect(judged([[a1], [b1], [a2]], [[b1], [a2, a1]])).toBe(sentence);
});

test('nor may two replicas have one of them each', () => {
  expect(judged([[a1]], [[a2]])).toBe('n0 committed a1 without a2, n1 the other way round');
  expect(judged([[a1], [b1]], [[b1]])).toBeUndefined();
});

test('a slot without commands comes after the same requests everywhere', () => {
  expect(judged([[a1], [b1], []], [[b1], [a1], []])).toBeUndefined();
  expect(judged([[a1], [b1], []], [[b1], [a2], []])).toBe(
    'n0 and n1 committed other requests before position 2',
  );
  expect(judged([[a1], [], [a2]], [[a1], [], [b1], [a2]])).toBeUndefined();
});

test('a restarted replica may change what does not interfere, and nothing else', () => {
  const check = relativeOrder(sameLetter, text);
  const say = (slot: number, commands: readonly Request[]): void =>
    check.decided?.(0, 0, { slot, commands });
  say(0, []);
  say(1, [a1]);
  say(2, [b1]);
  check.started?.(0, 0);
  say(1, [b1]);
  say(2, [a1]);
  expect(check.violation).toBeUndefined();
  say(3, [a2]);
  check.started?.(0, 0);
  say(1, [a2]);
  expect(check.violation?.sentence).toBe('n0 committed a1 before a2, n0 after a restart did not');
});
