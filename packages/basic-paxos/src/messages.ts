/**
 * The messages of Basic Paxos, each declared once: its schema is its encoding and its limits, and
 * its type follows from it.
 */
import {
  type Infer,
  integer,
  message,
  messages,
  nullable,
  type OfKind,
  record,
  request,
  signed,
} from '@quorumlab/core';

const ballot = integer();

/** Every schema. The order of `messages` is the tag on the wire. */
export function schemas() {
  const value = signed(request);
  const vote = record({ ballot, value });
  return {
    value,
    vote,
    messages: messages(
      message('prepare', { ballot }),
      message('promise', { ballot, accepted: nullable(vote) }),
      message('accept', { ballot, value }),
      message('accepted', { ballot, value }),
      message('nack', { ballot, promised: ballot }),
      message('ask', {}),
      message('decided', { value }),
    ),
  };
}

/** The schemas, the same for all groups. */
export type Schemas = ReturnType<typeof schemas>;

/** Every message of this protocol. */
export type Message = Infer<Schemas['messages']>;

/** What is to be chosen: one client's request. */
export type Value = Infer<Schemas['value']>;

/** An accepted proposal: its number and its value (the paper's "proposal numbered n with v"). */
export type Vote = Infer<Schemas['vote']>;

/** Phase 1a: will you promise to accept nothing below `ballot`, and what have you accepted? */
export type Prepare = OfKind<Message, 'prepare'>;

/** Phase 1b: I promise, and this is the highest-numbered proposal that I have accepted. */
export type Promise1b = OfKind<Message, 'promise'>;

/** Phase 2a: accept `value` under `ballot`. */
export type Accept = OfKind<Message, 'accept'>;

/** Phase 2b, to all learners: I have accepted `value` under `ballot`. */
export type Accepted = OfKind<Message, 'accepted'>;

/** I have promised `promised`, so `ballot` is out of date. A courtesy: only speed depends on it. */
export type Nack = OfKind<Message, 'nack'>;

/** Has anything been chosen? Answered with `decided`, or with the own `accepted`. */
export type Ask = OfKind<Message, 'ask'>;

/** `value` was chosen: this learner knows it. */
export type Decided = OfKind<Message, 'decided'>;
