import { type DigestOf, encode, toUtf8 } from '@quorumlab/core';

/** A hash of 32 bits; with another `salt` it is another hash. */
export function hash(bytes: Uint8Array, salt: number): number {
  let out = (0x811c9dc5 ^ salt) >>> 0;
  for (let i = 0; i < bytes.length; i++) {
    out = Math.imul(out ^ (bytes[i] as number), 0x01000193) >>> 0;
    out = (out ^ (out >>> 13)) >>> 0;
  }
  return out;
}

const digestOfBytes = (bytes: Uint8Array): string =>
  [1, 2, 3, 4, 5, 6, 7, 8]
    .map((salt) =>
      hash(bytes, salt * 0x9e3779b1)
        .toString(16)
        .padStart(8, '0'),
    )
    .join('');

/** A digest good enough for tests in which nobody looks for collisions. */
export const testDigest: DigestOf = (field, value) => digestOfBytes(encode(field, value));

/** The same for a text, which stands for the state of an application. */
export const digestOfText = (text: string): string => digestOfBytes(toUtf8(text));
