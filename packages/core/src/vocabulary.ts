/**
 * The words that protocols, hosts, adversaries and checkers share: who, when, where in the log, and
 * who has signed what.
 */

/** Index of a replica in its group's member list, from 0. The same on every member. */
export type ReplicaId = number;
/** Whoever can sign: a replica by its index, or a client, from `firstClient` (65,536) up. */
export type PrincipalId = number;
/** Position in a replicated log, from 0. */
export type Slot = number;
/**
 * Integer microseconds on one replica's monotonic clock. Never compare instants of two replicas.
 */
export type Instant = number;
/**
 * Integer microseconds (see {@link ms}). A pair means "the host picks, uniformly": all protocol
 * randomness lives here.
 */
export type Delay = number | readonly [min: number, max: number];
/** What a TrueTime-style clock answers, in microseconds: real time lies somewhere in here. */
export interface Interval {
  readonly earliest: number;
  readonly latest: number;
}

/** Milliseconds as the kernel's integer microseconds. */
export const ms = (milliseconds: number): number => Math.round(milliseconds * 1000);

/** What a message looks like to code that does not know its protocol. */
export interface Tagged {
  readonly kind: string;
}

/** Opaque to protocols. The host makes and checks signatures; handlers only carry them. */
export type Signature = Uint8Array & { readonly __signature: never };
/** Who said it, and the proof. What reaches a handler was verified by the host's keyring. */
export interface Seal {
  readonly from: PrincipalId;
  readonly signature: Signature;
}
/**
 * A message whose seal has been checked: the paper's ⟨PREPARE, v, n, d, i⟩σᵢ as one flat object.
 */
export type Signed<M> = Readonly<M> & Seal;
/**
 * Signatures of several replicas over one body, signers ascending: quorum certificate, polka,
 * prepared proof.
 */
export interface Certificate<M> {
  readonly body: Readonly<M>;
  readonly seals: readonly Seal[];
}

/** The number of the first client; smaller numbers are replicas. */
export const firstClient = 65_536;
