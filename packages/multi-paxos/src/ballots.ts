import { maxInteger, nextBallot, type ReplicaId } from '@quorumlab/core';

/**
 * The paper's proposal number. Ballot b belongs to replica b mod n, so no two proposers share one;
 * 0 is below all that are in use.
 */
export type Ballot = number;

/**
 * The smallest ballot of `self` above `above`, or nothing where the numbers of the wire end: no
 * election after that, rather than two in one ballot.
 */
export function ballotAbove(above: Ballot, self: ReplicaId, n: number): Ballot | undefined {
  const next = nextBallot(above, self, n);
  return next <= maxInteger ? next : undefined;
}
