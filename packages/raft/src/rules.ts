import { joint, type QuorumSystem, type ReplicaId } from '@quorumlab/core';
import type { Configuration, Placed } from './configuration.ts';
import { type Log, lastIndex, lastTerm, type Position, termAt } from './log.ts';
import type { AppendEntries, Index } from './messages.ts';

/** What the rules look at of a server, in the words of Figure 2. */
export interface Server extends Log {
  readonly currentTerm: number;
  readonly commitIndex: Index;
  readonly matchIndex: ReadonlyMap<ReplicaId, Index>;
  /** The configurations in its log, in their order. */
  readonly configurations: readonly Placed[];
  /** It has told another one to run for the lead. */
  readonly hasYielded: boolean;
}

/**
 * The one-line rules on which Raft's safety hangs and which are most often got wrong. They
 * stand apart so that a test can put a wrong one in the place of each (see `mutants.ts`).
 */
export interface Rules {
  /** Whether `candidate`'s log is at least as up-to-date as the voter's (§5.4.1). */
  upToDate(voter: Server, candidate: Position): boolean;
  /** Whether the leader may commit the entry at `index` because a quorum holds it (§5.4.2). */
  mayCommit(leader: Server, index: number): boolean;
  /** How far this message has shown the follower's log to equal the leader's (Figure 2, 5.). */
  verified(follower: Server, message: AppendEntries): number;
  /** Whether the leader's commitIndex is as new as any acknowledged write (thesis 6.4, step 1). */
  mayRead(leader: Server): boolean;
  /** Which configuration the server goes by (thesis 4.1). */
  inForce(replica: Server): Configuration;
  /** What decides while the configuration is joint, by the majorities of both (thesis 4.3). */
  jointly(outgoing: QuorumSystem, incoming: QuorumSystem): QuorumSystem;
  /** Whether the leader may begin to change the group (thesis 4.1, as corrected in 2015). */
  mayChange(leader: Server): boolean;
  /** Whether a server may be told to run in the leader's place (thesis 3.10). */
  mayHandOver(leader: Server, to: ReplicaId): boolean;
  /** Whether the leader has told another one to run, so that no lease counts (thesis 6.4.1). */
  hasYielded(leader: Server): boolean;
}

/** The rules of the paper. */
export const rules: Rules = {
  // The later last term wins; with equal terms, the longer log.
  upToDate: (voter, candidate) =>
    candidate.term > lastTerm(voter) ||
    (candidate.term === lastTerm(voter) && candidate.index >= lastIndex(voter)),
  // Only entries of the leader's own term are committed by counting; Figure 8 shows why.
  mayCommit: (leader, index) => termAt(leader, index) === leader.currentTerm,
  // What lies beyond the last entry of the message may be left over from an older leader.
  verified: (_, { prevIndex, entries }) => prevIndex + entries.length,
  // A new leader has all committed entries but does not know which they are until its own is.
  mayRead: (leader) => termAt(leader, leader.commitIndex) === leader.currentTerm,
  // The latest one in the log, committed or not: who counts it has it, so nobody counts otherwise.
  inForce: ({ configurations }) => (configurations.at(-1) as Placed).configuration,
  jointly: joint,
  // Until then a leader before it may have appended a change that meets this one in nobody.
  mayChange: (leader) => termAt(leader, leader.commitIndex) === leader.currentTerm,
  // Whose log lacks something can unseat the leader, and cannot win.
  mayHandOver: (leader, to) => leader.matchIndex.get(to) === lastIndex(leader),
  hasYielded: (leader) => leader.hasYielded,
};
