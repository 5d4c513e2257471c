import { aggregateBytes, type PrincipalId, toHex } from '@quorumlab/core';
import { KeyError } from '@quorumlab/wire';

/** Bytes of a public key: a compressed point of G1. */
export const publicKeyBytes = 48;

/** Bytes of a signature, and of an aggregate: a compressed point of G2. */
export const signatureBytes: number = aggregateBytes;

/** A public key that must not be used, and why. */
export const refusedKey = (
  publicKey: Uint8Array,
  of: PrincipalId | string,
  why: string,
): KeyError =>
  new KeyError(
    `the certificate key of ${of}, ${toHex(publicKey.slice(0, publicKeyBytes))}, ${why}; ` +
      'make a new key pair',
  );

/** Throws `KeyError` unless a key has as many bytes as one. */
export function requireKeyBytes(publicKey: Uint8Array, of: PrincipalId | string): void {
  if (publicKey.length === publicKeyBytes) return;
  throw refusedKey(publicKey, of, `has ${publicKey.length} bytes and not ${publicKeyBytes}`);
}
