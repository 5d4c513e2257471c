import { getPublicKey, hashes, Point, sign, verify } from '@noble/ed25519';
import { sha512 } from '@noble/hashes/sha2.js';
import { type PrincipalId, sameBytes, toHex } from '@quorumlab/core';
import type { Hash } from './digest.ts';

/** A key that must not be used: the message says which rule it breaks. */
export class KeyError extends Error {
  override readonly name: string = 'KeyError';
}

/**
 * Faster code for the same functions, lent by a host (on Node: `fastCrypto` of the node package).
 * `verifier` may refuse what ZIP-215 accepts, never the other way round.
 */
export interface FastPath {
  /** Prepares signing with a secret key of 32 bytes (RFC 8032). */
  signer(secretKey: Uint8Array): (bytes: Uint8Array) => Uint8Array;
  /** Prepares verifying with an admitted public key. */
  verifier(publicKey: Uint8Array): Verifier;
  readonly hash: Hash;
}

/** Whether `signature` is one over `bytes`. */
export type Verifier = (signature: Uint8Array, bytes: Uint8Array) => boolean;

/** The library asks for its hash once, in a variable of its own. */
const withHash = (): void => void (hashes.sha512 ??= sha512);

/** The public key of a secret key of 32 bytes (RFC 8032, 5.1.5). */
export function publicKeyOf(secretKey: Uint8Array): Uint8Array {
  withHash();
  requireSecret(secretKey);
  return getPublicKey(secretKey);
}

function requireSecret(secretKey: Uint8Array): void {
  if (secretKey.length !== 32)
    throw new KeyError(`a secret key has 32 bytes and not ${secretKey.length}; generate another`);
}

/**
 * Signs (RFC 8032, 5.1.6): deterministic, so an honest signer makes one signature per statement.
 */
export function signer(secretKey: Uint8Array, fast?: FastPath): (bytes: Uint8Array) => Uint8Array {
  requireSecret(secretKey);
  // A view into a larger buffer may be reused by its owner.
  const own = secretKey.slice();
  if (fast !== undefined) return fast.signer(own);
  withHash();
  return (bytes) => sign(bytes, own);
}

/**
 * Verifies by ZIP-215, the one rule of every node: where fast code accepts, so does it; where fast
 * code refuses, portable code decides. Two nodes with different libraries never disagree (ADR 020).
 */
export function verifier(publicKey: Uint8Array, fast?: FastPath): Verifier {
  withHash();
  const own = publicKey.slice();
  const quick = fast?.verifier(own);
  return (signature, bytes) =>
    signature.length === 64 &&
    (quick?.(signature, bytes) === true || verify(signature, bytes, own, { zip215: true }));
}

/**
 * Throws {@link KeyError} unless `publicKey` is the canonical encoding of a point of the
 * prime-order group. Under ZIP-215 a small-order key "signs" everything, and a key with torsion
 * lets its owner make signatures on which other libraries disagree; neither is ever admitted.
 */
export function admitPublicKey(publicKey: Uint8Array, of: PrincipalId | string): void {
  const refuse = (why: string): never => {
    throw new KeyError(
      `the public key of ${of}, ${toHex(publicKey.slice(0, 32))}, ${why}; make a new key pair`,
    );
  };
  if (publicKey.length !== 32) refuse(`has ${publicKey.length} bytes and not 32`);
  const point = pointOf(publicKey);
  if (point === undefined) return refuse('is not the canonical encoding of a point');
  if (!sameBytes(point.toBytes(), publicKey)) refuse('is not the canonical encoding of its point');
  if (point.isSmallOrder()) refuse('is of small order: it would verify signatures of nobody');
  if (!point.isTorsionFree()) refuse('has a torsion component: libraries would disagree on it');
}

function pointOf(publicKey: Uint8Array): Point | undefined {
  try {
    return Point.fromBytes(publicKey, false);
  } catch {
    return undefined;
  }
}
