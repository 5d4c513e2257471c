/** What is said and what is kept: it is read as it was, and which words a liar turns into lies. */
import { decode, encode } from '@quorumlab/core';
import { requestOf } from '@quorumlab/protocol-testing';
import { describe, expect, it } from 'vitest';
import {
  checkpoint,
  decision,
  idOf,
  one,
  other,
  polkaOf,
  precommit,
  prevote,
  proposal,
  stable,
  status,
} from '../test/messages.ts';
import { make } from '../test/network.ts';
import type { Message } from './messages.ts';
import { firstStable } from './state.ts';

const network = make();
const polka = polkaOf(network, 0, one);
const all: readonly Message[] = [
  proposal(0, one),
  proposal(1, one, { validRound: 0, polka }),
  prevote(2, one, 1),
  prevote(2, null),
  precommit(1, other),
  precommit(1, null),
  { kind: 'polka', polka },
  decision(network, 3, one),
  { kind: 'relay', requests: [requestOf(1, 1), requestOf(2, 7)] },
  status({ height: 4, round: 3, validRound: 2, stable: 1 }),
  { kind: 'fetch-batch', height: 2, value: idOf(one) },
  { kind: 'batch', height: 2, batch: one },
  checkpoint(8),
  stable(network, 8),
];

describe('a message', () => {
  it.each(all.map((each) => [each.kind, each] as const))('%s is read as it was', (_, message) => {
    const { messages } = network.protocol;
    expect(decode(messages, encode(messages, message))).toEqual(message);
  });

  it('is a promise if its kind is, and only then there is a lie to make of it', () => {
    const { conflict, vows } = network.protocol;
    for (const message of all) {
      const promises = [...(vows?.(message) ?? [])];
      const lie = conflict?.(message, 1, []) as Message;
      const isWord = ['proposal', 'prevote', 'precommit', 'checkpoint'].includes(message.kind);
      expect([promises.length > 0, lie.kind], message.kind).toEqual([isWord, message.kind]);
      if (!isWord) expect(lie, message.kind).toBe(message);
      else {
        // About the same, and something else.
        const [about, what] = promises[0] ?? [];
        const [again, instead] = [...(vows?.(lie) ?? [])][0] ?? [];
        expect(again).toBe(about);
        expect(instead).not.toBe(what);
        expect(lie).not.toHaveProperty('validRound', 1);
      }
    }
  });
});

it('what is on the disk is read as it was', () => {
  const at = make();
  at.inject(0, 2, proposal(0, one));
  for (const from of [0, 1, 3]) at.inject(from, 2, prevote(0, one));
  at.inject(3, 2, stable(at, 8));
  for (const self of [0, 2]) {
    const disk = at.seat(self).disk;
    for (const [name, field] of Object.entries(at.protocol.stored)) {
      const value = disk[name as keyof typeof disk];
      for (const each of value instanceof Map ? value.values() : [value]) {
        const read = decode(field as never, encode(field as never, each as never));
        expect(read, name).toEqual(each);
      }
    }
  }
  expect(at.seat(2).disk.said.size).toBeGreaterThan(0);
  expect(Object.keys(at.protocol.stored).sort()).toEqual(Object.keys(firstStable()).sort());
});

it('what waits for a proposer is passed on, and nothing else is', () => {
  expect(network.protocol.passesOn).toEqual(['relay']);
});

it('a lock that was forgotten is told in words, also one of round 0', () => {
  const [breach] = network.protocol.breaches ?? [];
  const why = (second: Message) => breach?.why(precommit(0, one), second, () => undefined);
  const [first, next] = [one, other].map((each) => `${idOf(each).slice(0, 8)}…`);
  const locked = `precommitted ${first} in round 0 of height 1`;
  expect(why(prevote(1, other))).toBe(
    `${locked}, and in round 1 prevoted ${next} as if it were new`,
  );
  expect(why(prevote(2, other, 0))).toBeUndefined();
  expect(breach?.at?.(prevote(1, other, null, 7))).toBe('7');
});
