import type { Ballot } from '@quorumlab/core';
import {
  type Field,
  integer,
  type MessagesField,
  message,
  messages,
  nullable,
  type Request,
  record,
  request,
  type Signed,
  signed,
} from '@quorumlab/core';

/** What is to be chosen: one client's request. */
export type Value = Signed<Request>;

/** An accepted proposal: its number and its value (the paper's "proposal numbered n with v"). */
export interface Vote {
  readonly ballot: Ballot;
  readonly value: Value;
}

/** Phase 1a: will you promise to accept nothing below `ballot`, and what have you accepted? */
export interface Prepare {
  readonly kind: 'prepare';
  readonly ballot: Ballot;
}

/** Phase 1b: I promise, and this is the highest-numbered proposal that I have accepted. */
export interface Promise1b {
  readonly kind: 'promise';
  readonly ballot: Ballot;
  readonly accepted: Vote | null;
}

/** Phase 2a: accept `value` under `ballot`. */
export interface Accept {
  readonly kind: 'accept';
  readonly ballot: Ballot;
  readonly value: Value;
}

/** Phase 2b, to all learners: I have accepted `value` under `ballot`. */
export interface Accepted {
  readonly kind: 'accepted';
  readonly ballot: Ballot;
  readonly value: Value;
}

/** I have promised `promised`, so `ballot` is out of date. A courtesy: only speed depends on it. */
export interface Nack {
  readonly kind: 'nack';
  readonly ballot: Ballot;
  readonly promised: Ballot;
}

/** Has anything been chosen? Answered with `decided`, or with the own `accepted`. */
export interface Ask {
  readonly kind: 'ask';
}

/** `value` was chosen: this learner knows it. */
export interface Decided {
  readonly kind: 'decided';
  readonly value: Value;
}

/** All messages of Basic Paxos. */
export type BasicPaxosMessage = Prepare | Promise1b | Accept | Accepted | Nack | Ask | Decided;

const ballot = integer();

/** How a value is stored and sent. */
export const value: Field<Value> = signed(request);

/** How an accepted proposal is stored and sent. */
export const vote: Field<Vote> = record({ ballot, value });

/** The codec of the messages. The order is the tag on the wire. */
export const codec: MessagesField<BasicPaxosMessage> = messages(
  message('prepare', { ballot }),
  message('promise', { ballot, accepted: nullable(vote) }),
  message('accept', { ballot, value }),
  message('accepted', { ballot, value }),
  message('nack', { ballot, promised: ballot }),
  message('ask', {}),
  message('decided', { value }),
);
