import type { Ballot } from '@quorumlab/core';
import { isSame } from './dependencies.ts';
import type { InstanceId, Row, Runs, Told } from './messages.ts';

/**
 * The one-line rules on which the safety of EPaxos* hangs and which are most often got wrong. They
 * stand apart so that a test can put a wrong one in the place of each (see `mutants.ts`).
 */
export interface Rules {
  /** In which ballot a replica reports its value to have been accepted. */
  reported(row: Pick<Row, 'ballot' | 'accepted'>): Ballot;
  /** Whether an answer to a pre-accept counts for the fast path. */
  isEqual(answer: Runs, proposed: Runs): boolean;
  /** Whether the dependencies that a replica reports are those which the leader proposed. */
  isUnchanged(told: Told): boolean;
  /** Whether a dependency that is not committed yet has to be waited for. */
  awaits(row: Row | undefined): boolean;
  /** The order inside a strongly connected component. */
  precedes(one: InstanceId, other: InstanceId): number;
  /** Whether what may have been committed is looked at again before it is committed. */
  validates: boolean;
  /** What a command leader says to be committed to one that has named `answer`. */
  commits(chosen: Runs, answer: Runs | undefined): Runs;
  /** Whether a command leader decides an own command when it commits it, before it may run. */
  answersEarly: boolean;
  /** How many own instances that are not executed yet a command leader may have open. */
  pipeline(told: number): number;
}

/** The rules of the paper. */
export const rules: Rules = {
  // Joining a ballot accepts nothing: of two values that were accepted, the later ballot's counts.
  reported: ({ accepted }) => accepted,
  // With one more dependency anywhere, a recovery could not tell which set was committed.
  isEqual: isSame,
  isUnchanged: ({ phase, dependencies, initial }) =>
    phase === 'pre-accepted' && initial !== null && isSame(dependencies, initial),
  // What is not committed may yet have us among its dependencies.
  awaits: () => true,
  // Any rule will do that is the same everywhere.
  precedes: (one, other) => one - other,
  // An interfering command may have been committed that does not know of this one.
  validates: true,
  // The same to all: an instance has one set of dependencies.
  commits: (chosen) => chosen,
  // A write that is answered before it has run may come after a read that was asked for later.
  answersEarly: false,
  // Whoever goes on without executing can keep everybody from executing for ever.
  pipeline: (told) => told,
};
