/** Four members of a toy that certifies votes, and points that no key or signature may be. */
import { bls12_381 } from '@noble/curves/bls12-381.js';
import {
  certificate,
  digest,
  integer,
  type MessagesField,
  message,
  messages,
  nullable,
  type Random,
  type ReplicaId,
  range,
  type Signed,
} from '@quorumlab/core';
import {
  type AggregateKey,
  type AggregateScheme,
  type AggregatingKeyring,
  admitCertificateKey,
  aggregatingKeyring,
  domainOf,
  type Ed25519Keyring,
  type Envelopes,
  type EvidenceItem,
  ed25519Keyring,
  envelopes,
  isRefusal,
  provePossession,
  publicKeyOf,
} from '@quorumlab/wire';

const vote = message('vote', { view: integer(), digest });
const proof = nullable(certificate(vote, 4));
const field = messages(
  vote,
  message('block', { view: integer(), justify: proof }),
  message('hello', { view: integer() }),
);

/** What the toy says. */
export type ToyMessage = typeof field extends MessagesField<infer M> ? M : never;
/** A vote of the toy. */
export type Vote = Extract<ToyMessage, { kind: 'vote' }>;
/** A block that shows why it may be voted for. */
export type Block = Extract<ToyMessage, { kind: 'block' }>;

/** A protocol as far as keyrings ask it: four members vote, and blocks hold certificates. */
export const toy = {
  name: 'toy',
  version: 1,
  members: range(4),
  messages: field as MessagesField<ToyMessage>,
  evidence: (said: ToyMessage): Iterable<EvidenceItem> =>
    said.kind === 'block' && said.justify !== null ? [said.justify] : [],
  vows: (said: ToyMessage): [string, string][] =>
    said.kind === 'vote' ? [[`vote/${said.view}`, said.digest]] : [],
};

/** Where the toy's messages mean something. */
export const domain = domainOf(toy, { cluster: 'test', group: 'main', epoch: 0 });

/** The secret of a member: it has its Ed25519 key and its certificate key. */
export const seedOf = (id: ReplicaId): Uint8Array => new Uint8Array(32).fill(id + 1);

/** Everybody's Ed25519 key. */
export const publicKeys: ReadonlyMap<ReplicaId, Uint8Array> = new Map(
  toy.members.map((id) => [id, publicKeyOf(seedOf(id))]),
);

/** The same vote, whoever says it. */
export const voteFor = (view: number, what = 'a'): Vote => ({
  kind: 'vote',
  view,
  digest: what.repeat(64),
});

/** The keyring of a member that signs every message by Ed25519, without certificates. */
export const plainKeyring = (self: ReplicaId): Ed25519Keyring<ToyMessage> =>
  ed25519Keyring({
    domain,
    messages: toy.messages,
    protocol: toy,
    self,
    secretKey: seedOf(self),
    publicKeys,
  });

/** One member: what it signs and checks with, and its frames. */
export interface Member {
  readonly keyring: AggregatingKeyring<ToyMessage>;
  readonly envelopes: Envelopes<ToyMessage>;
}

/** The keys of `members`, each admitted by its proof. */
export function admitted(
  scheme: AggregateScheme,
  members: readonly ReplicaId[] = toy.members,
): ReadonlyMap<ReplicaId, AggregateKey> {
  return new Map(
    members.map((id) => {
      const identity = publicKeyOf(seedOf(id));
      const key = provePossession(scheme.secret(seedOf(id)), identity);
      return [id, admitCertificateKey(scheme, key, identity, id)];
    }),
  );
}

/** A member whose certificates aggregate; `place` puts it into another domain. */
export function member(
  scheme: AggregateScheme,
  self: ReplicaId,
  { keys = admitted(scheme), place = domain, maxShares = 256 } = {},
): Member {
  const keyring = aggregatingKeyring<ToyMessage>({
    keyring: plainKeyring(self),
    domain: place,
    messages: toy.messages,
    protocol: toy,
    scheme,
    secret: scheme.secret(seedOf(self)),
    keys,
    maxShares,
  });
  return { keyring, envelopes: envelopes(domain, toy.messages, keyring.shares) };
}

/** What `to` makes of a frame: the message, or why it is refused. */
export function heard(to: Member, frame: Uint8Array): Signed<ToyMessage> | string {
  const found = to.envelopes.decode(frame);
  if (isRefusal(found)) return found.reason;
  const checks = to.keyring.checkInSteps(found);
  for (;;) {
    const step = checks.next();
    if (step.done === true) return step.value ?? found;
  }
}

/** A message that somebody has taken. */
export function taken(found: Signed<ToyMessage> | string): Signed<ToyMessage> {
  if (typeof found === 'string') throw new Error(found);
  return found;
}

/** The point at infinity, as a key or as a signature. */
export const infinity = (bytes: number): Uint8Array =>
  Uint8Array.from({ length: bytes }, (_, i) => (i === 0 ? 0xc0 : 0));

/** A key of order 3: the point (0, 2) is on the curve, and not in the group. */
export const keyOfOrder3: Uint8Array = Uint8Array.from({ length: 48 }, (_, i) =>
  i === 0 ? 0x80 : 0,
);

/** On the curve of signatures, and not in the group: the least x, as a number, that is one. */
export const signatureWithTorsion: Uint8Array = Uint8Array.from({ length: 96 }, (_, i) => {
  if (i === 0) return 0x80;
  return i === 95 ? 2 : 0;
});

/** Whether a curve equation holds for {@link signatureWithTorsion}: y² = x³ + 4(1 + i). */
export function isOnCurve(x: bigint): boolean {
  const { Fp2 } = bls12_381.fields;
  const at = Fp2.fromBigTuple([x, 0n]);
  const square = Fp2.add(Fp2.mul(Fp2.sqr(at), at), Fp2.fromBigTuple([4n, 4n]));
  return Fp2.eql(Fp2.sqr(Fp2.sqrt(square)), square);
}

/** Mulberry32: one number in, the same sequence out. */
export function seeded(seed: number): Random {
  let state = seed >>> 0;
  return {
    below(limit) {
      state = (state + 0x6d2b79f5) >>> 0;
      let mixed = Math.imul(state ^ (state >>> 15), state | 1);
      mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
      return ((mixed ^ (mixed >>> 14)) >>> 0) % limit;
    },
  };
}

/** A keyring of n0 over other messages. */
export const aggregatingOver = (
  scheme: AggregateScheme,
  messages: MessagesField<ToyMessage>,
): AggregatingKeyring<ToyMessage> =>
  aggregatingKeyring<ToyMessage>({
    keyring: plainKeyring(0),
    domain,
    messages,
    protocol: toy,
    scheme,
    secret: scheme.secret(seedOf(0)),
    keys: new Map(),
  });
