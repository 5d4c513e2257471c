import type { MessagesField, PrincipalId, Tagged } from '@quorumlab/core';
import {
  admitPublicKey,
  channelKeyring,
  countedKeyring,
  type EvidenceSource,
  ed25519Keyring,
  type Keyring,
  type NumberedSource,
  type TrustedCounter,
  type VowSource,
  vowGuard,
} from '@quorumlab/wire';
import {
  type ClusterIdentity,
  type ClusterProtocol,
  clusterDomain,
  publicKeysOf,
} from './cluster-identity.ts';
import { fastCrypto } from './fast-crypto.ts';

/**
 * How messages are authenticated. `ed25519`: each is signed, and whoever carries it is of no
 * importance. `channel`: nothing is signed and Noise proves who speaks; only for protocols that
 * trust their members.
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
}

/** A keyring that takes the word of more principals as they come. */
export interface NodeKeyring<M extends Tagged> extends Keyring<M> {
  /** Throws `KeyError` at a key that must not be used. */
  admit(principal: PrincipalId, publicKey: Uint8Array): void;
}

/**
 * The keyring of a principal. Throws `KeyringError` at `channel` for a Byzantine protocol, and
 * `KeyError` if any principal's key must not be used.
 */
export function nodeKeyring<M extends Tagged>(options: NodeKeyringOptions<M>): NodeKeyring<M> {
  const { self, secretKey, cluster, protocol, messages } = options;
  const signatures = options.signatures ?? (protocol.client.signed ? 'ed25519' : 'channel');
  const publicKeys = new Map(publicKeysOf(cluster));
  if (signatures === 'channel') {
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
  const keyring = ed25519Keyring({
    domain: clusterDomain(protocol, cluster),
    messages,
    protocol: options.evidence,
    self,
    secretKey,
    publicKeys,
    fast: fastCrypto,
  });
  const { numbered } = options.evidence;
  if (numbered === undefined || options.counter === undefined) return keyring;
  // The schema of M is only ever asked about values whose kind has selected it.
  const source = { messages: messages as unknown as MessagesField<Tagged>, numbered };
  const counted = countedKeyring<M>(keyring, source, options.counter);
  return Object.assign(counted, { admit: keyring.admit });
}

/**
 * An honest replica's keyring: it refuses to sign against its word. Only where a broken word is
 * what the protocol is about; members of crash-fault groups are trusted.
 */
export const honestKeyring = <M extends Tagged>(
  keyring: Keyring<M>,
  protocol: ClusterProtocol,
  vows: Omit<VowSource<M>, 'members'>,
): Keyring<M> => (protocol.claims.faults === 'byzantine' ? vowGuard<M>(keyring, vows) : keyring);
