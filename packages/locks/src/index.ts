/**
 * A lock service over any replicated log: sessions that end in log time, exclusive and shared locks
 * with fencing tokens, lock-delay, small files and events.
 *
 * @packageDocumentation
 */
import type { LogCodec } from '@quorumlab/log';
import { type LockOperation, type LockResult, lockOperation, lockResult } from './operations.ts';

export * from './errors.ts';
export { Fence } from './fence.ts';
export * from './limits.ts';
export { type LockServiceOptions, lockService } from './lock-service.ts';
export * from './operations.ts';
export * from './session.ts';
export { systemTime, type Time } from './time.ts';
export * from './time-keeper.ts';

/** The codec of a lock service's log, for `startNode`, `connectClient` and `replicatedLog`. */
export const lockCodec: LogCodec<LockOperation, LockResult, LockOperation> = {
  command: lockOperation,
  result: lockResult,
  query: lockOperation,
};
