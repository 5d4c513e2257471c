import { createHash, createPrivateKey, createPublicKey, hash, sign, verify } from 'node:crypto';
import type { DigestHash, FastPath } from '@quorumlab/wire';

/**
 * The fixed start of the DER forms of an Ed25519 key (RFC 8410, sections 4 and 7); the raw key
 * follows.
 */
const pkcs8Prefix: Uint8Array = Buffer.from('302e020100300506032b657004220420', 'hex');
const spkiPrefix: Uint8Array = Buffer.from('302a300506032b6570032100', 'hex');

/**
 * OpenSSL for the wire package: signs what portable code signs, accepts a subset of what ZIP-215
 * accepts, and hashes the same. Keys are imported once, when a signer or verifier is made, because
 * importing costs as much as verifying.
 */
export const fastCrypto: FastPath = {
  signer(secretKey) {
    const der = Buffer.concat([pkcs8Prefix, secretKey]);
    const key = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
    der.fill(0);
    return (bytes) => Uint8Array.from(sign(null, bytes, key));
  },
  verifier(publicKey) {
    const der = Buffer.concat([spkiPrefix, publicKey]);
    const key = createPublicKey({ key: der, format: 'der', type: 'spki' });
    return (signature, bytes) => verify(null, bytes, key, signature);
  },
  hash:
    typeof hash === 'function'
      ? (bytes) => hash('sha256', bytes, 'buffer')
      : (bytes) => createHash('sha256').update(bytes).digest(),
};

/** The same hash as text: one call in place of two, and no bytes in between. */
export const fastDigestHash: DigestHash =
  typeof hash === 'function'
    ? (bytes) => hash('sha256', bytes, 'hex')
    : (bytes) => createHash('sha256').update(bytes).digest('hex');
