import { firstClient, type Signature, seal, type Tagged } from '@quorumlab/core';
import {
  type CheckSeal,
  type EvidenceLimits,
  type EvidenceSource,
  evidenceChecker,
  type Keyring,
} from './keyring.ts';

const none = new Uint8Array(0) as Signature;

/** What {@link macKeyring} needs. */
export interface MacKeyringOptions<M extends Tagged> {
  /** Signs and checks what clients say. */
  readonly clients: Keyring<M>;
  /** Says which signed parts are inside a message. */
  readonly protocol: EvidenceSource;
  readonly limits?: EvidenceLimits;
}

/**
 * For protocols whose replicas are authentic to their receivers alone (`Protocol.deniable`). What a
 * replica says has no signature: the channel that brings it has a MAC for each pair of replicas,
 * under a key that the two have agreed on and signed (Noise). The authenticator of a broadcast is
 * all of these MACs, one on each channel; so the host must refuse whatever does not come from its
 * sender's own channel. Clients sign their requests, which replicas pass on. A seal of a replica
 * inside a message is refused, whatever it is: nobody could check it.
 */
export function macKeyring<M extends Tagged>({
  clients,
  protocol,
  limits = {},
}: MacKeyringOptions<M>): Keyring<M> {
  const { self, knows, counters } = clients;
  const checkOuter: CheckSeal = (from, signature, statement) => {
    if (from >= firstClient) return clients.checkSeal(from, signature, statement);
    return signature.length === 0 && knows(from);
  };
  const checkInner: CheckSeal = (from, signature, statement) =>
    from >= firstClient && clients.checkSeal(from, signature, statement);
  const checker = evidenceChecker<M>(protocol, knows, checkInner, limits, undefined, checkOuter);
  return {
    name: 'mac',
    self,
    counters,
    knows,
    sign: (message) => (self >= firstClient ? clients.sign(message) : seal<M>(message, self, none)),
    checkSeal: checkOuter,
    ...checker,
  };
}
