/**
 * Zab, ZooKeeper's atomic broadcast: a replicated log for crash faults in primary order, n = 2f+1.
 *
 * @packageDocumentation
 */

export type { Options as ZabOptions } from './group.ts';
export type {
  Ack,
  AckEpoch,
  AckLeader,
  CEpoch,
  Commit,
  CommitLeader,
  Inform,
  Message as ZabMessage,
  NewEpoch,
  NewLeader,
  Notification,
  Propose,
  Sync,
  SyncReply,
  Transaction,
  Zxid,
} from './messages.ts';
export { paper } from './paper.ts';
export { zab } from './protocol.ts';
export type { Stable as ZabStable, Volatile as ZabVolatile, Zab } from './state.ts';
