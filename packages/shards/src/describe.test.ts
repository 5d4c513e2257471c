import { encode } from '@quorumlab/core';
import { expect, test } from 'vitest';
import { describeShardOperation, type ShardOperation, shardOperation } from './index.ts';

test('an operation is told in words, and what is none in digits', () => {
  const transaction = { client: 1, number: 2 };
  const writes = [{ key: 'a', value: null }];
  const told = (operation: ShardOperation): string =>
    describeShardOperation(encode(shardOperation, operation));
  expect(told({ kind: 'prepare', transaction, writes })).toBe('prepare a');
  expect(told({ kind: 'resolve', transaction, at: null })).toBe('abort');
  expect(told({ kind: 'resolve', transaction, at: 12 })).toBe('committed at 12');
  expect(told({ kind: 'tick', earliest: 12, latest: 52, lease: 1, stamps: [] })).toBe(
    'clock 12 to 52',
  );
  expect(told({ kind: 'forget', transaction })).toBe('forget');
  expect(describeShardOperation(Uint8Array.of(255, 1))).toBe('ff01');
});
