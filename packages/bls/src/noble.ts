/** BLS12-381 in portable code: where there is no native one, and as its judge in tests. */
import { bls12_381 } from '@noble/curves/bls12-381.js';
import type { AggregateKey, AggregateScheme } from '@quorumlab/wire';
import { keyGen } from './keygen.ts';
import { refusedKey, requireKeyBytes, signatureBytes } from './sizes.ts';

const { longSignatures: scheme, G1, G2 } = bls12_381;
type Point1 = InstanceType<typeof G1.Point>;
type Point2 = InstanceType<typeof G2.Point>;

/** The ciphersuite with proofs of possession: draft-irtf-cfrg-bls-signature-05, section 4.2.3. */
const ciphersuite = 'BLS_SIG_BLS12381G2_XMD:SHA-256_SSWU_RO_POP_';

interface Key extends AggregateKey {
  readonly point: Point1;
}

/** A point of G2, or nothing: not one, infinity, or (if `whole`) outside the prime-order group. */
function signaturePoint(bytes: Uint8Array, whole: boolean): Point2 | undefined {
  if (bytes.length !== signatureBytes) return undefined;
  try {
    const point = G2.Point.fromBytes(bytes);
    return point.is0() || (whole && !point.isTorsionFree()) ? undefined : point;
  } catch {
    return undefined;
  }
}

/**
 * The scheme in portable code, for browsers and machines without native code. It is not
 * constant-time: whoever can measure how long signing takes may learn of the key.
 *
 * @example
 * ```ts
 * import { nobleScheme } from '@quorumlab/bls';
 *
 * const bytes = new TextEncoder().encode('block 7');
 * const secrets = [1, 2, 3].map((each) => nobleScheme.secret(new Uint8Array(32).fill(each)));
 * const sum = nobleScheme.aggregate(secrets.map((each) => each.sign(bytes)));
 * const keys = secrets.map((each, i) => nobleScheme.admit(each.publicKey, i));
 * console.log(sum !== undefined && nobleScheme.verify(keys, bytes, sum)); // true
 * ```
 */
export const nobleScheme: AggregateScheme = {
  name: 'bls12-381, noble',
  verifyMicroseconds: 30_000,
  secret(seed) {
    const scalar = keyGen(seed);
    return {
      publicKey: scheme.getPublicKey(scalar).toBytes(),
      sign: (bytes) =>
        scheme.Signature.toBytes(scheme.sign(scheme.hash(bytes, ciphersuite), scalar)),
    };
  },
  admit(publicKey, of): Key {
    requireKeyBytes(publicKey, of);
    const bytes = publicKey.slice();
    let point: Point1;
    try {
      point = G1.Point.fromBytes(bytes);
    } catch {
      throw refusedKey(publicKey, of, 'is no point of the prime-order group');
    }
    if (point.is0()) throw refusedKey(publicKey, of, 'is the point at infinity');
    if (!point.isTorsionFree())
      throw refusedKey(publicKey, of, 'is no point of the prime-order group');
    return { bytes, point };
  },
  aggregate(signatures) {
    const points = signatures.flatMap((each) => signaturePoint(each, false) ?? []);
    if (points.length === 0 || points.length < signatures.length) return undefined;
    return points.reduce((sum, each) => sum.add(each)).toBytes();
  },
  verify(keys, bytes, signature) {
    const point = signaturePoint(signature, true);
    if (point === undefined || keys.length === 0) return false;
    // Every key of this scheme was made by `admit`.
    const sum = (keys as readonly Key[]).map((key) => key.point).reduce((all, key) => all.add(key));
    return !sum.is0() && scheme.verify(point, scheme.hash(bytes, ciphersuite), sum);
  },
};
