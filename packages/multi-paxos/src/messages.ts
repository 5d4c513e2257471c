/**
 * The messages of Multi-Paxos, each declared once: its schema is its encoding and its limits, and
 * its type follows from it.
 */
import {
  bounded,
  digest,
  type Infer,
  integer,
  list,
  type MessageField,
  maxRequestBytes,
  message,
  messages,
  type OfKind,
  record,
  request,
  requestOverheadBytes,
  requestWeight,
  signed,
  type Tagged,
} from '@quorumlab/core';

/** Most commands in one slot. */
export const commandsLimit = 1024;
/** Most votes in one message, whatever their size. */
export const votesLimit = 1024;
/** The least that one slot must be allowed to hold: any one request fits into it. */
export const leastBytesPerSlot: number = maxRequestBytes + requestOverheadBytes + 16;

/** What the limits of the encodings follow from. */
export interface Sizes {
  /** What the commands of one slot, and of one message, take at most. */
  readonly maxBytesPerSlot: number;
}

const ballot = integer();
const slot = integer();

/** `of` with the room that `maxBytes` of votes need. One part never holds more. */
const sized = <M extends Tagged>(of: MessageField<M>, maxBytes: number): MessageField<M> => ({
  ...of,
  maxBytes: 64 + maxBytes,
});

/** Every schema of a group. The order of `messages` is the tag on the wire. */
export function schemas({ maxBytesPerSlot }: Sizes) {
  const value = bounded(list(signed(request), commandsLimit), maxBytesPerSlot);
  const vote = record({ ballot, value });
  const slotVote = record({ slot, ballot, value });
  const room = maxBytesPerSlot + votesLimit * 32;
  const report = {
    // What was chosen below it is left out: whoever lacks it has to catch up first.
    fromSlot: slot,
    // Everything below is known to be chosen: the marks of rule 3 in one number.
    firstUnchosen: slot,
    // From 0; of `parts` in all.
    part: integer(),
    parts: integer(),
    // Slots ascending, over all parts.
    votes: bounded(list(slotVote, votesLimit), room),
  };
  const votes = bounded(list(vote, votesLimit), room);
  // The leader's count of heartbeats; the answer echoes it.
  const round = integer();
  // Told again in the answer, so that answers to an earlier loss are not taken for it.
  const attempt = integer();
  return {
    value,
    vote,
    slotVote,
    reportPart: record(report),
    messages: messages(
      message('prepare', { ballot, fromSlot: slot }),
      sized(message('promise', { ballot, ...report }), room),
      // Followers are told which earlier slots are chosen (rule 10).
      sized(message('accept', { ballot, slot, value, firstUnchosen: slot }), maxBytesPerSlot),
      message('accepted', { ballot, slot }),
      message('nack', { ballot, promised: ballot }),
      message('heartbeat', { ballot, round, firstUnchosen: slot }),
      message('heartbeat-ack', { ballot, round }),
      message('catch-up', { fromSlot: slot }),
      // The sender knows everything below `firstUnchosen` to be chosen.
      sized(message('learn', { fromSlot: slot, votes, firstUnchosen: slot }), room),
      message('snapshot-offer', { slot, digest }),
      message('forward', { command: signed(request) }),
      message('recall', { attempt }),
      sized(message('recalled', { attempt, promised: ballot, ...report }), room),
    ),
  };
}

/** The schemas of one group. */
export type Schemas = ReturnType<typeof schemas>;

/** Every message of this protocol. */
export type Message = Infer<Schemas['messages']>;

/** What one slot is to hold: client commands in their order; none: a no-op. */
export type Value = Infer<Schemas['value']>;

/** The no-op of §3: it changes nothing, and fills a slot that nobody can be asked about. */
export const noOp: Value = Object.freeze([]);

/** What an acceptor remembers of a slot: the highest-numbered proposal that it accepted. */
export type Vote = Infer<Schemas['vote']>;

/** A vote, and for which slot. */
export type SlotVote = Infer<Schemas['slotVote']>;

/** An upper bound of the encoded size of a vote for `value`. */
export const voteBytes = (value: Value): number =>
  value.reduce((sum, each) => sum + requestWeight(each), 32);

/** One part of what a replica knows from `fromSlot` on. All parts are sent at once. */
export type ReportPart = Infer<Schemas['reportPart']>;

/** Phase 1a: promise to accept nothing below `ballot`, and tell your votes from `fromSlot` on. */
export type Prepare = OfKind<Message, 'prepare'>;

/** Phase 1b, for all slots from `fromSlot` on at once. */
export type Promised = OfKind<Message, 'promise'>;

/** Phase 2a. `firstUnchosen` tells followers which earlier slots are chosen (rule 10). */
export type Accept = OfKind<Message, 'accept'>;

/** Phase 2b. */
export type Accepted = OfKind<Message, 'accepted'>;

/** `ballot` is refused: the sender has promised a higher one (§2.5). */
export type Nack = OfKind<Message, 'nack'>;

/** The leader's sign of life, and its question "do you still follow me?". */
export type Heartbeat = OfKind<Message, 'heartbeat'>;

/** The sender has promised nothing above `ballot` when it got heartbeat `round`. */
export type HeartbeatAck = OfKind<Message, 'heartbeat-ack'>;

/** Which values were chosen from `fromSlot` on? */
export type CatchUp = OfKind<Message, 'catch-up'>;

/** Chosen values of consecutive slots, with the ballots of the sender's votes for them. */
export type Learn = OfKind<Message, 'learn'>;

/** What was asked for is compacted: get the application's state after `slot` instead. */
export type SnapshotOffer = OfKind<Message, 'snapshot-offer'>;

/** A client's command that reached a replica which does not lead. Never passed on twice. */
export type Forward = OfKind<Message, 'forward'>;

/** A replica that lost its disk asks what it may have promised and accepted. */
export type Recall = OfKind<Message, 'recall'>;

/** The answer to {@link Recall}. */
export type Recalled = OfKind<Message, 'recalled'>;
