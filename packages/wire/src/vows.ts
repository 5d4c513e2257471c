import {
  type Certificate,
  isAggregated,
  type MessagesField,
  type PrincipalId,
  type ReplicaId,
  type Signed,
  seal,
  sharesAggregate,
  type Tagged,
} from '@quorumlab/core';
import { boundedMap } from './bounded.ts';
import type { EvidenceItem, Keyring } from './keyring.ts';

/** What the detector asks a protocol; every `Protocol` is one. */
export interface VowSource<M extends Tagged> {
  readonly members: readonly ReplicaId[];
  readonly messages: MessagesField<M>;
  /** As `Protocol.deniable`: where it is told, no statement of a member proves anything. */
  readonly deniable?: string;
  evidence?(message: M): Iterable<EvidenceItem>;
  vows?(message: M): Iterable<readonly [about: string, what: string]>;
}

/** Two messages one signer should never both have signed. */
export interface Proof<M> {
  readonly signer: PrincipalId;
  /** What both messages are about, e.g. `prepare/0/7`. */
  readonly about: string;
  readonly first: Signed<M>;
  readonly second: Signed<M>;
}

/** See {@link detector}. */
export interface Detector<M extends Tagged> {
  /**
   * Takes a message whose signatures, outer and inner, have been checked. The first proof found in
   * it, if any; more than one go to `also`.
   */
  observe(message: Signed<Tagged>, also?: (proof: Proof<M>) => void): Proof<M> | undefined;
  /** Vows held at present. */
  readonly size: number;
}

/** See {@link detector}. */
export interface DetectorOptions {
  /** Vows remembered per signer; 4,096 unless told. The ones longest unused are forgotten first. */
  readonly maxVowsPerSigner?: number;
}

interface Vow<M> {
  readonly what: string;
  readonly message: Signed<M>;
  readonly proven: boolean;
}

/**
 * Watches signed messages for two that break one vow. Memory is bounded per member, so nobody
 * pushes out what was seen of others; each broken vow is told once. A signer that makes more vows
 * than are remembered between two conflicting ones is not caught by this detector.
 */
export function detector<M extends Tagged>(
  protocol: VowSource<M>,
  { maxVowsPerSigner = 4096 }: DetectorOptions = {},
): Detector<M> {
  const vows = new Map(
    protocol.members.map((id) => [id, boundedMap<string, Vow<M>>(maxVowsPerSigner)]),
  );

  function own(message: Signed<M>): Proof<M>[] {
    const known = vows.get(message.from);
    const proofs: Proof<M>[] = [];
    if (known === undefined) return proofs;
    for (const [about, what] of protocol.vows?.(message) ?? []) {
      const before = known.get(about);
      if (before === undefined) known.set(about, { what, message, proven: false });
      else if (before.what !== what && !before.proven) {
        known.set(about, { ...before, proven: true });
        proofs.push({ signer: message.from, about, first: before.message, second: message });
      }
    }
    return proofs;
  }

  return {
    observe(message, also) {
      let first: Proof<M> | undefined;
      for (const each of statementsIn(protocol, message))
        for (const proof of own(each))
          if (first === undefined) first = proof;
          else also?.(proof);
      return first;
    },
    get size() {
      let sum = 0;
      for (const each of vows.values()) sum += each.size;
      return sum;
    },
  };
}

/** Deepest nesting of signed parts that is looked at. */
const deepest = 8;

/** A message of the protocol and all that is signed inside it, each as its signer said it. */
export function* statementsIn<M extends Tagged>(
  protocol: VowSource<M>,
  message: Signed<Tagged>,
  depth = 0,
): Generator<Signed<M>> {
  if (protocol.deniable !== undefined) return;
  if (depth > deepest || protocol.messages.of(message.kind) === undefined) return;
  // The schema has this kind, so it is one of the protocol's messages.
  const mine = message as unknown as Signed<M>;
  yield mine;
  for (const item of protocol.evidence?.(mine) ?? [])
    for (const inner of 'seals' in item ? spoken(item) : [item])
      yield* statementsIn(protocol, inner, depth + 1);
}

/**
 * What each signer of a certificate said, as far as its own signature shows it: who has a part in
 * an aggregate has none there that could be shown to a stranger.
 */
export function spoken<M extends Tagged>(certificate: Certificate<M>): Signed<M>[] {
  const { body, seals } = certificate;
  const own = isAggregated(certificate)
    ? seals.filter(({ signature }) => !sharesAggregate(signature))
    : seals;
  return own.map(({ from, signature }) => seal<M>(body, from, signature));
}

/**
 * One's own replica was about to sign against its word: a bug, or state that was lost. The host
 * stops.
 */
export class VowBrokenError extends Error {
  override readonly name: string = 'VowBrokenError';
  /** What both statements are about. */
  readonly about: string;

  constructor(self: PrincipalId, about: string, before: string, now: string) {
    super(
      `replica ${self} said "${before}" about ${about} and was to sign "${now}"; ` +
        'stop it and look for lost state or two copies of its key',
    );
    this.about = about;
  }
}

/**
 * `keyring`, refusing to sign the second of two conflicting statements with {@link VowBrokenError}.
 * It remembers the `maxVows` most recently used (65,536 unless told) and nothing from before the
 * last start: the protocol's durable state is what keeps vows, this only notices when it did not.
 */
export function vowGuard<M extends Tagged>(
  keyring: Keyring<M>,
  protocol: Omit<VowSource<M>, 'members'>,
  { maxVows = 65_536 }: { readonly maxVows?: number } = {},
): Keyring<M> {
  const said = boundedMap<string, string>(maxVows);
  return {
    ...keyring,
    // Read when asked: a copy made here would go stale.
    get counters() {
      return keyring.counters;
    },
    sign(message) {
      if (protocol.vows !== undefined && protocol.messages.of(message.kind) !== undefined)
        for (const [about, what] of protocol.vows(message)) {
          const before = said.get(about);
          if (before === undefined) said.set(about, what);
          else if (before !== what) throw new VowBrokenError(keyring.self, about, before, what);
        }
      return keyring.sign(message);
    },
  };
}
