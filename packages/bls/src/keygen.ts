import { expand, extract } from '@noble/hashes/hkdf.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { KeyError } from '@quorumlab/wire';

/** The order of the groups of BLS12-381. */
export const groupOrder = 0x73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000001n;

const ascii = (text: string): Uint8Array => Uint8Array.from(text, (letter) => letter.charCodeAt(0));

/** Keeps these keys apart from whatever else somebody derives from the same seed. */
const purpose: Uint8Array = ascii('quorumlab/certificates/1');

const join = (...parts: readonly Uint8Array[]): Uint8Array =>
  Uint8Array.from(parts.flatMap((part) => [...part]));

/**
 * KeyGen of draft-irtf-cfrg-bls-signature-05, section 2.3: the 32 bytes of a secret scalar, not 0
 * and below {@link groupOrder}, from a seed of at least 32 bytes. Throws {@link KeyError} for
 * shorter ones.
 */
export function keyGen(seed: Uint8Array, info: Uint8Array = purpose): Uint8Array {
  if (seed.length < 32)
    throw new KeyError(`a seed has at least 32 bytes and not ${seed.length}; generate another`);
  const length = Uint8Array.of(0, 48);
  let salt = ascii('BLS-SIG-KEYGEN-SALT-');
  for (;;) {
    salt = sha256(salt);
    const key = extract(sha256, join(seed, Uint8Array.of(0)), salt);
    const wide = expand(sha256, key, join(info, length), 48);
    const scalar = wide.reduce((sum, byte) => (sum * 256n + BigInt(byte)) % groupOrder, 0n);
    if (scalar !== 0n) return bytesOf(scalar);
  }
}

/** Big-endian, 32 bytes. */
const bytesOf = (scalar: bigint): Uint8Array =>
  Uint8Array.from({ length: 32 }, (_, i) => Number((scalar >> BigInt(8 * (31 - i))) & 255n));
