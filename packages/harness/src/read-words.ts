/** What a read promises, in four words. */

/** What reads can be, those that promise most first. */
export const readsWords = ['quorum', 'lease', 'local', 'stale'] as const;

/** One of the {@link readsWords}. */
export type Reads = (typeof readsWords)[number];

/** What each promises, in one clause. */
export const readsPromises: Readonly<Record<Reads, string>> = {
  quorum: 'linearizable: a quorum has a part in each read, and no clock is trusted',
  lease: 'linearizable while no clock runs wrong by more than clockDrift says',
  local:
    'what one replica has run: a client keeps to one while it answers in time, ' +
    'and its reads do not go back while that one runs',
  stale: 'what any replica has run, another one each time: reads may go back',
};

/** What a run with such reads is judged by; the writes are judged by linearizability always. */
export const readsJudged: Readonly<Record<Reads, string>> = {
  quorum: 'all operations are linearizable',
  lease: 'all operations are linearizable',
  local:
    'writes are linearizable, and a read is of a state that the log went through, no earlier ' +
    'than what its client read there before',
  stale: 'writes are linearizable, and a read is of a state that the log went through',
};

/** Reads that take what one replica has: nobody asks whether it is the newest. */
export const isWeak = (reads: Reads): reads is 'local' | 'stale' =>
  reads === 'local' || reads === 'stale';

/** Whom clients ask for such reads: see `ClientOptions.localReadsAt`. */
export const readsAt: Readonly<Record<'local' | 'stale', 'one' | 'any'>> = {
  local: 'one',
  stale: 'any',
};
