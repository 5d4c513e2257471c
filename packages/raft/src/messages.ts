import {
  boolean,
  type Digest,
  digest,
  type Field,
  integer,
  list,
  type MessageField,
  type MessagesField,
  maxRequestBytes,
  message,
  messages,
  nullable,
  type ReplicaId,
  type Request,
  record,
  request,
  requestBytes,
  requestOverheadBytes,
  type Signed,
  signed,
} from '@quorumlab/core';

/** A position in the log, from 1 as in the paper; 0 is the place before the first entry. */
export type Index = number;

/** One entry of the log: the term in which a leader received it, and the command; null: a no-op. */
export interface Entry {
  readonly term: number;
  readonly command: Signed<Request> | null;
}

/** May I run for `nextTerm`? Promises nothing and changes nothing (Ongaro's thesis, 9.6). */
export interface PreVote {
  readonly kind: 'pre-vote';
  readonly nextTerm: number;
  readonly lastIndex: Index;
  readonly lastTerm: number;
}

/** `term` is the asked `nextTerm` if granted, and the voter's own term if not. */
export interface PreVoteReply {
  readonly kind: 'pre-vote-reply';
  readonly term: number;
  readonly granted: boolean;
}

/** RequestVote RPC of Figure 2. The candidate is the sender. */
export interface RequestVote {
  readonly kind: 'request-vote';
  readonly term: number;
  readonly lastIndex: Index;
  readonly lastTerm: number;
}

/** The answer to a RequestVote. Naming the candidate makes two votes in one term visible to all. */
export interface Vote {
  readonly kind: 'vote';
  readonly term: number;
  readonly candidate: ReplicaId;
  readonly granted: boolean;
}

/** AppendEntries RPC of Figure 2; without entries it is a heartbeat. The leader is the sender. */
export interface AppendEntries {
  readonly kind: 'append-entries';
  readonly term: number;
  readonly prevIndex: Index;
  readonly prevTerm: number;
  readonly entries: readonly Entry[];
  readonly leaderCommit: Index;
  /** The leader's count of heartbeat rounds; the reply echoes it (thesis 6.4). */
  readonly round: number;
}

/** The answer to an AppendEntries, with the hints of §5.3 that let the leader back up fast. */
export interface AppendReply {
  readonly kind: 'append-reply';
  readonly term: number;
  readonly success: boolean;
  /** On success the follower's log equals the leader's up to here; else the refused prevIndex. */
  readonly index: Index;
  /** The term that the follower has at the refused prevIndex; 0: its log is shorter. */
  readonly conflictTerm: number;
  /** The first index the follower has of that term, or where its log ends. */
  readonly conflictIndex: Index;
  readonly round: number;
}

/** InstallSnapshot RPC of Figure 13 without the bytes: `digest` tells which they are. */
export interface InstallSnapshot {
  readonly kind: 'install-snapshot';
  readonly term: number;
  readonly lastIndex: Index;
  readonly lastTerm: number;
  readonly digest: Digest;
}

/** The follower's state is durable up to and including `lastIndex`. */
export interface SnapshotReply {
  readonly kind: 'snapshot-reply';
  readonly term: number;
  readonly lastIndex: Index;
}

/**
 * A member that lost its disk asks what it may have promised, and says how much log it has by now.
 * Not in the paper: see `rejoin.ts`.
 */
export interface Rejoin {
  readonly kind: 'rejoin';
  /** No earlier loss of a disk had it, so that late answers to an older question do not count. */
  readonly nonce: number;
  readonly lastIndex: Index;
}

/** The answer of another member, durable before it is sent. */
export interface RejoinReply {
  readonly kind: 'rejoin-reply';
  readonly nonce: number;
  readonly term: number;
  readonly lastIndex: Index;
  readonly lastTerm: number;
  /** The asker may use terms of its own from here on: none of them has ever been used. */
  readonly ownTerm: number;
}

/** All messages of Raft. */
export type RaftMessage =
  | PreVote
  | PreVoteReply
  | RequestVote
  | Vote
  | AppendEntries
  | AppendReply
  | InstallSnapshot
  | SnapshotReply
  | Rejoin
  | RejoinReply;

/** Most entries that one AppendEntries can carry on the wire. */
export const entriesLimit = 1024;

/** How an entry is stored and sent. */
export const entry: Field<Entry> = record({
  term: integer(),
  command: nullable(signed(request)),
});

/** The least that one AppendEntries must be allowed to carry: any one request fits into it. */
export const leastBytesPerAppend: number = maxRequestBytes + requestOverheadBytes + 16;

/** An upper bound of the encoded size of an entry with `command`, without encoding it. */
export const entryBytes = (command: Signed<Request> | null): number =>
  8 + (command === null ? 0 : requestBytes(command));

const term = integer();
const index = integer();

/**
 * The codec of Raft's messages, where the entries of one AppendEntries take at most
 * `maxBytesPerAppend` bytes. The order is the tag on the wire.
 */
export function raftMessages(maxBytesPerAppend: number): MessagesField<RaftMessage> {
  const appendEntries: MessageField<AppendEntries> = {
    ...message('append-entries', {
      term,
      prevIndex: index,
      prevTerm: term,
      entries: list(entry, entriesLimit),
      leaderCommit: index,
      round: integer(),
    }),
    // Six integers of at most 7 bytes stand around the entries.
    maxBytes: 42 + maxBytesPerAppend,
  };
  return messages(
    message('pre-vote', { nextTerm: term, lastIndex: index, lastTerm: term }),
    message('pre-vote-reply', { term, granted: boolean }),
    message('request-vote', { term, lastIndex: index, lastTerm: term }),
    message('vote', { term, candidate: integer(), granted: boolean }),
    appendEntries,
    message('append-reply', {
      term,
      success: boolean,
      index,
      conflictTerm: term,
      conflictIndex: index,
      round: integer(),
    }),
    message('install-snapshot', { term, lastIndex: index, lastTerm: term, digest }),
    message('snapshot-reply', { term, lastIndex: index }),
    message('rejoin', { nonce: integer(), lastIndex: index }),
    message('rejoin-reply', {
      nonce: integer(),
      term,
      lastIndex: index,
      lastTerm: term,
      ownTerm: term,
    }),
  );
}
