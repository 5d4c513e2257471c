import { sha256 as portableSha256 } from '@noble/hashes/sha2.js';
import {
  type Digest,
  type DigestOf,
  type Field,
  toHex,
  toUtf8,
  view,
  type Writer,
  whileEncoded,
} from '@quorumlab/core';

/** SHA-256: 32 bytes for any bytes. */
export type Hash = (bytes: Uint8Array) => Uint8Array;

/** SHA-256 in portable code (FIPS 180-4), the same on Node and in a browser. */
export const sha256: Hash = (bytes) => portableSha256(bytes);

/** SHA-256 as a {@link Digest}: machines that give text at once need no bytes in between. */
export type DigestHash = (bytes: Uint8Array) => Digest;

/** {@link sha256} as a {@link Digest}. */
export const sha256Text: DigestHash = (bytes) => toHex(sha256(bytes));

/** Keeps digests apart from every other use of SHA-256, as signatures are kept apart (ADR 020). */
const tag: Uint8Array = toUtf8('quorumlab/digest/1\n');

/**
 * Makes a {@link DigestOf} over `hash`. Digests are remembered per object for as long as the object
 * lives, so what has been digested must not be changed afterwards: digest messages and their parts,
 * never a replica's state.
 */
export function digests(hash: DigestHash = sha256Text): DigestOf {
  const known = new WeakMap<object, { readonly field: unknown; readonly digest: Digest }>();
  const hashed = (to: Writer): Digest => hash(view(to));
  return <T extends object>(field: Field<T>, value: T): Digest => {
    const before = known.get(value);
    if (before?.field === field) return before.digest;
    const digest = whileEncoded(field, value, hashed, tag);
    known.set(value, { field, digest });
    return digest;
  };
}

/** {@link digests} over the portable hash. */
export const digestOf: DigestOf = digests();

/** The digest that {@link digestOf} gives a value whose encoding is `bytes`. */
export function digestOfEncoding(bytes: Uint8Array): Digest {
  const all = new Uint8Array(tag.length + bytes.length);
  all.set(tag);
  all.set(bytes, tag.length);
  return sha256Text(all);
}
