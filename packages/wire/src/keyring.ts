import {
  type Certificate,
  firstClient,
  isAggregated,
  type PrincipalId,
  type Signature,
  type Signed,
  sharesAggregate,
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
  /** Products of pairings computed, each about one certificate; absent where nothing aggregates. */
  pairings?: number;
  /** Shares of members that were no part of the aggregate that they were sent for. */
  badShares?: number;
  /** Microseconds of pairings, as their scheme estimates them. */
  pairingMicroseconds?: number;
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
  readonly name: 'ed25519' | 'channel' | 'mac' | 'ideal';
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
  /** Whether an aggregate is one of all who are named; absent: this keyring takes none. */
  readonly checkShared?: CheckShared;
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

/**
 * Which signature of a message is bad: its own, one inside it, an aggregate inside it, or the share
 * that stands behind it.
 */
export type SignatureFault = 'bad-signature' | 'bad-evidence' | 'bad-aggregate' | 'bad-share';

/** How much one message may make its receiver compute. */
export interface EvidenceLimits {
  /** Most signatures inside one message; 16,384 unless told. */
  readonly maxSignatures?: number;
  /** Deepest nesting of signed parts; 8 unless told. */
  readonly maxDepth?: number;
}

/** Checks one signature. */
export type CheckSeal = (from: PrincipalId, signature: Signature, statement: Tagged) => boolean;

/** Checks one signature that several have made together, by their numbers in ascending order. */
export type CheckShared = (
  signers: readonly PrincipalId[],
  signature: Signature,
  statement: Tagged,
) => boolean;

/**
 * The three ways to check a message, for keyrings that check one seal by `check`, and an aggregate
 * by `checkShared`; without it, certificates that hold one are refused. `checkOutside` is asked of
 * the message itself, where that is another question.
 */
export function evidenceChecker<M extends Tagged>(
  protocol: EvidenceSource,
  knows: (principal: PrincipalId) => boolean,
  check: CheckSeal,
  limits: EvidenceLimits,
  checkShared: CheckShared = () => false,
  checkOutside: CheckSeal = check,
): Pick<Keyring<M>, 'check' | 'checkEvidence' | 'checkInSteps'> {
  const inside = (message: Tagged): Iterable<EvidenceItem> =>
    protocol.evidence !== undefined && protocol.messages.of(message.kind) !== undefined
      ? protocol.evidence(message)
      : nothing;
  const checkOuter = (message: Signed<Tagged>): boolean =>
    checkOutside(message.from, message.signature, message);
  return {
    check: checkOuter,
    checkEvidence(message, evidence = inside(message)) {
      // Most kinds of messages have nothing signed inside.
      if (Array.isArray(evidence) && evidence.length === 0) return true;
      const seals = sealsOf(evidence, inside, knows, limits);
      return seals?.every((each) => holds(each, check, checkShared)) ?? false;
    },
    *checkInSteps(message) {
      if (!checkOuter(message)) return 'bad-signature';
      const seals = sealsOf(inside(message), inside, knows, limits);
      if (seals === undefined) return 'bad-evidence';
      for (const each of seals) {
        if (!holds(each, check, checkShared))
          return 'signers' in each ? 'bad-aggregate' : 'bad-evidence';
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

/** An aggregate, and of whom it is said to be. */
interface Shared {
  readonly signers: readonly PrincipalId[];
  readonly signature: Signature;
  readonly statement: Tagged;
}

const holds = (each: Seal | Shared, check: CheckSeal, checkShared: CheckShared): boolean =>
  'signers' in each
    ? checkShared(each.signers, each.signature, each.statement)
    : check(each.from, each.signature, each.statement);

/** What a certificate holds to check: the aggregate first, then who signed for itself. */
function sealsIn(certificate: Certificate<Tagged>): readonly (Seal | Shared)[] {
  const { body: statement, seals } = certificate;
  if (!isAggregated(certificate)) return seals.map((each) => ({ ...each, statement }));
  const sharers = seals.filter(({ signature }) => sharesAggregate(signature));
  const [first, ...rest] = sharers;
  // Form alone: only the first of them holds the aggregate.
  const signature = rest.every((each) => each.signature.length === 0) ? first?.signature : none;
  return [
    { signers: sharers.map(({ from }) => from), signature: signature ?? none, statement },
    ...seals
      .filter((each) => !sharesAggregate(each.signature))
      .map((each) => ({ ...each, statement })),
  ];
}

const none = new Uint8Array(0) as Signature;
const nothing: readonly EvidenceItem[] = Object.freeze([]);

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
): readonly (Seal | Shared)[] | undefined {
  const seals: (Seal | Shared)[] = [];
  const gathering: Gathering = { seals, inside, knows, maxDepth, maxSignatures };
  return addAll(gathering, items, 1) ? seals : undefined;
}

/** What {@link sealsOf} is at. */
interface Gathering extends Required<EvidenceLimits> {
  readonly seals: (Seal | Shared)[];
  readonly inside: (message: Tagged) => Iterable<EvidenceItem>;
  readonly knows: (principal: PrincipalId) => boolean;
}

function add({ seals, knows, maxSignatures }: Gathering, each: Seal | Shared): boolean {
  seals.push(each);
  const isKnown = 'signers' in each ? each.signers.every(knows) : knows(each.from);
  return seals.length <= maxSignatures && isKnown;
}

function addAll(gathering: Gathering, items: Iterable<EvidenceItem>, depth: number): boolean {
  for (const item of items) {
    if (depth > gathering.maxDepth) return false;
    const statement = 'seals' in item ? item.body : item;
    const sealed =
      'seals' in item
        ? areAscending(item) && sealsIn(item).every((each) => add(gathering, each))
        : add(gathering, { from: item.from, signature: item.signature, statement });
    if (!sealed || !addAll(gathering, gathering.inside(statement), depth + 1)) return false;
  }
  return true;
}

/**
 * Whether the signers of `certificate` are distinct, ascending replicas, `check` takes each seal,
 * and `checkShared` the aggregate, if there is one.
 */
export const sealsHold = (
  certificate: Certificate<Tagged>,
  check: CheckSeal,
  checkShared: CheckShared = () => false,
): boolean =>
  areAscending(certificate) &&
  sealsIn(certificate).every((each) => holds(each, check, checkShared));

/** Whether the signers are replicas, each once, in ascending order. */
const areAscending = ({ seals }: Certificate<Tagged>): boolean =>
  seals.every(
    ({ from }, i) => from < firstClient && from > (i === 0 ? -1 : (seals[i - 1]?.from ?? from)),
  );

/** Counters that stand at zero. */
export const zero = (): Counters => ({ signed: 0, verified: 0, cached: 0, refused: 0 });
