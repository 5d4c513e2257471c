import { type MessagesField, type PrincipalId, sameBytes, type Tagged } from '@quorumlab/core';
import {
  type AggregateScheme,
  type AggregatingKeyring,
  admitCertificateKey,
  admitPublicKey,
  aggregatingKeyring,
  type CertificateKey,
  channelKeyring,
  countedKeyring,
  type EvidenceSource,
  ed25519Keyring,
  KeyError,
  type Keyring,
  KeyringError,
  macKeyring,
  type NumberedSource,
  provePossession,
  type TrustedCounter,
  type VowSource,
  vowGuard,
} from '@quorumlab/wire';
import {
  type ClusterIdentity,
  type ClusterProtocol,
  clusterDomain,
  NodeConfigError,
  publicKeysOf,
} from './cluster-identity.ts';
import { fastCrypto } from './fast-crypto.ts';
import { publicKeyOf } from './keys.ts';

/**
 * How messages are authenticated. `ed25519`: each is signed, and whoever carries it is of no
 * importance. `channel`: replicas sign nothing and Noise proves who speaks; for protocols that
 * trust their members, and for those whose replicas quote clients alone (`Protocol.deniable`):
 * there clients sign.
 */
export type Signatures = 'ed25519' | 'channel';

/** What a node's keyring is made of. */
export interface NodeKeyringOptions<M extends Tagged> {
  readonly signatures: Signatures | undefined;
  readonly self: PrincipalId;
  readonly secretKey: Uint8Array;
  readonly cluster: ClusterIdentity;
  readonly protocol: ClusterProtocol;
  readonly messages: MessagesField<M>;
  readonly evidence: EvidenceSource & Pick<NumberedSource, 'numbered'>;
  /** A replica's trusted counter; for protocols that number what they say. */
  readonly counter?: TrustedCounter;
  /** Aggregates certificates; they are lists unless told. */
  readonly certificates?: AggregateScheme;
}

/** A keyring that takes the word of more principals as they come. */
export interface NodeKeyring<M extends Tagged> extends Keyring<M> {
  /** Throws `KeyError` at a key that must not be used. */
  admit(principal: PrincipalId, publicKey: Uint8Array): void;
  /** What stands behind its votes; absent where certificates are lists. */
  readonly shares?: AggregatingKeyring<M>['shares'];
}

/**
 * The keyring of a principal. Throws `KeyringError` at `channel` for a Byzantine protocol, and
 * `KeyError` if any principal's key must not be used: certificate keys without a proof too.
 */
export function nodeKeyring<M extends Tagged>(options: NodeKeyringOptions<M>): NodeKeyring<M> {
  const { self, secretKey, cluster, protocol, messages } = options;
  const isDeniable = protocol.deniable !== undefined;
  const isSigned = protocol.client.signed && !isDeniable;
  const signatures = options.signatures ?? (isSigned ? 'ed25519' : 'channel');
  const publicKeys = new Map(publicKeysOf(cluster));
  if (signatures === 'channel') {
    if (options.certificates !== undefined)
      throw new KeyringError(
        'nothing is signed on this channel, so no certificates aggregate; sign, or leave that out',
      );
    if (isDeniable) return byMac(options, publicKeys);
    // Noise proves who holds a key, and a key of small order is held by everybody.
    for (const [id, publicKey] of publicKeys) admitPublicKey(publicKey, `principal ${id}`);
    const keyring = channelKeyring<M>({
      self,
      faults: protocol.claims.faults,
      knows: (principal) => publicKeys.has(principal),
    });
    const admit = (principal: PrincipalId, publicKey: Uint8Array): void => {
      admitPublicKey(publicKey, `principal ${principal}`);
      publicKeys.set(principal, publicKey);
    };
    return { ...keyring, admit };
  }
  const signing = ed25519Keyring({
    domain: clusterDomain(protocol, cluster),
    messages,
    protocol: options.evidence,
    self,
    secretKey,
    publicKeys,
    fast: fastCrypto,
  });
  const { admit } = signing;
  const keyring = Object.assign(aggregated(options, signing), { admit });
  const { numbered } = options.evidence;
  if (numbered === undefined || options.counter === undefined) return keyring;
  // The schema of M is only ever asked about values whose kind has selected it.
  const source = { messages: messages as unknown as MessagesField<Tagged>, numbered };
  const counted = countedKeyring<M>(keyring, source, options.counter);
  return Object.assign(counted, { admit });
}

/** Replicas by their channels, and clients by their signatures. */
function byMac<M extends Tagged>(
  { cluster, protocol, messages, evidence, self, secretKey }: NodeKeyringOptions<M>,
  publicKeys: ReadonlyMap<PrincipalId, Uint8Array>,
): NodeKeyring<M> {
  const domain = clusterDomain(protocol, cluster);
  const keys = { self, secretKey, publicKeys, fast: fastCrypto };
  const clients = ed25519Keyring({ domain, messages, protocol: evidence, ...keys });
  return Object.assign(macKeyring<M>({ clients, protocol: evidence }), { admit: clients.admit });
}

/** `keyring`, by which certificates aggregate if they are to. */
function aggregated<M extends Tagged>(
  { self, secretKey, cluster, protocol, messages, evidence, certificates }: NodeKeyringOptions<M>,
  keyring: Keyring<M>,
): Keyring<M> | AggregatingKeyring<M> {
  if (certificates === undefined) return keyring;
  const secret = certificates.secret(secretKey);
  const keys = new Map(
    cluster.members.flatMap(({ id, publicKey, certificateKey }) => {
      // Who came later may have none, and signs for itself.
      if (certificateKey === undefined) return [];
      const key = admitCertificateKey(certificates, certificateKey, publicKey, `principal ${id}`);
      return [[id, key] as const];
    }),
  );
  const own = keys.get(self);
  if (own === undefined)
    throw new NodeConfigError(
      `Replica ${self} has no certificate key in the cluster ${cluster.cluster}; ` +
        'put it there with its proof of possession, or leave certificates as lists.',
    );
  if (!sameBytes(own.bytes, secret.publicKey))
    throw new KeyError(`the certificate key of principal ${self} is not that of its secret key`);
  const domain = clusterDomain(protocol, cluster);
  const hash = fastCrypto.hash;
  return aggregatingKeyring<M>({
    keyring,
    domain,
    messages,
    protocol: evidence,
    scheme: certificates,
    secret,
    keys,
    hash,
  });
}

/**
 * The certificate key of a replica with this seed, and its proof of possession: what others need to
 * know of it.
 */
export const certificateKeyOf = (scheme: AggregateScheme, seed: Uint8Array): CertificateKey =>
  provePossession(scheme.secret(seed), publicKeyOf(seed));

/**
 * An honest replica's keyring: it refuses to sign against its word. Only where a broken word is
 * what the protocol is about; members of crash-fault groups are trusted.
 */
export const honestKeyring = <M extends Tagged>(
  keyring: Keyring<M>,
  protocol: ClusterProtocol,
  vows: Omit<VowSource<M>, 'members'>,
): Keyring<M> => (protocol.claims.faults === 'byzantine' ? vowGuard<M>(keyring, vows) : keyring);
