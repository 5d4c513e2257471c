import type { PrincipalId, Protocol } from '@quorumlab/core';
import type { LogShape } from '@quorumlab/log';
import { type CertificateKey, type Domain, domainOf } from '@quorumlab/wire';
import type { Principal } from './principal.ts';

/** A replica as its cluster knows it. */
export interface MemberIdentity extends Principal {
  /** Where it listens, as a multiaddr. */
  readonly address: string;
  /** Where certificates are aggregated: its key for them, with its proof that it has the secret. */
  readonly certificateKey?: CertificateKey;
}

/**
 * What all members and clients of one group must agree on before they talk: everything that is
 * signed into each message, and whose word is taken.
 */
export interface ClusterIdentity {
  /** The name of the cluster. No two clusters that share a key may share it. */
  readonly cluster: string;
  /** The consensus group in it. */
  readonly group: string;
  /** Which membership of the group this is. */
  readonly epoch: number;
  /** How many numbers there are for replicas, where some may come later; none may unless told. */
  readonly seats?: number;
  /** The replicas, by number. */
  readonly members: readonly MemberIdentity[];
  /** Who may send requests: numbers from 65,536 up. */
  readonly clients: readonly Principal[];
}

/** A node cannot be run as configured; the message says what to change. */
export class NodeConfigError extends Error {
  override readonly name = 'NodeConfigError';
}

/** What a cluster needs to know of a protocol. */
export type ClusterProtocol = Pick<
  Protocol<LogShape>,
  'name' | 'version' | 'members' | 'client' | 'claims' | 'deniable'
>;

/** Where messages of `protocol` in this group mean something. */
export const clusterDomain = (protocol: ClusterProtocol, cluster: ClusterIdentity): Domain =>
  domainOf(protocol, cluster);

/** Everyone who may talk. */
export const principalsOf = ({
  members,
  clients,
}: Pick<ClusterIdentity, 'members' | 'clients'>): readonly Principal[] => [...members, ...clients];

/** The public key of everyone who may talk. */
export const publicKeysOf = (cluster: ClusterIdentity): ReadonlyMap<PrincipalId, Uint8Array> =>
  new Map(principalsOf(cluster).map(({ id, publicKey }) => [id, publicKey]));

/** Throws {@link NodeConfigError} unless the cluster's members are those of the protocol. */
export function checkCluster(protocol: ClusterProtocol, cluster: ClusterIdentity): void {
  const given = cluster.members.map(({ id }) => id).sort((first, second) => first - second);
  if (given.join() === protocol.members.join()) return;
  const isMember = (id: PrincipalId): boolean => protocol.members.includes(id);
  const isOnce = new Set(given).size === given.length;
  if (cluster.seats === protocol.members.length && given.every(isMember) && isOnce) return;
  throw new NodeConfigError(
    `The cluster ${cluster.cluster} lists the members ${given.join(', ')}, but ${protocol.name} ` +
      `was made for ${protocol.members.join(', ')}; list every replica once, by its number.`,
  );
}
