/** What a shard is asked, in a few words: for people who look at a log. */
import { decode, SchemaError, toHex } from '@quorumlab/core';
import { type ShardOperation, shardOperation } from './operations.ts';

/** `lock a x`, `commit a`, `clock 12 to 52`; digits for bytes that are no operation of a shard. */
export function describeShardOperation(operation: Uint8Array): string {
  try {
    return inWords(decode(shardOperation, operation));
  } catch (error) {
    if (!(error instanceof SchemaError)) throw error;
    return toHex(operation.subarray(0, 8));
  }
}

function inWords(asked: ShardOperation): string {
  switch (asked.kind) {
    case 'access':
      return `lock ${[...new Set([...asked.reads, ...asked.writes])].join(' ')}`;
    case 'prepare':
    case 'commit':
      return `${asked.kind} ${asked.writes.map(({ key }) => key).join(' ')}`;
    case 'resolve':
      return asked.at === null ? 'abort' : `committed at ${asked.at}`;
    case 'tick':
      return `clock ${asked.earliest} to ${asked.latest}`;
    case 'read':
      return `read ${asked.keys.join(' ')} at ${asked.at}`;
    default:
      return asked.kind;
  }
}
