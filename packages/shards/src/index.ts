/**
 * Sharded transactions over replicated logs: ranges of keys, two-phase commit, wound-wait, commit
 * timestamps with commit wait, reads at a timestamp, ranges that split, merge and move.
 *
 * @packageDocumentation
 */
import type { LogCodec } from '@quorumlab/log';
import {
  type ShardOperation,
  type ShardResult,
  shardOperation,
  shardResult,
} from './operations.ts';

export * from './borders.ts';
export type { ShardTimes } from './clocking.ts';
export * from './describe.ts';
export * from './host.ts';
export * from './keeper.ts';
export * from './limits.ts';
export * from './mover.ts';
export * from './operations.ts';
export * from './party.ts';
export * from './reader.ts';
export * from './router.ts';
export * from './rules.ts';
export * from './shard.ts';
export * from './transaction.ts';

/** The codec of a shard's log, for `startNode`, `connectClient` and `replicatedLog`. */
export const shardCodec: LogCodec<ShardOperation, ShardResult, ShardOperation> = {
  command: shardOperation,
  result: shardResult,
  query: shardOperation,
};
