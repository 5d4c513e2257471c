import {
  type Certificate,
  firstClient,
  type PrincipalId,
  type Signature,
  type Signed,
  type Tagged,
} from '@quorumlab/core';

/** A keyring that must not be used for this protocol or member. */
export class KeyringError extends Error {
  override readonly name: string = 'KeyringError';
}

/** What a keyring has done so far. */
export interface Counters {
  /** Signatures made. */
  signed: number;
  /** Signatures computed and found good. */
  verified: number;
  /** Signatures found good, or made, without computing them again. */
  cached: number;
  /** Signatures found bad. */
  refused: number;
}

/** A signed statement inside a message, or many over one body. */
export type EvidenceItem = Signed<Tagged> | Certificate<Tagged>;

/** What keyrings ask a protocol: its kinds of messages, and the signed parts inside them. */
export interface EvidenceSource {
  readonly messages: { of(kind: string): object | undefined };
  evidence?(message: Tagged): Iterable<EvidenceItem>;
}

/**
 * Makes seals with one's own key and checks those of others. The only code that sees a secret key.
 */
export interface Keyring<M extends Tagged> {
  /** Named in results, because a run with ideal signatures has not tested real ones. */
  readonly name: 'ed25519' | 'channel' | 'ideal';
  readonly self: PrincipalId;
  readonly counters: Readonly<Counters>;
  /** Whether this principal can be checked at all. */
  knows(principal: PrincipalId): boolean;
  /** Seals `message` as one's own. */
  sign(message: M): Signed<M>;
  /** Whether the outer seal is good. Evidence inside is not looked at. */
  check(message: Signed<Tagged>): boolean;
  /**
   * Whether `signature` is one by `from` over `statement`: {@link Keyring.check} for parts of a
   * certificate.
   */
  readonly checkSeal: CheckSeal;
  /**
   * Whether every signature inside `message` is good, to any depth. `evidence` are the signed parts
   * of the message itself; left out, the keyring finds them as it finds deeper ones: by the
   * `evidence` of the protocol that it was made for.
   */
  checkEvidence(message: Signed<M>, evidence?: Iterable<EvidenceItem>): boolean;
  /**
   * As {@link Keyring.check} and {@link Keyring.checkEvidence} together, one signature at a time:
   * the outer one first. It says why the message is refused, or nothing. Hosts that have others to
   * serve stop between two signatures; what is inside must not change meanwhile.
   */
  checkInSteps(message: Signed<M>): Generator<void, SignatureFault | undefined, void>;
}

/** Which of the signatures of a message is bad: its own, or one inside it. */
export type SignatureFault = 'bad-signature' | 'bad-evidence';

/** How much one message may make its receiver compute. */
export interface EvidenceLimits {
  /** Most signatures inside one message; 16,384 unless told. */
  readonly maxSignatures?: number;
  /** Deepest nesting of signed parts; 8 unless told. */
  readonly maxDepth?: number;
}

/** Checks one signature. */
export type CheckSeal = (from: PrincipalId, signature: Signature, statement: Tagged) => boolean;

/** The three ways to check a message, for keyrings that check one seal by `check`. */
export function evidenceChecker<M extends Tagged>(
  protocol: EvidenceSource,
  knows: (principal: PrincipalId) => boolean,
  check: CheckSeal,
  limits: EvidenceLimits,
): Pick<Keyring<M>, 'check' | 'checkEvidence' | 'checkInSteps'> {
  const inside = (message: Tagged): Iterable<EvidenceItem> =>
    protocol.evidence !== undefined && protocol.messages.of(message.kind) !== undefined
      ? protocol.evidence(message)
      : [];
  const checkOuter = (message: Signed<Tagged>): boolean =>
    check(message.from, message.signature, message);
  return {
    check: checkOuter,
    checkEvidence(message, evidence = inside(message)) {
      const seals = sealsOf(evidence, inside, knows, limits);
      return seals?.every((each) => holds(each, check)) ?? false;
    },
    *checkInSteps(message) {
      if (!checkOuter(message)) return 'bad-signature';
      const seals = sealsOf(inside(message), inside, knows, limits);
      if (seals === undefined) return 'bad-evidence';
      for (const each of seals) {
        if (!holds(each, check)) return 'bad-evidence';
        yield;
      }
      return undefined;
    },
  };
}

/** Somebody's signature, and what it is said to be over. */
interface Seal {
  readonly from: PrincipalId;
  readonly signature: Signature;
  readonly statement: Tagged;
}

const holds = ({ from, signature, statement }: Seal, check: CheckSeal): boolean =>
  check(from, signature, statement);

/**
 * The signatures inside `items`, however deep, none of them checked; nothing if the form already
 * shows that they cannot all be good: too many or too deep, by strangers, or a certificate whose
 * signers are not replicas, distinct and ascending.
 */
function sealsOf(
  items: Iterable<EvidenceItem>,
  inside: (message: Tagged) => Iterable<EvidenceItem>,
  knows: (principal: PrincipalId) => boolean,
  { maxDepth = 8, maxSignatures = 16_384 }: EvidenceLimits,
): readonly Seal[] | undefined {
  const seals: Seal[] = [];

  function add(from: PrincipalId, signature: Signature, statement: Tagged): boolean {
    seals.push({ from, signature, statement });
    return seals.length <= maxSignatures && knows(from);
  }

  function addAll(each: Iterable<EvidenceItem>, depth: number): boolean {
    for (const item of each) {
      if (depth > maxDepth) return false;
      const statement = 'seals' in item ? item.body : item;
      const sealed =
        'seals' in item
          ? areAscending(item) &&
            item.seals.every(({ from, signature }) => add(from, signature, statement))
          : add(item.from, item.signature, statement);
      if (!sealed || !addAll(inside(statement), depth + 1)) return false;
    }
    return true;
  }
  return addAll(items, 1) ? seals : undefined;
}

/**
 * Whether the signers of `certificate` are distinct, ascending replicas and `check` takes each
 * seal.
 */
export const sealsHold = (certificate: Certificate<Tagged>, check: CheckSeal): boolean =>
  areAscending(certificate) &&
  certificate.seals.every(({ from, signature }) => check(from, signature, certificate.body));

/** Whether the signers are replicas, each once, in ascending order. */
const areAscending = ({ seals }: Certificate<Tagged>): boolean =>
  seals.every(
    ({ from }, i) => from < firstClient && from > (i === 0 ? -1 : (seals[i - 1]?.from ?? from)),
  );

/** Counters that stand at zero. */
export const zero = (): Counters => ({ signed: 0, verified: 0, cached: 0, refused: 0 });
