import {
  type Certificate,
  type Event,
  firstClient,
  type Machine,
  type Output,
  type PrincipalId,
  type Signature,
  type Signed,
  seal,
  type Tagged,
} from '@quorumlab/core';
import { type EvidenceItem, envelopes, type Keyring } from '@quorumlab/wire';
import type { AnyShape, Prepared } from './prepare.ts';
import { simulatedDigest } from './simulated-digest.ts';

type Message = AnyShape['Message'];

/** What one node has done so far. Numbers only grow. */
export interface Meter {
  /** Copies sent to others, by kind of message. */
  readonly messages: Map<string, number>;
  /** Bytes of those copies: whole frames as hosts send them, signatures included. */
  readonly bytes: Map<string, number>;
  /** Signatures computed: what was signed before is not signed again. */
  signed: number;
  /** Signatures checked: what was found good before is not checked again. */
  verified: number;
  /** Batches that had to be durable before the node said anything. */
  syncs: number;
}

/** A meter at zero. */
export const startMeter = (): Meter => ({
  messages: new Map(),
  bytes: new Map(),
  signed: 0,
  verified: 0,
  syncs: 0,
});

/** A meter as it stands now. */
export const copyOf = (meter: Meter): Meter => ({
  ...meter,
  messages: new Map(meter.messages),
  bytes: new Map(meter.bytes),
});

/** Makes and checks the signatures of one node, and counts the work that this is. */
export interface Notary {
  sign(message: Message): Signed<Message>;
  /** Checks everything that is signed in and on a message, as a host does. */
  check(message: Signed<Message>): void;
  readonly signed: number;
  readonly verified: number;
}

const ed25519Bytes = 64;

/**
 * Counts signatures without computing them, by the rule of the ed25519 keyring: what was verified
 * or made before, by signer and statement, is known. `bytes` is the length of each.
 */
export function countingNotary(prepared: Prepared, self: PrincipalId, bytes: number): Notary {
  const { messages, group } = prepared;
  const blank = new Uint8Array(bytes) as Signature;
  const none = new Uint8Array(0) as Signature;
  /** Where replicas sign nothing, clients do. */
  const isSigned = (from: PrincipalId): boolean =>
    bytes > 0 && (group.deniable === undefined || from >= firstClient);
  const known = new Set<string>();
  let signed = 0;
  let verified = 0;
  const isNew = (from: PrincipalId, statement: Tagged): boolean => {
    // The schema is only asked about values whose kind has selected it.
    const key = `${from}/${simulatedDigest(messages, statement as Message)}`;
    return !known.has(key) && Boolean(known.add(key));
  };
  const verify = (from: PrincipalId, statement: Tagged): void => {
    if (isNew(from, statement)) verified++;
  };
  const walk = (items: Iterable<EvidenceItem>): void => {
    for (const item of items) {
      const statement: Tagged = isCertificate(item) ? item.body : item;
      for (const { from } of isCertificate(item) ? item.seals : [item]) verify(from, statement);
      walk(group.evidence(statement));
    }
  };
  return {
    sign(message) {
      if (!isSigned(self)) return seal(message, self, none);
      if (isNew(self, message)) signed++;
      return seal(message, self, blank);
    },
    check(message) {
      if (bytes === 0) return;
      if (isSigned(message.from)) verify(message.from, message);
      walk(group.evidence(message));
    },
    get signed() {
      return signed;
    },
    get verified() {
      return verified;
    },
  };
}

const isCertificate = (item: EvidenceItem): item is Certificate<Tagged> => 'seals' in item;

/** Really signs and checks; slow. Throws if a signature is wrong: an honest run has none. */
export function signingNotary(keyring: Keyring<Message>): Notary {
  return {
    sign: (message) => keyring.sign(message),
    check(message) {
      if (!keyring.check(message) || !keyring.checkEvidence(message))
        throw new Error(`n${message.from} signed a ${message.kind} that does not verify`);
    },
    get signed() {
      return keyring.counters.signed;
    },
    get verified() {
      return keyring.counters.verified;
    },
  };
}

/** The length of the signatures that hosts use for a protocol. */
export const signatureBytes = ({ protocol }: Prepared): number =>
  protocol.client.signed ? ed25519Bytes : 0;

/** `inner`, running as before, while `meter` counts what it makes its host do. */
export function metered(
  prepared: Prepared,
  inner: Machine<AnyShape>,
  notary: Notary,
  meter: Meter,
): Machine<AnyShape> {
  const { messages, domain } = prepared;
  const { members } = prepared.protocol;
  const frames = envelopes<Message>(domain, messages);
  const add = (map: Map<string, number>, kind: string, count: number): void =>
    void map.set(kind, (map.get(kind) ?? 0) + count);

  function hear(event: Event<AnyShape>): void {
    if (event.type === 'message' && event.message.from !== inner.self) notary.check(event.message);
  }

  function say({ early, sends, writes }: Output<AnyShape>): void {
    if (writes.length > 0) meter.syncs++;
    for (const { to, message } of [...early, ...sends]) {
      const size = frames.encode(notary.sign(message)).length;
      const others = to === 'all' ? members.filter((id) => id !== inner.self).length : 1;
      const copies = to === inner.self ? 0 : others;
      if (copies === 0) continue;
      add(meter.messages, message.kind, copies);
      add(meter.bytes, message.kind, copies * size);
    }
    meter.signed = notary.signed;
    meter.verified = notary.verified;
  }

  const wrap = (machine: Machine<AnyShape>): Machine<AnyShape> => ({
    self: machine.self,
    step(input) {
      hear(input.event);
      const output = machine.step(input);
      say(output);
      return output;
    },
    snapshot: () => machine.snapshot(),
    restore: (snapshot) => machine.restore(snapshot),
    fork: () => wrap(machine.fork()),
    status: () => machine.status(),
  });
  return wrap(inner);
}
