/** How simulated replicas digest: by the same function everywhere, as fast as the machine can. */
import type { DigestOf } from '@quorumlab/core';
import { digests, type Hash, sha256 } from '@quorumlab/wire';

/** What Node has of its own: an eighth of the time that portable code takes. */
interface NodeCrypto {
  readonly hash?: (algorithm: string, bytes: Uint8Array, encoding: 'buffer') => Uint8Array;
}

interface Node {
  readonly process?: { readonly getBuiltinModule?: (name: string) => unknown };
}

/** SHA-256 of the machine where it has one that answers at once, which browsers have not. */
function fastestHash(): Hash {
  const builtin = (globalThis as Node).process?.getBuiltinModule?.('node:crypto');
  const { hash } = (builtin ?? {}) as NodeCrypto;
  return hash === undefined ? sha256 : (bytes) => hash('sha256', bytes, 'buffer');
}

/** {@link digests} for simulated replicas: a page and a command line have the same digests. */
export const simulatedDigest: DigestOf = digests(fastestHash());
