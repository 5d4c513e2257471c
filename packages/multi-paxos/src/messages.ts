import {
  bounded,
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
  type Request,
  record,
  request,
  requestBytes,
  requestOverheadBytes,
  type Signed,
  type Slot,
  signed,
} from '@quorumlab/core';
import type { Ballot } from './ballots.ts';

/** What one slot is to hold: client commands in their order; none: a no-op. */
export type Value = readonly Signed<Request>[];

/** The no-op of §3: it changes nothing, and fills a slot that nobody can be asked about. */
export const noOp: Value = Object.freeze([]);

/** What an acceptor remembers of a slot: the highest-numbered proposal that it accepted. */
export interface Vote {
  readonly ballot: Ballot;
  readonly value: Value;
}

/** A vote, and for which slot. */
export interface SlotVote extends Vote {
  readonly slot: Slot;
}

/** One part of what a replica knows from `fromSlot` on. All parts are sent at once. */
export interface ReportPart {
  /** What was chosen below it is left out: whoever lacks it has to catch up first. */
  readonly fromSlot: Slot;
  /** Everything below is known to be chosen: the marks of rule 3 in one number. */
  readonly firstUnchosen: Slot;
  /** From 0; of `parts` in all. */
  readonly part: number;
  readonly parts: number;
  /** Slots ascending, over all parts. */
  readonly votes: readonly SlotVote[];
}

/** Phase 1a: promise to accept nothing below `ballot`, and tell your votes from `fromSlot` on. */
export interface Prepare {
  readonly kind: 'prepare';
  readonly ballot: Ballot;
  readonly fromSlot: Slot;
}

/** Phase 1b, for all slots from `fromSlot` on at once. */
export interface Promised extends ReportPart {
  readonly kind: 'promise';
  readonly ballot: Ballot;
}

/** Phase 2a. `firstUnchosen` tells followers which earlier slots are chosen (rule 10). */
export interface Accept {
  readonly kind: 'accept';
  readonly ballot: Ballot;
  readonly slot: Slot;
  readonly value: Value;
  readonly firstUnchosen: Slot;
}

/** Phase 2b. */
export interface Accepted {
  readonly kind: 'accepted';
  readonly ballot: Ballot;
  readonly slot: Slot;
}

/** `ballot` is refused: the sender has promised a higher one (§2.5). */
export interface Nack {
  readonly kind: 'nack';
  readonly ballot: Ballot;
  readonly promised: Ballot;
}

/** The leader's sign of life, and its question "do you still follow me?". */
export interface Heartbeat {
  readonly kind: 'heartbeat';
  readonly ballot: Ballot;
  /** The leader's count of heartbeats; the answer echoes it. */
  readonly round: number;
  readonly firstUnchosen: Slot;
}

/** The sender has promised nothing above `ballot` when it got heartbeat `round`. */
export interface HeartbeatAck {
  readonly kind: 'heartbeat-ack';
  readonly ballot: Ballot;
  readonly round: number;
}

/** Which values were chosen from `fromSlot` on? */
export interface CatchUp {
  readonly kind: 'catch-up';
  readonly fromSlot: Slot;
}

/** Chosen values of consecutive slots, with the ballots of the sender's votes for them. */
export interface Learn {
  readonly kind: 'learn';
  readonly fromSlot: Slot;
  readonly votes: readonly Vote[];
  /** The sender knows everything below to be chosen. */
  readonly firstUnchosen: Slot;
}

/** What was asked for is compacted: get the application's state after `slot` instead. */
export interface SnapshotOffer {
  readonly kind: 'snapshot-offer';
  readonly slot: Slot;
  readonly digest: Digest;
}

/** A client's command that reached a replica which does not lead. Never passed on twice. */
export interface Forward {
  readonly kind: 'forward';
  readonly command: Signed<Request>;
}

/** A replica that lost its disk asks what it may have promised and accepted. */
export interface Recall {
  readonly kind: 'recall';
  /** Told again in the answer, so that answers to an earlier loss are not taken for it. */
  readonly attempt: number;
}

/** The answer to {@link Recall}. */
export interface Recalled extends ReportPart {
  readonly kind: 'recalled';
  readonly attempt: number;
  readonly promised: Ballot;
}

/** All messages of Multi-Paxos. */
export type MultiPaxosMessage =
  | Prepare
  | Promised
  | Accept
  | Accepted
  | Nack
  | Heartbeat
  | HeartbeatAck
  | CatchUp
  | Learn
  | SnapshotOffer
  | Forward
  | Recall
  | Recalled;

/** Most commands in one slot. */
export const commandsLimit = 1024;
/** Most votes in one message, whatever their size. */
export const votesLimit = 1024;
/** The least that one slot must be allowed to hold: any one request fits into it. */
export const leastBytesPerSlot: number = maxRequestBytes + requestOverheadBytes + 16;

/** An upper bound of the encoded size of a vote for `value`. */
export const voteBytes = (value: Value): number =>
  value.reduce((sum, each) => sum + requestBytes(each), 32);

/** How a value is stored and sent. */
const valueField = (maxBytesPerSlot: number): Field<Value> =>
  bounded(list(signed(request), commandsLimit), maxBytesPerSlot);

/** How a vote is stored and sent. */
export const voteField = (maxBytesPerSlot: number): Field<Vote> =>
  record({ ballot: integer(), value: valueField(maxBytesPerSlot) });

const ballot = integer();
const slot = integer();

/** `of` with the room that `maxBytes` of votes need. One part never holds more. */
const sized = <M extends { readonly kind: string }>(
  of: MessageField<M>,
  maxBytes: number,
): MessageField<M> => ({ ...of, maxBytes: 64 + maxBytes });

/**
 * The codec of Multi-Paxos' messages, where one slot and one message hold at most `maxBytesPerSlot`
 * bytes of commands. The order is the tag on the wire.
 */
export function multiPaxosMessages(maxBytesPerSlot: number): MessagesField<MultiPaxosMessage> {
  const value = valueField(maxBytesPerSlot);
  const room = maxBytesPerSlot + votesLimit * 32;
  const report = {
    fromSlot: slot,
    firstUnchosen: slot,
    part: integer(),
    parts: integer(),
    votes: bounded(list(record({ slot, ballot, value }), votesLimit), room),
  };
  const votes = bounded(list(record({ ballot, value }), votesLimit), room);
  return messages(
    message('prepare', { ballot, fromSlot: slot }),
    sized(message('promise', { ballot, ...report }), room),
    sized(message('accept', { ballot, slot, value, firstUnchosen: slot }), maxBytesPerSlot),
    message('accepted', { ballot, slot }),
    message('nack', { ballot, promised: ballot }),
    message('heartbeat', { ballot, round: integer(), firstUnchosen: slot }),
    message('heartbeat-ack', { ballot, round: integer() }),
    message('catch-up', { fromSlot: slot }),
    sized(message('learn', { fromSlot: slot, votes, firstUnchosen: slot }), room),
    message('snapshot-offer', { slot, digest }),
    message('forward', { command: signed(request) }),
    message('recall', { attempt: integer() }),
    sized(message('recalled', { attempt: integer(), promised: ballot, ...report }), room),
  );
}
