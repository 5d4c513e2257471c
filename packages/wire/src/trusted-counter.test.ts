import { type Signature, seal, type Tagged } from '@quorumlab/core';
import { expect, test } from 'vitest';
import { hashOf, realKeyring, type ToyMessage, toy, voteFor } from '../test/toy.ts';
import {
  CounterError,
  countedKeyring,
  textsRemembered,
  trustedCounter,
} from './trusted-counter.ts';

test('a number stands for one text, and none comes back that was passed over', () => {
  const counter = trustedCounter();
  expect(counter.take(1, hashOf('a'))).toBe(true);
  expect(counter.take(3, hashOf('c'))).toBe(true);
  expect(counter.take(1, hashOf('a'))).toBe(true);
  for (const [number, text] of [
    [1, 'b'],
    [2, 'b'],
    [3, 'b'],
  ] as const)
    expect(counter.take(number, hashOf(text))).toBe(false);
  expect(counter.last).toBe(3);
});

test('what it has forgotten the text of it does not give again', () => {
  const counter = trustedCounter();
  for (let number = 1; number <= textsRemembered + 1; number++) counter.take(number, hashOf('a'));
  expect(counter.take(1, hashOf('a'))).toBe(false);
  expect(counter.take(2, hashOf('a'))).toBe(true);
});

test('a number is kept before it is given, and an earlier life is not forgotten', () => {
  const kept: (readonly [number, string])[] = [];
  const counter = trustedCounter({ keep: (...each) => void kept.push(each) });
  counter.take(1, hashOf('a'));
  counter.take(1, hashOf('a'));
  expect(kept).toEqual([[1, hashOf('a')]]);
  const next = trustedCounter({ given: kept });
  expect(next.take(1, hashOf('b'))).toBe(false);
  const broken = trustedCounter({
    keep() {
      throw new Error('the disk is full');
    },
  });
  expect(() => broken.take(1, hashOf('a'))).toThrow('the disk is full');
  expect(broken.last).toBe(0);
});

test('a keyring signs nothing under a number that stands for something else', () => {
  const source = {
    messages: toy.messages as never,
    numbered: (message: Tagged) => ('seq' in message ? Number(message.seq) : undefined),
  };
  const keyring = countedKeyring<ToyMessage>(realKeyring(0), source, trustedCounter());
  const first = keyring.sign(voteFor(1, 'a'));
  expect(keyring.check(first)).toBe(true);
  expect(keyring.sign(voteFor(1, 'a')).signature).toEqual(first.signature);
  expect(() => keyring.sign(voteFor(1, 'b'))).toThrow(CounterError);
  expect(keyring.counters.signed).toBe(1);
  expect(keyring.check(seal(voteFor(1, 'b'), 0, first.signature as Signature))).toBe(false);
});
