/** Mutants that nobody can tell from the right code, and why. */

/** One of them, found by its texts, because lines move. */
export interface Equivalent {
  /** The end of its path. */
  readonly file: string;
  /** The line in which it stands, where the rest is not enough. */
  readonly within?: string;
  readonly before: string;
  readonly after: string;
  /** Why no run can show a difference. A sentence. */
  readonly why: string;
}

/** All that are known. */
export const equivalents: readonly Equivalent[] = [
  {
    file: 'raft/src/rejoin.ts',
    before: 'peer !== ctx.self',
    after: 'true',
    why: 'What a replica asks itself is refused there: it is no peer of its own, and waits.',
  },
  {
    file: 'raft/src/rejoin.ts',
    within: 'if (rejoining === null || !isBehind(replica)) return;',
    before: 'rejoining === null',
    after: 'false',
    why: 'Who is not coming back is not behind either, which the next condition asks.',
  },
  {
    file: 'raft/src/rejoin.ts',
    before: 'rejoining.best?.index',
    after: 'rejoining.best.index',
    why: 'A replica is deaf until it knows the best log, so that is known here.',
  },
  {
    file: 'raft/src/rejoin.ts',
    before: 'replica.rejoining?.nonce',
    after: 'replica.rejoining.nonce',
    why: 'The line before lets only those through who wait, and who waits has a question.',
  },
];
