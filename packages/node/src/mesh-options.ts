/** The options of a mesh, and which of them contradict each other or the machine. */
import { admitPublicKey } from '@quorumlab/wire';
import { publicKeyOf } from './keys.ts';
import type { MeshLimits } from './limits.ts';
import type { Logger } from './logging.ts';
import type { PeerAccounts } from './peer-account.ts';
import { isClient, type Principal } from './principal.ts';

/** How to join a cluster. */
export interface MeshOptions {
  /** The 32-byte Ed25519 seed of this principal; its PeerId is the public key of it. */
  readonly secretKey: Uint8Array;
  /** The number of this principal. */
  readonly self: number;
  /** The multiaddr a replica listens on, e.g. `/ip4/0.0.0.0/tcp/4001`; clients only dial. */
  readonly listen?: string;
  /** Everyone who may talk to whom, this node included. Nobody else gets past the handshake. */
  readonly principals: readonly Principal[];
  /** How many principals more may be let in later; none unless told. */
  readonly moreToCome?: number;
  /** The largest frame accepted or sent, in bytes. */
  readonly maxFrameBytes: number;
  /**
   * Called with every frame of a peer, in the order that peer sent them. `frame` is a view that is
   * valid only during the call: decode or copy it there. It has to be fast, since nothing else
   * runs meanwhile. If it throws, the link is reset and the error is left uncaught, which ends
   * the process: a replica whose handler failed half-way must not go on.
   */
  readonly onFrame: (from: number, frame: Uint8Array) => void;
  /**
   * For how many milliseconds nothing is to be read of a peer; 0: go on. Asked before each piece of
   * at most 16 KiB, a second is the most that counts: the channel holds the peer back meanwhile.
   */
  readonly busyMs?: (from: number) => number;
  /**
   * What this node tells any peer that asks how it is, at most 8,192 bytes;
   * nothing unless told. It is called a few times per second and peer, and must be quick.
   */
  readonly answer?: () => Uint8Array | undefined;
  /** Called when a peer was admitted (true) and when its link ended (false). */
  readonly onPeer?: (id: number, connected: boolean) => void;
  /** Where what each peer takes is added up; the mesh has its own unless told. */
  readonly accounts?: PeerAccounts;
  /** Bounds that differ from `DEFAULT_LIMITS`. */
  readonly limits?: Partial<MeshLimits>;
  /** Where the mesh reports strangers, offences and lost peers. */
  readonly logger: Logger;
}

/** The configuration of a mesh contradicts itself; the message says where. */
export class MeshConfigError extends Error {
  override readonly name = 'MeshConfigError';
}

/** Why nobody can listen there; libp2p tells several reasons in one text of many lines. */
export function notListening(listen: string | undefined, error: unknown): unknown {
  const code = /\b(EADDRINUSE|EADDRNOTAVAIL|EACCES)\b/.exec(String(error))?.[1];
  if (code === undefined) return error;
  const why = {
    EADDRINUSE: 'another process listens there; stop it, or take another port',
    EADDRNOTAVAIL: 'this machine does not have that address; take one that it has',
    EACCES: 'this user may not use that port; take one from 1024 on',
  }[code as 'EACCES'];
  return new MeshConfigError(`The replica cannot listen on ${listen}: ${why}.`, { cause: error });
}

/** Throws {@link MeshConfigError} or `KeyError` for options that cannot work. */
export function checkOptions(options: MeshOptions): void {
  const { principals, self, listen } = options;
  const ids = new Set<number>();
  const keys = new Set<string>();
  for (const { id, publicKey, address } of principals) {
    const key = Buffer.from(publicKey).toString('hex');
    if (ids.has(id)) throw new MeshConfigError(`Two principals have the number ${id}.`);
    if (keys.has(key)) throw new MeshConfigError(`Two principals have the public key ${key}.`);
    if (!isClient(id) && address === undefined) {
      throw new MeshConfigError(`Replica ${id} has no address; only clients may lack one.`);
    }
    admitPublicKey(publicKey, `principal ${id}`);
    ids.add(id);
    keys.add(key);
  }
  const me = principals.find((principal) => principal.id === self);
  if (me === undefined) throw new MeshConfigError(`Principal ${self}, this node, is not listed.`);
  if (Buffer.compare(publicKeyOf(options.secretKey), me.publicKey) !== 0) {
    throw new MeshConfigError(`The secret key is not that of principal ${self}.`);
  }
  if (!isClient(self) && listen === undefined) {
    throw new MeshConfigError(`Replica ${self} needs an address to listen on.`);
  }
  if (isClient(self) && listen !== undefined) {
    throw new MeshConfigError(`Client ${self} only dials; remove its listen address.`);
  }
}
