/** BLS12-381 by `blst`: native code for Node, about thirty times as fast as portable code. */
import type { PublicKey, Signature } from '@chainsafe/blst';
import type { AggregateKey, AggregateScheme } from '@quorumlab/wire';
import { keyGen } from './keygen.ts';
import { refusedKey, requireKeyBytes, signatureBytes } from './sizes.ts';

type Blst = typeof import('@chainsafe/blst');

interface Key extends AggregateKey {
  readonly point: PublicKey;
}

/**
 * The scheme in native code, or nothing where `@chainsafe/blst` is not installed or has no build
 * for this machine.
 */
export async function blstScheme(): Promise<AggregateScheme | undefined> {
  const blst = await import('@chainsafe/blst').then(
    (found) => found.default ?? found,
    () => undefined,
  );
  return blst === undefined ? undefined : schemeOf(blst);
}

/** Longer ones would be read as points that are not compressed; and infinity is refused. */
const isNoPoint = (signature: Uint8Array): boolean =>
  signature.length !== signatureBytes || ((signature[0] as number) & infinityBit) !== 0;

const infinityBit = 0x40;

const schemeOf = (blst: Blst): AggregateScheme => ({
  name: 'bls12-381, blst',
  verifyMicroseconds: 1500,
  secret(seed) {
    const scalar = keyGen(seed);
    const secret = blst.SecretKey.fromBytes(scalar);
    scalar.fill(0);
    return {
      publicKey: Uint8Array.from(secret.toPublicKey().toBytes()),
      sign: (bytes) => Uint8Array.from(secret.sign(bytes).toBytes()),
    };
  },
  admit(publicKey, of): Key {
    requireKeyBytes(publicKey, of);
    const bytes = publicKey.slice();
    try {
      return { bytes, point: blst.PublicKey.fromBytes(bytes, true) };
    } catch (error) {
      const isInfinity = error instanceof Error && /infinity/i.test(error.message);
      const why = isInfinity ? 'is the point at infinity' : 'is no point of the prime-order group';
      throw refusedKey(publicKey, of, why);
    }
  },
  aggregate(signatures) {
    if (signatures.length === 0 || signatures.some(isNoPoint)) return undefined;
    try {
      const points = signatures.map((each) => blst.Signature.fromBytes(each, false, false));
      return Uint8Array.from(blst.aggregateSignatures(points, false).toBytes());
    } catch {
      return undefined;
    }
  },
  verify(keys, bytes, signature) {
    if (signature.length !== signatureBytes || keys.length === 0) return false;
    let point: Signature;
    try {
      point = blst.Signature.fromBytes(signature, true, true);
      // Every key of this scheme was made by `admit`.
      const points = (keys as readonly Key[]).map((key) => key.point);
      return blst.fastAggregateVerify(bytes, points, point, false);
    } catch {
      return false;
    }
  },
});
