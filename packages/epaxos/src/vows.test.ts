/** What a liar says instead: always something that its first word forbids. */
import { command } from '@quorumlab/protocol-testing';
import { expect, test } from 'vitest';
import { oneOfEach, proposal } from '../test/messages.ts';
import { type EpaxosMessage, epaxos } from './index.ts';

const { conflict, vows } = epaxos({ n: 3 });
const vowsOf = (message: EpaxosMessage) => [...(vows?.(message) ?? [])];

test('a broken vow is another command in the same instance, one that clients asked for', () => {
  for (const kind of ['pre-accept', 'accept', 'commit'] as const) {
    const message = { kind, ballot: 3, ...proposal(4, 'x') } as EpaxosMessage;
    const [[about, what] = []] = vowsOf(message);
    expect(about).toMatch(/\/4$/);
    for (const known of [[command('y'), command('x')], [command('x')], []])
      for (let fork = 0; fork < 3; fork++) {
        const lie = conflict?.(message, fork, known) ?? message;
        const [[same, other] = []] = vowsOf(lie);
        expect([same, other === what]).toEqual([about, false]);
      }
  }
});

test('other dependencies break it too', () => {
  const one = { kind: 'commit', ballot: 0, ...proposal(4, 'x') } as const;
  const other = { ...one, dependencies: [{ from: 1, count: 1 }] };
  expect(vowsOf(one)[0]?.[0]).toBe(vowsOf(other)[0]?.[0]);
  expect(vowsOf(one)[0]?.[1]).not.toBe(vowsOf(other)[0]?.[1]);
});

test('what proposes nothing is not bent', () => {
  for (const message of oneOfEach(4, 1))
    if (!['pre-accept', 'accept', 'commit'].includes(message.kind))
      expect(conflict?.(message, 0, [command('z')])).toBe(message);
});
