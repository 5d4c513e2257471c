import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  certify,
  countVote,
  OptionsError,
  otherBatch,
  otherDigest,
  type Signature,
  seal,
  tally,
  votesFor,
  wholeOption,
} from './index.ts';

const signature = (from: number): Signature => new Uint8Array([from]) as Signature;
const vote = (from: number, block: string) =>
  seal({ kind: 'vote' as const, block }, from, signature(from));

test('the first vote of a member counts, and a second one is shown beside it', () => {
  const votes = tally<ReturnType<typeof vote>>();
  const first = vote(2, 'a');
  expect(countVote(votes, first, 'a')).toBeUndefined();
  expect(countVote(votes, vote(1, 'a'), 'a')).toBeUndefined();
  expect(countVote(votes, vote(2, 'b'), 'b')).toBe(first);
  expect(votesFor(votes, 'a').map(({ from }) => from)).toEqual([2, 1]);
  expect(votesFor(votes, 'b')).toEqual([]);
});

test('a certificate has its signers in ascending order, whoever came first', () => {
  const body = { kind: 'vote' as const, block: 'a' };
  expect(certify(body, [vote(3, 'a'), vote(0, 'a'), vote(1, 'a')])).toEqual({
    body,
    seals: [0, 1, 3].map((from) => ({ from, signature: signature(from) })),
  });
});

test('the signers of certificates of any size ascend, and each has its own signature', () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.nat(99), { maxLength: 40 }), (signers) => {
      const votes = signers.map((from) => vote(from, 'a'));
      const { seals } = certify({ kind: 'vote' as const, block: 'a' }, votes);
      const ascending = [...signers].sort((one, two) => one - two);
      expect(seals).toEqual(ascending.map((from) => ({ from, signature: signature(from) })));
      expect(votes.map(({ from }) => from)).toEqual(signers);
    }),
  );
});

test('a liar has fifteen other digests, and batches that hold only real requests', () => {
  const digest = '0'.repeat(64);
  const others = new Set(Array.from({ length: 15 }, (_, fork) => otherDigest(digest, fork)));
  expect(others.size).toBe(15);
  expect(others.has(digest)).toBe(false);
  const request = (sequence: number) =>
    seal(
      { kind: 'request' as const, client: 9, sequence, acknowledged: 0, operations: [] },
      9,
      signature(9),
    );
  const batch = [request(1), request(2)];
  const known = [...batch, request(3)];
  const made = Array.from({ length: 4 }, (_, fork) => otherBatch(batch, fork, known));
  expect(made).toEqual([[request(3)], [request(2), request(1)], [request(2)], []]);
  expect(otherBatch([], 0, known)).not.toEqual([]);
});

test('an option that is no whole number within its bounds is named', () => {
  expect(wholeOption('n', 3, 1)).toBe(3);
  expect(() => wholeOption('n', 2.5, 1)).toThrow('n is 2.5; use an integer of 1 or more');
  expect(() => wholeOption('n', 9, 1, 8)).toThrow('n is 9; use an integer of 1 or more and 8 or');
  for (const wrong of [Number.NaN, Number.POSITIVE_INFINITY, -1, 2 ** 53])
    expect(() => wholeOption('n', wrong, 0)).toThrow(OptionsError);
});
