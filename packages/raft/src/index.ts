/**
 * Raft: a replicated log for crash faults, n = 2f+1.
 *
 * @packageDocumentation
 */

export type {
  AppendEntries,
  AppendReply,
  Entry,
  Index,
  InstallSnapshot,
  PreVote,
  PreVoteReply,
  RaftMessage,
  RequestVote,
  SnapshotReply,
  Vote,
} from './messages.ts';
export { paper } from './paper.ts';
export { type RaftOptions, raft } from './raft.ts';
export type { Raft, RaftStable, RaftVolatile } from './state.ts';
