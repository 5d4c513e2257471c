import type { Digest, ReplicaId } from '@quorumlab/core';

/** What members weigh who have a vote. */
export type Weights = ReadonlyMap<ReplicaId, number>;

/** A proposal as a replica that may be locked looks at it. */
export interface Choice {
  readonly value: Digest;
  readonly validRound: number | null;
  readonly locked: { readonly round: number; readonly value: Digest } | null;
}

/**
 * The choices of Tendermint that are easy to get wrong, gathered so that a broken variant (see
 * `@quorumlab/tendermint/mutants`) differs from the right one in exactly one of them.
 */
export interface Rules {
  /** What a quorum weighs where all weigh `total` and liars `faulty`: two share an honest one. */
  quorum(total: number, faulty: number): number;
  /** Lines 23 and 29: whether a replica may prevote for what was proposed. */
  mayPrevote(choice: Choice): boolean;
  /** Line 28: whether the valid round of a proposal needs its polka. */
  readonly provesValidRound: boolean;
  /** Line 28: whether the polka of `polkaRound` shows a valid round of `validRound`. */
  isPolkaOf(polkaRound: number, validRound: number): boolean;
  /** Line 15: what is proposed again. */
  readonly proposesAgain: 'valid' | 'locked';
  /** Whether a quorum of nil prevotes takes the lock away; line 44 does not. */
  readonly nilUnlocks: boolean;
  /** Line 49: whether all precommits for a value count, of whatever round. */
  readonly mixesRounds: boolean;
  /** Whether polkas are passed on, and shown beside proposals. */
  readonly passesPolkasOn: boolean;
  /** Whether a certificate counts in which a member votes otherwise than it was heard to. */
  readonly takesSecondVotes: boolean;
  /** Line 55: how much weight in later rounds takes a replica along. */
  skipsAt(weak: number): number;
  /** Whether only so many rounds are listened to ahead. */
  readonly boundsRounds: boolean;
  /** Whose votes count: those of the set that votes, or of earlier ones too. */
  weights(inForce: Weights, earlier: () => readonly Weights[]): Weights;
  /** timeoutX(round). */
  timeout(first: number, delta: number, round: number): number;
}

/** The rules as they should be. */
export const rules: Rules = {
  quorum: (total, faulty) => Math.floor((total + faulty) / 2) + 1,
  mayPrevote: ({ value, validRound, locked }) =>
    locked === null || locked.value === value || locked.round <= (validRound ?? -1),
  provesValidRound: true,
  isPolkaOf: (polkaRound, validRound) => polkaRound === validRound,
  proposesAgain: 'valid',
  nilUnlocks: false,
  mixesRounds: false,
  passesPolkasOn: true,
  takesSecondVotes: true,
  skipsAt: (weak) => weak,
  boundsRounds: true,
  weights: (inForce) => inForce,
  timeout: (first, delta, round) => first + delta * round,
};
