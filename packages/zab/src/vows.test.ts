/** What a liar says instead: always something that its first word forbids, and never a no-op. */
import { command } from '@quorumlab/protocol-testing';
import { describe, expect, test } from 'vitest';
import { zxid } from '../test/messages.ts';
import { type ZabMessage, zab } from './index.ts';

const protocol = zab({ n: 3 });
const lies = (message: ZabMessage, known = [command('y'), command('z')]): ZabMessage[] =>
  [0, 1, 2, 3].map((fork) => protocol.conflict?.(message, fork, known) ?? message);
const vowsOf = (message: ZabMessage): (readonly [string, string])[] => [
  ...(protocol.vows?.(message) ?? []),
];
const broken = (message: ZabMessage, other: ZabMessage): boolean => {
  const said = new Map(vowsOf(message));
  return vowsOf(other).some(([about, what]) => said.has(about) && said.get(about) !== what);
};

describe('a broken vow of Zab', () => {
  const promise = {
    kind: 'ack-e',
    ...{ epoch: 4, leader: 1, currentEpoch: 3, beat: 2 },
    ...{ lastZxid: zxid(3, 1), held: zxid(3, 1) },
  } as const;

  test('is a promise of one epoch to each of the others in turn', () => {
    expect(vowsOf(promise)).toEqual([['promise/4', '1']]);
    expect(lies(promise)).toEqual([2, 0, 2, 0].map((leader) => ({ ...promise, leader })));
    for (const lie of lies(promise)) expect(broken(promise, lie)).toBe(true);
  });

  test('is nothing of a group of one, and no message that promises nothing', () => {
    expect(zab({ n: 1 }).conflict?.({ ...promise, leader: 0 }, 0, [])).toMatchObject({ leader: 0 });
    const ack: ZabMessage = { kind: 'ack', epoch: 4, zxid: zxid(4, 1), beat: 0 };
    expect(vowsOf(ack)).toEqual([]);
    expect(lies(ack)).toEqual(Array(4).fill(ack));
  });

  test.each(['diff', 'newleader', 'propose', 'inform'] as const)(
    'is another command under a zxid of the own epoch: %s',
    (kind) => {
      const x = command('x');
      const transactions = [
        { epoch: 1, command: command('old') },
        { epoch: 2, command: null },
        { epoch: 2, command: x },
      ];
      const message = { kind, epoch: 2, previous: zxid(1, 4), transactions } as const;
      expect(vowsOf(message).map(([about]) => about)).toEqual(['zxid/2/6', 'zxid/2/7']);
      for (const known of [[], [x], [x, command('y')]])
        for (const lie of lies(message, known)) {
          expect(broken(message, lie)).toBe(true);
          expect(vowsOf(lie)[0]).toEqual(vowsOf(message)[0]);
        }
      const silent = { ...message, transactions: transactions.slice(1, 2) };
      for (const lie of lies(silent)) expect(lie).toBe(silent);
    },
  );
});
