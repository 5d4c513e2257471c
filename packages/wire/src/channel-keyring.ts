import { type PrincipalId, type Signature, seal, type Tagged } from '@quorumlab/core';
import { type CheckSeal, type Counters, type Keyring, KeyringError, zero } from './keyring.ts';

/** What {@link channelKeyring} needs. */
export interface ChannelKeyringOptions {
  readonly self: PrincipalId;
  /** What the protocol claims to survive: `protocol.claims.faults`. */
  readonly faults: 'crash' | 'byzantine';
  /** Whose word is taken. */
  readonly knows: (principal: PrincipalId) => boolean;
}

const none = new Uint8Array(0) as Signature;

/**
 * No signatures: the channel (Noise, or the simulator's network) proves who speaks, and the host
 * refuses frames whose `from` is not the channel's. What is quoted inside a message rests on the
 * word of the peer that quotes it, which is what crash-fault protocols assume. Byzantine protocols
 * do not, so they are refused with {@link KeyringError}.
 */
export function channelKeyring<M extends Tagged>(options: ChannelKeyringOptions): Keyring<M> {
  const { self, knows } = options;
  if (options.faults === 'byzantine')
    throw new KeyringError(
      'a Byzantine protocol shows signatures to third parties, and a channel proves nothing to ' +
        'them; use the ed25519 keyring',
    );
  const counters: Counters = zero();
  const check: CheckSeal = (from, signature) => {
    const good = signature.length === 0 && knows(from);
    if (good) counters.verified++;
    else counters.refused++;
    return good;
  };
  return {
    name: 'channel',
    self,
    counters,
    knows,
    sign(message) {
      counters.signed++;
      return seal<M>(message, self, none);
    },
    check: (message) => check(message.from, message.signature, message),
    checkSeal: check,
    checkEvidence: () => true,
    // biome-ignore lint/correctness/useYield: there is nothing inside that could be checked.
    *checkInSteps(message) {
      return check(message.from, message.signature, message) ? undefined : 'bad-signature';
    },
  };
}
