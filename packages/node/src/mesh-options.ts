/** Which options of a mesh contradict each other or the machine. */
import { admitPublicKey } from '@quorumlab/wire';
import { publicKeyOf } from './keys.ts';
import { isClient, type Principal } from './principal.ts';

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

/** What is looked at. */
interface Options {
  readonly secretKey: Uint8Array;
  readonly self: number;
  readonly listen?: string;
  readonly principals: readonly Principal[];
}

/** Throws {@link MeshConfigError} or `KeyError` for options that cannot work. */
export function checkOptions(options: Options): void {
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
