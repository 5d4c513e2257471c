/**
 * The messages of Raft, each declared once: its schema is its encoding and its limits, and its type
 * follows from it. They are the RPCs of Figure 2 and Figure 13, and their answers.
 */
import {
  boolean,
  digest,
  type Infer,
  integer,
  list,
  type MessageField,
  maxRequestBytes,
  message,
  messages,
  nullable,
  type OfKind,
  type Request,
  record,
  request,
  requestOverheadBytes,
  requestWeight,
  type Signed,
  signed,
  type Tagged,
} from '@quorumlab/core';

/** A position in the log, from 1 as in the paper; 0 is the place before the first entry. */
export type Index = number;

/** Most entries that one AppendEntries can carry on the wire. */
export const entriesLimit = 1024;

/** The least that one AppendEntries must be allowed to carry: any one request fits into it. */
export const leastBytesPerAppend: number = maxRequestBytes + requestOverheadBytes + 16;

/** An upper bound of the encoded size of an entry with `command`, without encoding it. */
export const entryBytes = (command: Signed<Request> | null): number =>
  8 + (command === null ? 0 : requestWeight(command));

/** What the limits of the encodings follow from. */
export interface Sizes {
  /** What the entries of one AppendEntries take at most. */
  readonly maxBytesPerAppend: number;
}

const term = integer();
const index = integer();

/** `of` with room for `maxBytes`. */
const sized = <M extends Tagged>(of: MessageField<M>, maxBytes: number): MessageField<M> => ({
  ...of,
  maxBytes,
});

/** Every schema of a group. The order of `messages` is the tag on the wire. */
export function schemas({ maxBytesPerAppend }: Sizes) {
  const entry = record({ term, command: nullable(signed(request)) });
  const appendEntries = message('append-entries', {
    term,
    prevIndex: index,
    prevTerm: term,
    entries: list(entry, entriesLimit),
    leaderCommit: index,
    // The leader's count of heartbeat rounds; the reply echoes it (thesis 6.4).
    round: integer(),
  });
  return {
    entry,
    messages: messages(
      message('pre-vote', { nextTerm: term, lastIndex: index, lastTerm: term }),
      // The term is the asked one if granted, and the voter's own term if not.
      message('pre-vote-reply', { term, granted: boolean }),
      message('request-vote', { term, lastIndex: index, lastTerm: term }),
      message('vote', { term, candidate: integer(), granted: boolean }),
      // Six integers of at most 7 bytes stand around the entries.
      sized(appendEntries, 42 + maxBytesPerAppend),
      message('append-reply', {
        term,
        success: boolean,
        // On success the follower's log equals the leader's up to here; else the refused prevIndex.
        index,
        // The term that the follower has at the refused prevIndex; 0: its log is shorter.
        conflictTerm: term,
        // The first index the follower has of that term, or where its log ends.
        conflictIndex: index,
        round: integer(),
      }),
      message('install-snapshot', { term, lastIndex: index, lastTerm: term, digest }),
      message('snapshot-reply', { term, lastIndex: index }),
      // No earlier loss of a disk had this nonce: late answers to an older question do not count.
      message('rejoin', { nonce: integer(), lastIndex: index }),
      message('rejoin-reply', {
        nonce: integer(),
        term,
        lastIndex: index,
        lastTerm: term,
        // The asker may use terms of its own from here on: none of them has ever been used.
        ownTerm: term,
      }),
    ),
  };
}

/** The schemas of one group. */
export type Schemas = ReturnType<typeof schemas>;

/** Every message of this protocol. */
export type Message = Infer<Schemas['messages']>;

/** One entry of the log: the term in which a leader received it, and the command; null: a no-op. */
export type Entry = Infer<Schemas['entry']>;

/** May I run for `nextTerm`? Promises nothing and changes nothing (Ongaro's thesis, 9.6). */
export type PreVote = OfKind<Message, 'pre-vote'>;

/** The answer to a PreVote, which binds its sender to nothing. */
export type PreVoteReply = OfKind<Message, 'pre-vote-reply'>;

/** RequestVote RPC of Figure 2. The candidate is the sender. */
export type RequestVote = OfKind<Message, 'request-vote'>;

/** The answer to a RequestVote. Naming the candidate makes two votes in one term visible to all. */
export type Vote = OfKind<Message, 'vote'>;

/** AppendEntries RPC of Figure 2; without entries it is a heartbeat. The leader is the sender. */
export type AppendEntries = OfKind<Message, 'append-entries'>;

/** The answer to an AppendEntries, with the hints of §5.3 that let the leader back up fast. */
export type AppendReply = OfKind<Message, 'append-reply'>;

/** InstallSnapshot RPC of Figure 13 without the bytes: `digest` tells which they are. */
export type InstallSnapshot = OfKind<Message, 'install-snapshot'>;

/** The follower's state is durable up to and including `lastIndex`. */
export type SnapshotReply = OfKind<Message, 'snapshot-reply'>;

/**
 * A member that lost its disk asks what it may have promised, and says how much log it has by now.
 * Not in the paper: see `rejoin.ts`.
 */
export type Rejoin = OfKind<Message, 'rejoin'>;

/** The answer of another member, durable before it is sent. */
export type RejoinReply = OfKind<Message, 'rejoin-reply'>;
