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
  {
    file: 'raft/src/election.ts',
    before: 'heardAt !== null',
    after: 'true',
    why: 'Never heard counts as heard at 0: the timer first fires when that is a timeout ago.',
  },
  {
    file: 'raft/src/leader.ts',
    before: 'index < next',
    after: 'index <= next',
    why: 'There is no entry at the next index, and nothing is noted of none.',
  },
  {
    file: 'raft/src/leader.ts',
    within: 'note(leader, leader.log.get(index)?.command ?? null);',
    before: 'leader.log.get(index)?.command',
    after: 'leader.log.get(index).command',
    why: 'What is committed and no more is in the snapshot; every entry after it is in the log.',
  },
  ...['true', 'entries.length >= 0'].map((after) => ({
    file: 'raft/src/leader.ts',
    before: 'entries.length > 0',
    after,
    why: 'Any one entry fits into an append, so the first is never too much.',
  })),
  {
    file: 'raft/src/replication.ts',
    within: "if (replica.role === 'leader') forget(replica, entry.command);",
    before: "replica.role === 'leader'",
    after: 'true',
    why: 'Only a leader has noted anything that could be forgotten.',
  },
  {
    file: 'raft/src/replication.ts',
    before: 'index <= (leader.matchIndex.get(member) as Index)',
    after: 'index < leader.matchIndex.get(member)',
    why: 'What is known already is noted again, and commits what is committed.',
  },
  ...['true', 'index >= leader.commitIndex'].map((after) => ({
    file: 'raft/src/replication.ts',
    before: 'index > leader.commitIndex',
    after,
    why: 'It saves the count where nothing can come of it: what is committed is not counted again.',
  })),
  {
    file: 'raft/src/replication.ts',
    before: 'highest <= leader.commitIndex',
    after: 'highest < leader.commitIndex',
    why: 'What is committed is committed once more, and nothing is left to be applied.',
  },
  {
    file: 'raft/src/replication.ts',
    before: 'safe > follower.commitIndex',
    after: 'safe >= follower.commitIndex',
    why: 'What is committed is committed once more, and nothing is left to be applied.',
  },
];
