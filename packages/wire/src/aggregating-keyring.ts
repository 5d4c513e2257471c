/**
 * A keyring whose certificates aggregate: protocols make and read lists of signatures, and what
 * leaves the process holds one signature for all whose shares were good.
 */
import {
  aggregateBytes,
  type Certificate,
  isAggregated,
  type MessagesField,
  type PrincipalId,
  type ReplicaId,
  type Seal,
  type Signature,
  type Signed,
  sameBytes,
  type Tagged,
  toHex,
  toUtf8,
} from '@quorumlab/core';
import type { AggregateKey, AggregateScheme, AggregateSecret } from './aggregate.ts';
import { type BoundedMap, boundedMap } from './bounded.ts';
import { type Hash, sha256 } from './digest.ts';
import { commonStatements, type Domain, orNothing } from './domain.ts';
import type { Shares } from './envelope.ts';
import {
  type CheckShared,
  type Counters,
  type EvidenceLimits,
  type EvidenceSource,
  evidenceChecker,
  type Keyring,
  KeyringError,
  type SignatureFault,
} from './keyring.ts';
import { replaced } from './replaced.ts';

/** What {@link aggregatingKeyring} needs. */
export interface AggregatingKeyringOptions<M extends Tagged> extends EvidenceLimits {
  /** Seals what is said, and checks the seals of others. */
  readonly keyring: Keyring<M>;
  readonly domain: Domain;
  /** All messages that are said with this key; their schemas say what is certified. */
  readonly messages: MessagesField<M>;
  /** Finds the certificates inside messages. */
  readonly protocol: EvidenceSource;
  readonly scheme: AggregateScheme;
  readonly secret: AggregateSecret;
  /** Of members, by `admitCertificateKey`. Who is not in it signs for itself in certificates. */
  readonly keys: ReadonlyMap<ReplicaId, AggregateKey>;
  /** Faster SHA-256, lent by a host. */
  readonly hash?: Hash;
  /** Shares remembered of all members together, in equal parts; 65,536 unless told. */
  readonly maxShares?: number;
}

/** A keyring that makes aggregates, and what stands behind its frames. */
export interface AggregatingKeyring<M extends Tagged> extends Keyring<M> {
  /** For `envelopes`: a vote travels with its signer's share. */
  readonly shares: Shares<M>;
}

/** Most certificates that are aggregated for one message; others in it stay lists. */
const mostAtOnce = 16;

/** Verified aggregates remembered. */
const maxRemembered = 4096;

const noSignature = new Uint8Array(0) as Signature;

/**
 * Wraps `keyring`. A vote is sealed as ever, and whoever seals it makes a share of an aggregate
 * over the same message too, which travels behind the vote. When a message that holds certificates
 * is sealed, each list whose shares are here is exchanged for their aggregate, checked once before
 * anybody else has to. A share that is bad leaves its member's own signature beside the aggregate,
 * and from then on that member's shares are checked as they come. Throws {@link KeyringError} if no
 * message of the protocol holds certificates.
 */
export function aggregatingKeyring<M extends Tagged>(
  options: AggregatingKeyringOptions<M>,
): AggregatingKeyring<M> {
  const { keyring, scheme, secret, keys, hash = sha256, protocol, maxShares = 65_536 } = options;
  const { self, checkSeal } = keyring;
  const kinds: ReadonlySet<string> = new Set(options.messages.certifies);
  if (kinds.size === 0)
    throw new KeyringError(
      'this protocol makes no certificates, so nothing aggregates; leave the scheme out',
    );
  // Who counts sees this object change.
  const counters = keyring.counters as Counters;
  Object.assign(counters, { pairings: 0, badShares: 0, pairingMicroseconds: 0 });
  const statementOf = commonStatements(options.domain, options.messages);
  const sharesOf = new Map<PrincipalId, BoundedMap<string, Uint8Array>>(
    [...keys.keys()].map((id) => [id, boundedMap(Math.max(64, Math.floor(maxShares / keys.size)))]),
  );
  /** Members of whom a share was bad: theirs, or made up by whoever has passed on their vote. */
  const suspected = new Set<PrincipalId>();
  const pending = new WeakMap<object, Uint8Array>();
  const verified = boundedMap<string, Signature>(maxRemembered);
  const exchanged = new WeakMap<object, Certificate<Tagged>>();

  const nameOf = (bytes: Uint8Array): string => toHex(hash(bytes));

  /** One product of pairings, counted. */
  function verify(signers: readonly PrincipalId[], bytes: Uint8Array, sum: Uint8Array): boolean {
    counters.pairings = (counters.pairings ?? 0) + 1;
    counters.pairingMicroseconds = (counters.pairingMicroseconds ?? 0) + scheme.verifyMicroseconds;
    const own = signers.flatMap((each) => keys.get(each) ?? []);
    return own.length === signers.length && scheme.verify(own, bytes, sum);
  }

  const checkShared: CheckShared = (signers, signature, statement) => {
    const isPossible =
      kinds.has(statement.kind) &&
      signature.length === aggregateBytes &&
      signers.length > 1 &&
      signers.every((each) => keys.has(each));
    const bytes = isPossible ? orNothing(() => statementOf(statement)) : undefined;
    if (bytes === undefined) return refuse();
    const name = `${nameOf(bytes)} ${nameOf(toUtf8(signers.join()))}`;
    const known = verified.get(name);
    if (known !== undefined && sameBytes(known, signature)) {
      counters.cached++;
      return true;
    }
    if (!verify(signers, bytes, signature)) return refuse();
    counters.verified++;
    verified.set(name, signature);
    return true;
  };

  function refuse(): false {
    counters.refused++;
    return false;
  }

  function suspect(from: PrincipalId): false {
    suspected.add(from);
    counters.badShares = (counters.badShares ?? 0) + 1;
    return false;
  }

  /** Of `sharers` those whose shares are good by themselves. */
  function goodOf(sharers: readonly Sharer[], bytes: Uint8Array): readonly Sharer[] {
    return sharers.filter(({ from, share }) => {
      if (verify([from], bytes, share)) return true;
      sharesOf.get(from)?.set(nameOf(bytes), noSignature);
      return suspect(from);
    });
  }

  /** The certificate with an aggregate, as far as its shares are here and good. */
  function aggregated(certificate: Certificate<Tagged>): Certificate<Tagged> {
    const { body, seals } = certificate;
    if (isAggregated(certificate) || !kinds.has(body.kind)) return certificate;
    const bytes = statementOf(body);
    const name = nameOf(bytes);
    let sharers = seals.flatMap(({ from }): Sharer[] => {
      const share = sharesOf.get(from)?.get(name);
      return share === undefined || share === noSignature ? [] : [{ from, share }];
    });
    for (;;) {
      if (!isShorter(sharers.length, seals)) return certificate;
      const sum = scheme.aggregate(sharers.map(({ share }) => share));
      const signers = sharers.map(({ from }) => from);
      if (sum !== undefined && verify(signers, bytes, sum)) {
        const signature = sum as Signature;
        verified.set(`${name} ${nameOf(toUtf8(signers.join()))}`, signature);
        return { body, seals: sharedSeals(seals, signers, signature) };
      }
      const good = goodOf(sharers, bytes);
      // Each by itself is good and their sum is not: that cannot be, and lists are good enough.
      if (good.length === sharers.length) return certificate;
      sharers = [...good];
    }
  }

  /** What `message` is sealed as: its own certificates are exchanged, what others sealed is not. */
  function compact(message: M): M {
    if (protocol.evidence === undefined || protocol.messages.of(message.kind) === undefined)
      return message;
    const instead = new Map<object, object>();
    let made = 0;
    for (const item of protocol.evidence(message)) {
      if (!('seals' in item)) continue;
      let other = exchanged.get(item);
      if (other === undefined) {
        if (made === mostAtOnce) continue;
        made++;
        other = aggregated(item);
        exchanged.set(item, other);
      }
      if (other !== item) instead.set(item, other);
    }
    return instead.size === 0 ? message : replaced(message, instead);
  }

  function share(message: Tagged): void {
    const own = sharesOf.get(self);
    if (own === undefined || !kinds.has(message.kind)) return;
    const bytes = statementOf(message);
    const name = nameOf(bytes);
    if (own.get(name) === undefined) own.set(name, secret.sign(bytes));
  }

  /**
   * Keeps the share that came with a message, now that its seal is known to be its sender's. False
   * if it is bad: that is looked at only where bad ones came before.
   */
  function take(message: Signed<Tagged>): boolean {
    const came = pending.get(message);
    const own = sharesOf.get(message.from);
    if (came === undefined || own === undefined) return true;
    const bytes = orNothing(() => statementOf(message));
    if (bytes === undefined) return true;
    const name = nameOf(bytes);
    const known = own.get(name);
    if (known !== undefined && known !== noSignature) return true;
    if (suspected.has(message.from) && !verify([message.from], bytes, came))
      return suspect(message.from);
    own.set(name, came);
    return true;
  }

  const checker = evidenceChecker<M>(protocol, keyring.knows, checkSeal, options, checkShared);
  return {
    ...keyring,
    counters,
    ...checker,
    check: (message) => checker.check(message) && take(message),
    *checkInSteps(message): Generator<void, SignatureFault | undefined, void> {
      const fault = yield* checker.checkInSteps(message);
      return fault === undefined && !take(message) ? 'bad-share' : fault;
    },
    checkShared,
    sign(message) {
      const sealed = keyring.sign(compact(message));
      share(sealed);
      return sealed;
    },
    shares: {
      kinds,
      bytes: aggregateBytes,
      of(message) {
        if (!kinds.has(message.kind)) return undefined;
        const own = sharesOf.get(message.from);
        return pending.get(message) ?? own?.get(nameOf(statementOf(message)));
      },
      came: (message, came) => void pending.set(message, came),
    },
  };
}

/** A member and its share over the statement at hand. */
interface Sharer {
  readonly from: ReplicaId;
  readonly share: Uint8Array;
}

/** Whether an aggregate of so many takes fewer bytes than their signatures do. */
const isShorter = (sharers: number, seals: readonly Seal[]): boolean =>
  sharers > 1 && aggregateBytes + Math.ceil(seals.length / 8) < sharers * 64;

/** Seals of which those of `signers` share one signature. */
function sharedSeals(
  seals: readonly Seal[],
  signers: readonly ReplicaId[],
  sum: Signature,
): readonly Seal[] {
  const shared = new Set(signers);
  const [first] = signers;
  return seals.map((each) => {
    if (!shared.has(each.from)) return each;
    return { from: each.from, signature: each.from === first ? sum : noSignature };
  });
}
