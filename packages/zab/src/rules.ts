import type { ReplicaId } from '@quorumlab/core';
import { type Credentials, type History, holds, reaches } from './history.ts';
import type { Ordered, Stage } from './messages.ts';

/** What the rules look at of a leader: its history, and how much of it is committed. */
export interface Leader extends History {
  /** The counter of the last transaction that is. */
  readonly committed: number;
}

/**
 * The rules on which Zab's safety hangs and which are most often got wrong. They stand apart so
 * that a test can put a wrong one in the place of each (see `mutants.ts`).
 */
export interface Rules {
  /** Whether the history of `one` is at least as good as that of `other` (step ℓ.1.2). */
  isAsGood(one: Credentials, other: Credentials): boolean;
  /** Which of two leads whose histories are equally good; any order will do. */
  isPreferred(one: ReplicaId, other: ReplicaId): boolean;
  /** Whether a follower at this stage is sent what is proposed (step ℓ.3.1: who is in Q). */
  isProposedTo(learner: { readonly stage: Stage }): boolean;
  /** Up to where observers are told of the history: what is committed. */
  informedUpTo(leader: Leader): number;
  /** Whether these transactions come next in the history of their follower (step f.3.2). */
  follows(follower: History, message: Ordered): boolean;
  /** Whether a follower that has got DIFF may make the epoch its current one (step f.2.1). */
  isCurrentWithDiff(follower: History): boolean;
}

/** The rules of the paper. */
export const rules: Rules = {
  // The epoch in which a history was last synchronised decides, and not how long it is.
  isAsGood: (one, other) =>
    one.currentEpoch > other.currentEpoch ||
    (one.currentEpoch === other.currentEpoch && reaches(one.zxid, other.zxid)),
  // ZooKeeper's order is the other way round; here groups begin with replica 0.
  isPreferred: (one, other) => one < other,
  // From NEWLEADER on, not from its acknowledgement on: or a follower would have a hole.
  isProposedTo: ({ stage }) => stage === 'told' || stage === 'synced',
  // An observer delivers what it is told: it hears of no proposal that may yet be lost.
  informedUpTo: ({ committed }) => committed,
  // Channels may lose, repeat and turn round messages, so each says where it belongs.
  follows: (follower, { previous }) =>
    previous.counter < follower.compacted.counter || holds(follower, previous),
  // Only once all of the history is here: NEWLEADER brings the last of it.
  isCurrentWithDiff: () => false,
};
