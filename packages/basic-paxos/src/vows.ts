/**
 * What the messages bind their signer to. Basic Paxos itself never looks at it: it trusts its
 * members. Observers use it to prove that a member lied, adversaries to lie on purpose.
 */
import { altered, equalRequests, identityOf, otherRequest } from '@quorumlab/core';
import type { Message, Promise1b, Value, Vote } from './messages.ts';

const report = (accepted: Vote | null): string =>
  accepted === null ? 'nothing' : `${accepted.ballot}/${identityOf(accepted.value)}`;

/**
 * A proposer gives each ballot one value, an acceptor accepts one in each and reports the same
 * whenever it promises that ballot, and what is decided stays so.
 */
export function* vows(message: Message): Iterable<readonly [about: string, what: string]> {
  switch (message.kind) {
    case 'promise':
      yield [`promise/${message.ballot}`, report(message.accepted)];
      return;
    case 'accept':
    case 'accepted':
      yield [`${message.kind}/${message.ballot}`, identityOf(message.value)];
      return;
    case 'decided':
      yield ['decided', identityOf(message.value)];
      return;
    case 'prepare':
    case 'nack':
    case 'ask':
  }
}

/** The same message with another value; a promise hides what was accepted, or invents something. */
export function conflict(message: Message, fork: number, known: readonly Value[]): Message {
  switch (message.kind) {
    case 'accept':
    case 'accepted':
    case 'decided':
      return { ...message, value: otherValue(message.value, fork, known) };
    case 'promise':
      return otherReport(message, fork, known);
    case 'prepare':
    case 'nack':
    case 'ask':
      return message;
  }
}

function otherReport(message: Promise1b, fork: number, known: readonly Value[]): Message {
  const { ballot, accepted } = message;
  if (accepted !== null) return { ...message, accepted: null };
  const value = known[fork % Math.max(1, known.length)];
  if (value === undefined || ballot === 0) return message;
  return { ...message, accepted: { ballot: ballot - 1, value } };
}

const otherValue = (value: Value, fork: number, known: readonly Value[]): Value =>
  otherRequest([value], fork, known, equalRequests) ?? altered(value);
