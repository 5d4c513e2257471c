/**
 * What a caller shows before anything else, so that nobody pays for the handshake of a stranger.
 * Two principals that know each other's keys share a secret without a word: the Diffie-Hellman
 * secret of the two (RFC 7748), for which Ed25519 keys are read as X25519 keys (RFC 8032, 5.1.5).
 * A pass proves nothing to anybody else, and gives no right but to a handshake: whoever overhears
 * one can repeat it, and then stands before Noise.
 */
import {
  createHmac,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  timingSafeEqual,
} from 'node:crypto';
import { ed25519 } from '@noble/curves/ed25519.js';
import { publicKeyOf } from './keys.ts';

/** No other protocol starts like this; libp2p's own first byte is a length below 128. */
const TAG = Uint8Array.of(0xd1, 0x51, 0x4c, 0x01);
const SECRET_BYTES = 32;

/** Bytes of a pass: tag, number of the caller (big endian), secret. */
export const PASS_BYTES: number = TAG.byteLength + 4 + SECRET_BYTES;

/** The fixed start of the DER forms of an X25519 key (RFC 8410, sections 4 and 7). */
const pkcs8Prefix: Uint8Array = Buffer.from('302e020100300506032b656e04220420', 'hex');
const spkiPrefix: Uint8Array = Buffer.from('302a300506032b656e032100', 'hex');

/** Makes the passes between the owner of `secretKey`, an Ed25519 seed, and others. */
export function passMaker(
  secretKey: Uint8Array,
): (other: Uint8Array, isCaller: boolean) => Uint8Array {
  const scalar = ed25519.utils.toMontgomerySecret(secretKey);
  const der = Buffer.concat([pkcs8Prefix, scalar]);
  const privateKey = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
  der.fill(0);
  scalar.fill(0);
  const own = publicKeyOf(secretKey);
  return (other, isCaller) => {
    const key = Buffer.concat([spkiPrefix, ed25519.utils.toMontgomery(other)]);
    const publicKey = createPublicKey({ key, format: 'der', type: 'spki' });
    const shared = diffieHellman({ privateKey, publicKey });
    const [caller, callee] = isCaller ? [own, other] : [other, own];
    const hmac = createHmac('sha256', shared).update('quorumlab pass 1');
    return Uint8Array.from(hmac.update(caller).update(callee).digest());
  };
}

/** The pass as it goes on the wire. */
export function encodePass(caller: number, secret: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(PASS_BYTES);
  bytes.set(TAG);
  new DataView(bytes.buffer).setUint32(TAG.byteLength, caller);
  bytes.set(secret, TAG.byteLength + 4);
  return bytes;
}

/** Who shows this pass; `none`: these bytes begin no pass; nothing: it is forged. */
export function holderOf(
  bytes: Uint8Array,
  secretOf: (caller: number) => Uint8Array | undefined,
): number | 'none' | 'more' | undefined {
  for (let i = 0; i < TAG.byteLength; i++) {
    if (i >= bytes.byteLength) return 'more';
    if (bytes[i] !== TAG[i]) return 'none';
  }
  if (bytes.byteLength < PASS_BYTES) return 'more';
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const caller = view.getUint32(TAG.byteLength);
  const secret = secretOf(caller);
  const shown = bytes.subarray(TAG.byteLength + 4, PASS_BYTES);
  return secret !== undefined && timingSafeEqual(secret, shown) ? caller : undefined;
}
