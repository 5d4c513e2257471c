/** A principal's key in the hands of somebody who does not run our code. */
import type { Signature, Signed, Tagged } from '@quorumlab/core';
import { type ServiceMessage, serviced } from '@quorumlab/log';
import { fastCrypto, type Mesh, startMesh } from '@quorumlab/node';
import { type Domain, domainOf, ed25519Keyring, envelopes, type Keyring } from '@quorumlab/wire';
import { optionsOf, seedOf } from '../../../packages/node/test-support/cluster.ts';
import type { TestGroup } from './replicas.ts';

/** What it can do: be on the network, and write whatever frame it likes. */
export interface Outsider {
  readonly mesh: Mesh;
  /** The frame of `message` for a domain like the group's, changed in part. */
  frame(
    message: ServiceMessage,
    change?: { readonly cluster?: string; readonly epoch?: number; readonly from?: number },
    signature?: Uint8Array,
  ): Uint8Array;
  /** Seals `message` as principal `id`, whose key it has too. */
  sign(message: ServiceMessage, id: number): Signed<ServiceMessage>;
}

/** Joins the network of `group` under the key of principal `id`. */
export async function outsider(group: TestGroup, id: number): Promise<Outsider> {
  const { cluster } = group;
  const protocol = serviced(group.protocol);
  const mesh = await startMesh(optionsOf([...cluster.members, ...cluster.clients], id));
  const { messages } = protocol;
  const keyringOf = (domain: Domain, self: number): Keyring<Tagged> =>
    ed25519Keyring<Tagged>({
      domain,
      messages,
      protocol,
      self,
      secretKey: seedOf(self),
      publicKeys: new Map(),
      fast: fastCrypto,
    });
  return {
    mesh,
    frame(message, { from = id, ...place } = {}, signature) {
      const domain = domainOf(protocol, { ...cluster, ...place });
      const sealed = keyringOf(domain, id).sign(message) as Signed<ServiceMessage>;
      return envelopes(domain, messages).encode({
        ...sealed,
        from,
        signature: (signature ?? sealed.signature) as Signature,
      });
    },
    sign: (message, self) =>
      keyringOf(domainOf(protocol, cluster), self).sign(message) as Signed<ServiceMessage>,
  };
}

/** A request that replicas would take if it were well signed. */
export const requestOf = (client: number, sequence = 1): ServiceMessage => ({
  kind: 'request',
  client,
  sequence,
  acknowledged: sequence,
  operations: [new Uint8Array([1, 2, 3])],
});
