import { toHex } from '@quorumlab/core';
import { generateSeed, peerIdOf, publicKeyOf, readKeyFile, writeKeyFile } from '@quorumlab/node';

/** What may be known of a key. */
export interface PublicKey {
  /** In hexadecimal digits. */
  readonly publicKey: string;
  /** The name that libp2p gives to its owner. */
  readonly peerId: string;
}

/** The libp2p name of the owner of a public key in hexadecimal digits. */
export const peerNameOf = (publicKey: Uint8Array): string => peerIdOf(publicKey).toString();

/**
 * Makes a key file that only its owner can read, and returns its public key in hexadecimal digits.
 * Throws `KeyFileError` if the file is there already.
 */
export async function newKeyFile(file: string): Promise<string> {
  const seed = generateSeed();
  await writeKeyFile(file, seed);
  const publicKey = toHex(publicKeyOf(seed));
  seed.fill(0);
  return publicKey;
}

/** The public half of a key file. Throws `KeyFileError` as nodes do, e.g. if others can read it. */
export async function showKeyFile(file: string): Promise<PublicKey> {
  const seed = await readKeyFile(file);
  const publicKey = publicKeyOf(seed);
  seed.fill(0);
  return { publicKey: toHex(publicKey), peerId: peerNameOf(publicKey) };
}
