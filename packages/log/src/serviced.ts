/**
 * A protocol with the service around it, as one value: what a host, a keyring, a detector and a
 * liar ask of a group. Whoever puts the two halves together by hand has to say, with casts, that
 * they belong together; here that is said once.
 */
import {
  type Breach,
  type Certificate,
  type Digest,
  type Machine,
  type MessageField,
  type MessagesField,
  messages,
  type PrincipalId,
  type Protocol,
  type ReplicaId,
  type Signed,
  type StoredFields,
  type Tagged,
} from '@quorumlab/core';
import { client } from './client.ts';
import type { ClientOptions } from './client-state.ts';
import { clientMessages } from './messages.ts';
import type { ServiceOptions } from './replica-state.ts';
import { service } from './service.ts';
import { serviceStable, serviceStored } from './stored.ts';
import type { LogShape, Serviced } from './types.ts';

/** See {@link serviced}. */
export interface ServicedProtocol<S extends LogShape>
  extends Pick<Protocol<S>, 'name' | 'version' | 'members'> {
  /** The protocol alone. */
  readonly protocol: Protocol<S>;
  /** The service's messages under the first tags, then the protocol's. */
  readonly messages: MessagesField<Serviced<S>['Message']>;
  /** The codec of all that a replica keeps on its disk. */
  readonly stored: StoredFields<Serviced<S>>;
  /** What is on the disk of a replica that has never run. */
  stable(): Serviced<S>['Stable'];
  /** Whether the protocol itself says messages of this kind, and not the service around it. */
  isOwn(message: Tagged): message is S['Message'];
  /** The signed parts inside `message`, which may be anybody's: only the protocol's have some. */
  evidence(message: Tagged): Iterable<Signed<Tagged> | Certificate<Tagged>>;
  /** What `message` binds its signer to. The service's own messages bind nobody. */
  vows(message: Tagged): Iterable<readonly [about: string, what: string]>;
  /** As `Protocol.numbered`; absent: this protocol needs no trusted counter. */
  readonly numbered?: (message: Tagged) => number | undefined;
  /** As `Protocol.breaches`: rules about the protocol's own messages. */
  readonly breaches: readonly Breach<Serviced<S>['Message']>[];
  /** As `Protocol.deniable`. */
  readonly deniable?: string;
  /** As `Protocol.contents`, of messages that may be anybody's. */
  contents(message: Tagged): Iterable<readonly [Digest, Uint8Array]>;
  /** As `Protocol.conflict`; the service's own messages come back as they are. */
  conflict(
    message: Serviced<S>['Message'],
    fork: number,
    known: readonly S['Command'][],
  ): Serviced<S>['Message'];
  /** The machine of replica `self`: {@link service}. */
  machine(self: ReplicaId, options: ServiceOptions<S>): Machine<Serviced<S>>;
  /** The machine of a principal that is no replica: {@link client}, in a group of this shape. */
  client(self: PrincipalId, options?: ClientOptions): Machine<Serviced<S>>;
}

/**
 * `protocol` with the service around it.
 *
 * @example
 * ```ts
 * import { keyValueStore, serviced } from '@quorumlab/log';
 * import { raft } from '@quorumlab/raft';
 * import { detector, digestOf, envelopes } from '@quorumlab/wire';
 *
 * const group = serviced(raft({ n: 3 }));
 * const machine = group.machine(0, { stateMachine: keyValueStore, digest: digestOf });
 * const watch = detector(group); // Told of what anybody says, it finds two faces.
 * console.log(machine.status().role, group.messages.kinds.length, watch.size);
 * ```
 */
export function serviced<S extends LogShape>(protocol: Protocol<S>): ServicedProtocol<S> {
  const isOwn = (message: Tagged): message is S['Message'] =>
    protocol.messages.of(message.kind) !== undefined;
  return {
    protocol,
    name: protocol.name,
    version: protocol.version,
    members: protocol.members,
    messages: messagesOf(protocol),
    stored: serviceStored(protocol),
    stable: () => serviceStable(protocol),
    isOwn,
    evidence: (message) => (isOwn(message) ? (protocol.evidence?.(message) ?? none) : none),
    vows: (message) => (isOwn(message) ? (protocol.vows?.(message) ?? []) : []),
    ...(protocol.numbered === undefined
      ? {}
      : { numbered: (message) => (isOwn(message) ? protocol.numbered?.(message) : undefined) }),
    ...(protocol.deniable === undefined ? {} : { deniable: protocol.deniable }),
    // Each rule names the kinds that it is asked about, and these are the protocol's.
    breaches: (protocol.breaches ?? []) as readonly Breach<Serviced<S>['Message']>[],
    contents: (message) => (isOwn(message) ? (protocol.contents?.(message) ?? []) : []),
    conflict: (message, fork, known) =>
      isOwn(message) ? (protocol.conflict?.(message, fork, known) ?? message) : message,
    machine: (self, options) => service(protocol, self, options),
    // It says and hears the service's messages alone, and those are in every such shape.
    client: (self, options) =>
      client(protocol.client, protocol.members, self, options) as unknown as Machine<Serviced<S>>,
  };
}

const none: readonly never[] = Object.freeze([]);

/** Order is the tag on the wire. */
const messagesOf = <S extends LogShape>(
  protocol: Protocol<S>,
): MessagesField<Serviced<S>['Message']> =>
  // `messages` works out the union from a tuple of known length; here the protocol's part is open.
  messages(
    ...(clientMessages.kinds as readonly MessageField<Tagged>[]),
    ...(protocol.messages.kinds as readonly MessageField<Tagged>[]),
  ) as unknown as MessagesField<Serviced<S>['Message']>;

/**
 * `protocol` for code that never looks into its messages and its state: hosts, and lists of several
 * protocols.
 */
export const anyProtocol = <S extends LogShape>(protocol: Protocol<S>): Protocol<LogShape> =>
  // Values of S only go from one function of the protocol to another.
  protocol as unknown as Protocol<LogShape>;
