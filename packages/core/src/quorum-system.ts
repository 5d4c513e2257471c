import type { ReplicaId } from './vocabulary.ts';

/**
 * A family of sets of replicas, big enough to decide something. Upward closed: adding a replica
 * to a quorum leaves a quorum.
 */
export interface QuorumSystem {
  readonly members: readonly ReplicaId[];
  /** Do these replicas contain a quorum? Non-members and repetitions count for nothing. */
  has(replicas: Iterable<ReplicaId>): boolean;
  /** Smallest number of members any two quorums, one of each system, have in common. */
  overlap(other: QuorumSystem): number;
  /** How many members may be gone, whichever they are, and the others still hold a quorum. */
  readonly tolerates: number;
  /** A system of which every quorum meets every one of this, by the way both are built. */
  readonly meets?: QuorumSystem;
}

/** A quorum system of all sets of at least `size` members. */
export interface Threshold extends QuorumSystem {
  readonly size: number;
}

/** A quorum system of all sets of members that together weigh at least `atLeast`. */
export interface Weighted extends QuorumSystem {
  readonly weights: ReadonlyMap<ReplicaId, number>;
  readonly atLeast: number;
}

/** A quorum system of all sets that hold a quorum of each of two systems. */
export interface Joint extends QuorumSystem {
  readonly parts: readonly [first: QuorumSystem, second: QuorumSystem];
}

/** Flexible Paxos: phase 1 and phase 2 quorums must meet; two phase 2 quorums need not. */
export interface Phases {
  readonly phase1: QuorumSystem;
  readonly phase2: QuorumSystem;
}

/** Members, sizes or weights of which no quorums can be made, or two that do not share enough. */
export class QuorumError extends RangeError {
  override readonly name: string = 'QuorumError';
}
