/** How simulated replicas digest: by the same function everywhere, as fast as the machine can. */
import type { DigestOf } from '@quorumlab/core';
import { type DigestHash, digests, sha256Text } from '@quorumlab/wire';

/** What Node has of its own: a small part of the time that portable code takes. */
interface NodeCrypto {
  readonly hash?: (algorithm: string, bytes: Uint8Array, encoding: 'hex') => string;
}

interface Node {
  readonly process?: { readonly getBuiltinModule?: (name: string) => unknown };
}

/** SHA-256 of the machine where it has one that answers at once, which browsers have not. */
function fastestHash(): DigestHash {
  const builtin = (globalThis as Node).process?.getBuiltinModule?.('node:crypto');
  const { hash } = (builtin ?? {}) as NodeCrypto;
  return hash === undefined ? sha256Text : (bytes) => hash('sha256', bytes, 'hex');
}

/** {@link digests} for simulated replicas: a page and a command line have the same digests. */
export const simulatedDigest: DigestOf = digests(fastestHash());
