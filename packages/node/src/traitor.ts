/** What a node lends to a behaviour of the adversary. */
import { randomInt } from 'node:crypto';
import type { Power } from '@quorumlab/adversary';
import type { Machine, Protocol } from '@quorumlab/core';
import type { LogShape, Serviced } from '@quorumlab/log';

/** What a behaviour may know of the protocol: its vows, which bind only its own messages. */
export function vowsOf<S extends LogShape>(
  protocol: Protocol<S>,
): Power<Serviced<S>>['protocol'] & { readonly messages: Protocol<S>['messages'] } {
  const own = (message: Serviced<S>['Message']): message is S['Message'] =>
    protocol.messages.of(message.kind) !== undefined;
  return {
    members: protocol.members,
    messages: protocol.messages,
    vows: (message) => (own(message) ? (protocol.vows?.(message) ?? []) : []),
    conflict: (message, fork, known) =>
      own(message) ? (protocol.conflict?.(message, fork, known) ?? message) : message,
  };
}

/** A behaviour's power over one node. Its dice are the operating system's. */
export const powerOf = <S extends LogShape>(
  protocol: Protocol<S>,
  make: (stable: Serviced<S>['Stable'] | undefined) => Machine<Serviced<S>>,
  fire: (what: string) => void,
): Power<Serviced<S>> => ({
  protocol: vowsOf(protocol),
  members: protocol.members,
  random: { below: (limit) => (limit <= 1 ? 0 : randomInt(limit)) },
  make,
  fire,
});
