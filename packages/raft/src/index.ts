/**
 * Raft: a replicated log for crash faults, n = 2f+1.
 *
 * @packageDocumentation
 */

export {
  type Change,
  type Configuration,
  ConfigurationError,
  decodeConfiguration,
  encodeChange,
  encodeSeat,
  encodeTransfer,
  type How,
} from './configuration.ts';
export type { Options as RaftOptions } from './group.ts';
export type {
  AppendEntries,
  AppendReply,
  Entry,
  Index,
  InstallSnapshot,
  Message as RaftMessage,
  PreVote,
  PreVoteReply,
  ReadIndex,
  ReadIndexReply,
  RequestVote,
  SnapshotReply,
  TimeoutNow,
  Vote,
} from './messages.ts';
export { paper } from './paper.ts';
export { raft } from './protocol.ts';
export type { Raft, Stable as RaftStable, Volatile as RaftVolatile } from './state.ts';
