import type { ReplicaId } from './vocabulary.ts';

/**
 * A round that one replica owns: ballot b belongs to replica b mod n. 0 is below every ballot in
 * use.
 */
export type Ballot = number;

/**
 * The ballot of `self` in the round after that of `above`, in a group of `n`: no two replicas share
 * one.
 */
export const nextBallot = (above: Ballot, self: ReplicaId, n: number): Ballot =>
  (Math.floor(above / n) + 1) * n + self;

/** Who owns `ballot` in a group of `n`. */
export const ballotOwner = (ballot: Ballot, n: number): ReplicaId => ballot % n;
