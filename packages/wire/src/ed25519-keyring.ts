import {
  type MessagesField,
  type PrincipalId,
  type Signature,
  sameBytes,
  seal,
  type Tagged,
  toHex,
} from '@quorumlab/core';
import { boundedMap } from './bounded.ts';
import { sha256 } from './digest.ts';
import { type Domain, orNothing, statements } from './domain.ts';
import {
  admitPublicKey,
  type FastPath,
  KeyError,
  publicKeyOf,
  signer,
  type Verifier,
  verifier,
} from './ed25519.ts';
import {
  type CheckSeal,
  type Counters,
  type EvidenceLimits,
  type EvidenceSource,
  evidenceChecker,
  type Keyring,
  zero,
} from './keyring.ts';

/** What {@link ed25519Keyring} needs. */
export interface Ed25519KeyringOptions<M extends Tagged> extends EvidenceLimits {
  readonly domain: Domain;
  /**
   * All messages that are said with this key: the protocol's, with those of the service around it.
   */
  readonly messages: MessagesField<M>;
  /** Finds the signatures inside messages. */
  readonly protocol: EvidenceSource;
  readonly self: PrincipalId;
  /** 32 bytes (RFC 8032). Copied; neither logged nor given out. */
  readonly secretKey: Uint8Array;
  /** Of everyone whose word is taken, self included if it is a member. */
  readonly publicKeys: ReadonlyMap<PrincipalId, Uint8Array>;
  readonly fast?: FastPath;
  /** Verified statements remembered; 65,536 unless told. */
  readonly maxRemembered?: number;
}

/** A keyring with real keys. */
export interface Ed25519Keyring<M extends Tagged> extends Keyring<M> {
  readonly name: 'ed25519';
  /** Takes the word of one more principal (a new client). Throws `KeyError` at keys of no use. */
  admit(principal: PrincipalId, publicKey: Uint8Array): void;
}

/**
 * Ed25519 by the single rule of ADR 020. Verified statements are remembered by signer and digest of
 * the statement, together with the signature that was verified: only that very signature is
 * accepted again without computing, so a bad signature beside a known statement is refused and
 * never travels on in a certificate, and a signer who makes many good ones fills one place and not
 * many. Throws {@link KeyError} if any key must not be used.
 */
export function ed25519Keyring<M extends Tagged>(
  options: Ed25519KeyringOptions<M>,
): Ed25519Keyring<M> {
  const { self, fast } = options;
  const counters: Counters = zero();
  const hash = fast?.hash ?? sha256;
  const statementOf = statements(options.domain, options.messages);
  const signBytes = signer(options.secretKey, fast);
  const verifiers = new Map<PrincipalId, Verifier>();
  const remembered = boundedMap<string, Signature>(options.maxRemembered ?? 65_536);
  const keyOf = (from: PrincipalId, bytes: Uint8Array) => `${from}/${toHex(hash(bytes))}`;
  const knows = (principal: PrincipalId): boolean => verifiers.has(principal);

  function admit(principal: PrincipalId, publicKey: Uint8Array): void {
    admitPublicKey(publicKey, `principal ${principal}`);
    if (principal === self && !sameBytes(publicKey, publicKeyOf(options.secretKey)))
      throw new KeyError(`the public key of principal ${self} is not that of its secret key`);
    verifiers.set(principal, verifier(publicKey, fast));
  }
  for (const [principal, publicKey] of options.publicKeys) admit(principal, publicKey);

  const check: CheckSeal = (from, signature, statement) => {
    const verify = verifiers.get(from);
    if (verify === undefined || signature.length !== 64) return refuse(counters);
    const bytes = orNothing(() => statementOf(from, statement));
    if (bytes === undefined) return refuse(counters);
    const key = keyOf(from, bytes);
    const known = remembered.get(key);
    if (known !== undefined && sameBytes(known, signature)) {
      counters.cached++;
      return true;
    }
    if (!verify(signature, bytes)) return refuse(counters);
    counters.verified++;
    if (known === undefined) remembered.set(key, signature);
    return true;
  };

  return {
    name: 'ed25519',
    self,
    counters,
    knows,
    admit,
    sign(message) {
      const bytes = statementOf(self, message);
      const key = keyOf(self, bytes);
      let signature = remembered.get(key);
      if (signature === undefined) {
        // The brand of signatures is given here and in the decoder, nowhere else.
        signature = signBytes(bytes) as Signature;
        remembered.set(key, signature);
        counters.signed++;
      } else counters.cached++;
      return seal<M>(message, self, signature);
    },
    checkSeal: check,
    ...evidenceChecker<M>(options.protocol, knows, check, options),
  };
}

function refuse(counters: Counters): false {
  counters.refused++;
  return false;
}
