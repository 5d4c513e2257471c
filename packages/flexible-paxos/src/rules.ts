import type { Phases, ReplicaId } from '@quorumlab/core';
import { phasesOf, type Quorums } from './quorums.ts';

/**
 * The one rule in which Flexible Paxos differs from Multi-Paxos. It stands apart so that a test can
 * put a wrong one in its place (see `mutants.ts`).
 */
export interface Rules {
  /** Who has to promise and who has to accept in a group with these members (§3). */
  phases(members: readonly ReplicaId[], quorums: Quorums): Phases;
}

/** The rules of the paper. */
export const rules: Rules = {
  // Every quorum of phase 1 meets every quorum of phase 2; two of one phase need not meet.
  phases: phasesOf,
};
