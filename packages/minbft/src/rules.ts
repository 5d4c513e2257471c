/**
 * The choices of MinBFT that are easy to get wrong, gathered so that a broken variant (see
 * `@quorumlab/minbft/mutants`) differs from the right one in exactly one of them.
 */
export interface Rules {
  /** How many members are a quorum: any two share one, who cannot have said two things. */
  quorum(n: number, f: number): number;
  /** Whether a member's statement counts only after all of its lower numbers. */
  readonly refusesGaps: boolean;
  /** Whether a new view orders again what members have committed to, and its primary must. */
  readonly carriesCommits: boolean;
  /** Of how many members the wish for a later view makes a replica leave its own. */
  joinsAt(quorum: number): number;
}

/** The rules as they should be. */
export const rules: Rules = {
  quorum: (n, f) => Math.max(f + 1, Math.floor(n / 2) + 1),
  refusesGaps: true,
  carriesCommits: true,
  joinsAt: (quorum) => quorum,
};
