/** Which two statements no honest replica signs, though they break no vow together. */
import { testDigest } from '@quorumlab/protocol-testing';
import { expect, test } from 'vitest';
import { streamlet } from './index.ts';
import type { Vote } from './messages.ts';

const vote = (epoch: number, height: number, digit = '1'): Vote => ({
  kind: 'vote',
  epoch,
  height,
  id: digit.repeat(64),
});

const whyNot = (first: Vote, second: Vote): string | undefined => {
  const [breach] = streamlet({ n: 4, digest: testDigest }).breaches ?? [];
  expect(breach?.kinds).toEqual(['vote', 'vote']);
  return breach?.why(first, second, () => undefined);
};

test('who votes for a shorter chain than before is guilty', () => {
  expect(whyNot(vote(3, 5), vote(4, 4))).toContain('on a shorter one');
  expect(whyNot(vote(3, 5), vote(9, 1))).toContain('on a chain of 4 notarized blocks');
});

test.each<[string, Vote, Vote]>([
  ['votes for another chain that is as long', vote(3, 5), vote(4, 5, '2')],
  ['votes for a longer one', vote(3, 5), vote(4, 6)],
  ['had voted lower before', vote(4, 4), vote(3, 5)],
  ['votes in the same epoch, which breaks a vow', vote(3, 5), vote(3, 4)],
])('who %s is not', (_, first, second) => {
  expect(whyNot(first, second)).toBeUndefined();
});
