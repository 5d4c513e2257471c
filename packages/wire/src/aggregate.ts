/**
 * Signatures of several over one statement that become one: what such a scheme gives, and the proof
 * of possession without which a rogue key could speak for others.
 */
import { type PrincipalId, toHex, toUtf8, writeBytes, writer, written } from '@quorumlab/core';
import { KeyError } from './ed25519.ts';

/** A public key that was admitted: a point of the right group whose owner has its secret. */
export interface AggregateKey {
  readonly bytes: Uint8Array;
}

/** A secret key of an aggregate scheme. */
export interface AggregateSecret {
  /** The bytes of its public key. */
  readonly publicKey: Uint8Array;
  /** Signs, deterministically: there is one signature of a key over some bytes. */
  sign(bytes: Uint8Array): Uint8Array;
}

/**
 * A signature scheme in which signatures over one statement add up to one signature of the same
 * size, as BLS12-381 in the package `@quorumlab/bls`. All of it is total: bytes of strangers are
 * refused, by an answer or a {@link KeyError}, and nothing else is thrown.
 */
export interface AggregateScheme {
  /** The scheme and whose code computes it, such as `bls12-381, blst`. */
  readonly name: string;
  /** About how many microseconds {@link AggregateScheme.verify} takes: peers pay for it. */
  readonly verifyMicroseconds: number;
  /** The secret key that belongs to a seed of at least 32 bytes. */
  secret(seed: Uint8Array): AggregateSecret;
  /**
   * The key with these bytes. Throws {@link KeyError} if they are not the canonical encoding of a
   * point of the prime-order group other than infinity.
   */
  admit(publicKey: Uint8Array, of: PrincipalId | string): AggregateKey;
  /**
   * The sum of `signatures`, or nothing if one of them is no point or there is none. That a point
   * is outside the prime-order group may be left to {@link AggregateScheme.verify}.
   */
  aggregate(signatures: readonly Uint8Array[]): Uint8Array | undefined;
  /**
   * Whether `signature` is the sum of the signatures of all `keys` over `bytes`: one product of two
   * pairings. Infinity and points outside the prime-order group are refused.
   */
  verify(keys: readonly AggregateKey[], bytes: Uint8Array, signature: Uint8Array): boolean;
}

/** A public key of an aggregate scheme as a configuration names it. */
export interface CertificateKey {
  readonly publicKey: Uint8Array;
  /** By {@link provePossession}. */
  readonly possession: Uint8Array;
}

const possessionTag: Uint8Array = toUtf8('quorumlab/possession/1\n');

/** What is signed to show that a key's owner has its secret, and that it is this member's. */
function possessionBytes(identity: Uint8Array, publicKey: Uint8Array): Uint8Array {
  const out = writer(possessionTag.length + identity.length + publicKey.length);
  for (const each of [possessionTag, identity, publicKey]) writeBytes(out, each);
  return written(out);
}

/**
 * The key of a member for certificates, with the proof that it has the secret. `identity` is its
 * Ed25519 public key: the proof is of no use to anybody else. No statement begins as such a proof
 * does, so neither can stand for the other (Ristenpart and Yilek 2007, section 3).
 */
export const provePossession = (secret: AggregateSecret, identity: Uint8Array): CertificateKey => ({
  publicKey: secret.publicKey,
  possession: secret.sign(possessionBytes(identity, secret.publicKey)),
});

/**
 * Admits the key of a member. Throws {@link KeyError} without a valid proof of possession: a key
 * that was computed from those of others ("rogue") would let its owner make aggregates alone that
 * seem to be theirs too (Boneh, Drijvers and Neven 2018, section 1).
 */
export function admitCertificateKey(
  scheme: AggregateScheme,
  { publicKey, possession }: CertificateKey,
  identity: Uint8Array,
  of: PrincipalId | string,
): AggregateKey {
  const key = scheme.admit(publicKey, of);
  if (scheme.verify([key], possessionBytes(identity, publicKey), possession)) return key;
  throw new KeyError(
    `the certificate key of ${of}, ${toHex(publicKey.slice(0, 48))}, has no valid proof of ` +
      'possession: it may be a rogue key, made of those of others; have its owner make the proof',
  );
}
