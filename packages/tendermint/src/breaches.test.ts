/** Which two statements no honest replica signs, though they break no vow together. */
import { testDigest } from '@quorumlab/protocol-testing';
import { expect, test } from 'vitest';
import { one, other, precommit, prevote } from '../test/messages.ts';
import { tendermint } from './index.ts';
import type { Message } from './messages.ts';

const made = (accountable: boolean) => tendermint({ n: 4, digest: testDigest, accountable });
const whyNot = (first: Message, second: Message, accountable = true): string | undefined => {
  for (const { kinds, at, why } of made(accountable).breaches ?? [])
    if (first.kind === kinds[0] && second.kind === kinds[1] && at?.(first) === at?.(second))
      return why(first, second, () => undefined);
  return undefined;
};

test('who forgets its lock is guilty', () => {
  expect(whyNot(precommit(1, one), prevote(2, other))).toContain('as if it were new');
  expect(whyNot(precommit(1, one), prevote(9, other, 0))).toContain('of round 0, which is earlier');
});

test.each<[string, Message, Message]>([
  ['prevotes what it is locked on', precommit(1, one), prevote(2, one)],
  ['was shown a later quorum', precommit(1, one), prevote(3, other, 2)],
  ['was shown a quorum of the same round', precommit(1, one), prevote(3, other, 1)],
  ['prevotes nil', precommit(1, one), prevote(2, null)],
  ['is not locked', precommit(1, null), prevote(2, other)],
  ['had prevoted otherwise before', precommit(2, one), prevote(2, other)],
  ['locked later', precommit(2, one), prevote(1, other)],
  ['speaks of another height', precommit(1, one), prevote(2, other, null, 2)],
])('who %s may be honest', (_, first, second) => {
  expect(whyNot(first, second)).toBeUndefined();
});

test('the published protocol convicts nobody of it, and says why', () => {
  expect(whyNot(precommit(1, one), prevote(2, other), false)).toBeUndefined();
  expect(made(false).hides).toContain('do not say which earlier prevotes');
  expect(made(true).hides).toBeUndefined();
});
