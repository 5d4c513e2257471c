/**
 * The messages of Zab, each declared once: its schema is its encoding and its limits, and its type
 * follows from it. The names are those of the paper; those that it leaves to its reader (finding a
 * leader, catching up in parts, signs of life) are ZooKeeper's.
 */
import {
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
  word,
} from '@quorumlab/core';

/** Most transactions that one message can carry on the wire. */
export const transactionsLimit = 1024;

/** The least that the transactions of a message must be allowed to take: any one fits into it. */
export const leastBytesPerMessage: number = maxRequestBytes + requestOverheadBytes + 16;

/** An upper bound of the encoded size of a transaction with `command`, without encoding it. */
export const transactionBytes = (command: Signed<Request> | null): number =>
  8 + (command === null ? 0 : requestWeight(command));

/** What the limits of the encodings follow from. */
export interface Sizes {
  /** What the transactions of one message take at most. */
  readonly maxBytesPerMessage: number;
}

const epoch = integer();
/** The count of a leader's pings; who answers repeats it, so the leader sees what was lost. */
const beat = integer();

/**
 * The identifier of a transaction: the epoch of the primary that made it, and its place in the
 * history, from 1. (0, 0) is the place before the first transaction.
 */
const zxid = record({ epoch, counter: integer() });

/** `of` with room for `maxBytes`. */
const sized = <M extends Tagged>(of: MessageField<M>, maxBytes: number): MessageField<M> => ({
  ...of,
  maxBytes,
});

/** Every schema of a group. The order of `messages` is the tag on the wire. */
export function schemas({ maxBytesPerMessage }: Sizes) {
  const transaction = record({ epoch, command: nullable(signed(request)) });
  // Four integers of at most 7 bytes stand around the transactions.
  const most = 28 + maxBytesPerMessage;
  const transactions = list(transaction, transactionsLimit);
  return {
    transaction,
    zxid,
    messages: messages(
      // Phase 0. What a replica thinks of who should lead: `currentEpoch` and `zxid` are those of
      // `leader`, in the state in which it was nominated.
      message('notification', {
        state: word('looking', 'following', 'leading'),
        round: integer(),
        leader: integer(),
        currentEpoch: epoch,
        zxid,
      }),
      // Phase 1. `acceptedFrom` is who had proposed the epoch that was promised last.
      message('cepoch', { acceptedEpoch: epoch, acceptedFrom: nullable(integer()) }),
      message('newepoch', { epoch, beat }),
      message('ack-e', {
        epoch,
        // To whom the epoch is promised: two promises of one epoch are visible to all.
        leader: integer(),
        // What a history is chosen by.
        currentEpoch: epoch,
        lastZxid: zxid,
        // Where the history of the sender ends now. The same, unless it has lost its disk.
        held: zxid,
        beat,
      }),
      // Phase 2. What a follower has and its leader has not is cut off; what it lacks follows, the
      // last of it with NEWLEADER itself.
      message('trunc', { epoch, to: zxid }),
      message('snap', { epoch, zxid, digest }),
      sized(message('diff', { epoch, previous: zxid, transactions }), most),
      sized(message('newleader', { epoch, previous: zxid, transactions }), most),
      message('ack-ld', { epoch, zxid, beat }),
      message('commit-ld', { epoch, zxid }),
      // Phase 3.
      sized(message('propose', { epoch, previous: zxid, transactions }), most),
      message('ack', { epoch, zxid, beat }),
      message('commit', { epoch, zxid }),
      message('ping', { epoch, beat, zxid }),
      // No earlier loss of a disk had this nonce: late answers to an older question do not count.
      message('rejoin', { nonce: integer() }),
      message('rejoin-reply', {
        nonce: integer(),
        acceptedEpoch: epoch,
        acceptedFrom: nullable(integer()),
        currentEpoch: epoch,
        lastZxid: zxid,
      }),
      // To observers, in place of PROPOSE and COMMIT: what is committed.
      sized(message('inform', { epoch, previous: zxid, transactions }), most),
      // Reads of those that do not lead.
      message('sync', { epoch, life: integer(), question: integer() }),
      message('sync-reply', { epoch, life: integer(), question: integer(), zxid }),
    ),
  };
}

/** The schemas of one group. */
export type Schemas = ReturnType<typeof schemas>;

/** Every message of this protocol. */
export type Message = Infer<Schemas['messages']>;

/** See the schema: ordered by epoch, then by counter. */
export type Zxid = Infer<Schemas['zxid']>;

/** A transaction: the epoch of whoever proposed it, and the command; null: a no-op. */
export type Transaction = Infer<Schemas['transaction']>;

/** Whom its sender would have lead, or whom it follows. */
export type Notification = OfKind<Message, 'notification'>;

/** CEPOCH: a follower tells its prospective leader which epoch it has promised last. */
export type CEpoch = OfKind<Message, 'cepoch'>;

/** NEWEPOCH: an epoch that is newer than all that a quorum has promised. */
export type NewEpoch = OfKind<Message, 'newepoch'>;

/** ACK-E: the epoch is promised, and this is where the history ends. */
export type AckEpoch = OfKind<Message, 'ack-e'>;

/** TRUNC: what comes after `to` is not in the history of this epoch. */
export type Trunc = OfKind<Message, 'trunc'>;

/** SNAP without the bytes: `digest` tells which state is to be fetched. */
export type Snap = OfKind<Message, 'snap'>;

/** DIFF: transactions that come before those of NEWLEADER. */
export type Diff = OfKind<Message, 'diff'>;

/** NEWLEADER: with these transactions the history is that of the epoch, up to here. */
export type NewLeader = OfKind<Message, 'newleader'>;

/** ACK-LD: the history of the epoch up to `zxid` is durable. */
export type AckLeader = OfKind<Message, 'ack-ld'>;

/** COMMIT-LD: the epoch is established; everything up to `zxid` is committed. */
export type CommitLeader = OfKind<Message, 'commit-ld'>;

/** PROPOSE: the next transactions of the epoch. */
export type Propose = OfKind<Message, 'propose'>;

/** INFORM: the next transactions of the epoch, which are committed. */
export type Inform = OfKind<Message, 'inform'>;

/** SYNC: a replica that does not lead wants to know up to where it has to read. */
export type Sync = OfKind<Message, 'sync'>;

/** The leader led after it was asked; up to `zxid` everything is committed. */
export type SyncReply = OfKind<Message, 'sync-reply'>;

/** What only counts in its order: each follows `previous`. */
export type Ordered = Diff | NewLeader | Propose | Inform;

/** ACK: every transaction up to `zxid` is durable. */
export type Ack = OfKind<Message, 'ack'>;

/** COMMIT: every transaction up to `zxid` may be delivered. */
export type Commit = OfKind<Message, 'commit'>;

/** A sign of life of a leader. */
export type Ping = OfKind<Message, 'ping'>;

/** A member that lost its disk asks what it may have promised. Not in the paper: `rejoin.ts`. */
export type Rejoin = OfKind<Message, 'rejoin'>;

/** The answer of another member, durable before it is sent. */
export type RejoinReply = OfKind<Message, 'rejoin-reply'>;

/**
 * How far the leader has come with one follower. 'joined': it has sent CEPOCH. 'promised': ACK-E.
 * 'told': it was sent NEWLEADER, and is sent all that is proposed from then on. 'synced': ACK-LD.
 */
export type Stage = 'joined' | 'promised' | 'told' | 'synced';
