/**
 * What Multi-Paxos' messages bind their signer to. The protocol trusts its members; observers use
 * this to prove that a member lied, adversaries to lie on purpose.
 */
import { identityOf, otherRequest, type Request, type Signed } from '@quorumlab/core';
import { type Message, noOp, type Value } from './messages.ts';

/** A leader gives each slot of its ballot one value. */
export function* vows(message: Message): Iterable<readonly [about: string, what: string]> {
  if (message.kind === 'accept')
    yield [`accept/${message.ballot}/${message.slot}`, message.value.map(identityOf).join(';')];
}

/** The same proposal with other commands. What acceptors and learners say they have by hearsay. */
export function conflict(
  message: Message,
  fork: number,
  known: readonly Signed<Request>[],
): Message {
  if (message.kind !== 'accept') return message;
  const value = otherValue(message.value, fork, known);
  return value === message.value ? message : { ...message, value };
}

/** Commands that clients really asked for, but not at this place. */
function otherValue(value: Value, fork: number, known: readonly Signed<Request>[]): Value {
  if (value.length === 0) return value;
  const other = otherRequest(value, fork, known);
  return other === undefined ? noOp : [other];
}
