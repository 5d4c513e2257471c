import { byzantine, type Digest, type Slot } from '@quorumlab/core';

/**
 * The choices of PBFT that are easy to get wrong, gathered so that a broken variant (see
 * `@quorumlab/pbft/mutants`) differs from the protocol in exactly one of them.
 */
export interface Rules {
  /** Size of a quorum: any two of them share an honest replica. */
  quorum(n: number, f: number): number;
  /** Votes with the same key are counted together. */
  voteKey(digest: Digest): string;
  /** Which batch a quorum of Commits for `voted` executes, at a replica that logged `logged`. */
  executes(logged: Digest | undefined, voted: Digest): Digest;
  /** Whether a second pre-prepare with the same view and number is accepted. */
  readonly acceptsSecondPrePrepare: boolean;
  /** Whether a prepared batch is executed without waiting for a quorum of Commits. */
  readonly executesWhenPrepared: boolean;
  /** Whether a request in a batch is replaced by the one that its client sent here directly. */
  readonly executesLocalCopy: boolean;
  /**
   * Whether entries of P in a view-change must come with a quorum's Prepares from an older view.
   */
  readonly provesPrepared: boolean;
  /** Whether a stable checkpoint must come with a quorum's signatures. */
  readonly provesCheckpoints: boolean;
  /** Whether a view-change reports what is prepared, and not only what is committed. */
  readonly carriesPrepared: boolean;
  /** Whether backups compute O of a new-view themselves. */
  readonly recomputesOrders: boolean;
  /** Whether the certificate of view `candidate` replaces that of view `chosen`. */
  outranks(candidate: number, chosen: number): boolean;
  /** How many view-changes for later views make a replica join. */
  joinsAt(weak: number): number;
  /** The timeout after `attempts` view changes without progress. */
  timeout(first: number, attempts: number): number;
  /** Whether any progress restarts the timer of every waiting request. */
  readonly progressRestartsTimer: boolean;
  /**
   * After which slot a read may be answered, by those that are executed and prepared here, and
   * that which is executed tentatively in this view.
   */
  readsAfter(executed: Slot, prepared: Slot, tentative: Slot): Slot;
  /** How many tentative replies make a result believed. */
  tentativeQuorum(quorum: number, weak: number): number;
  /** Whether what was executed tentatively counts as executed, whatever is decided later. */
  readonly keepsTentative: boolean;
  /** How many equal answers make a read believed that is not ordered. */
  readQuorum(quorum: number, weak: number): number;
  /** Whether numbers outside the watermarks are refused. */
  readonly keepsWatermarks: boolean;
  /**
   * The checkpoint with which an epoch ends that a change at `sequence` ends, with K and L: no
   * number behind it may be logged without a stable checkpoint from `sequence` on.
   */
  endsWith(sequence: number, every: number, window: number): number;
  /**
   * With MACs: how many members, beside its sender and the primary, must have got a view-change
   * before a new view rests on it.
   */
  acknowledgedBy(quorum: number): number;
  /** With MACs: whether A2 is asked of what a view begins with. */
  readonly asksPrePrepared: boolean;
  /** Whether votes of those count too who have left in an earlier epoch. */
  readonly countsFormer: boolean;
}

/** The rules as they should be. */
export const rules: Rules = {
  quorum: (n, f) => byzantine(n, f).size,
  voteKey: (digest) => digest,
  executes: (_, voted) => voted,
  acceptsSecondPrePrepare: false,
  executesWhenPrepared: false,
  executesLocalCopy: false,
  provesPrepared: true,
  provesCheckpoints: true,
  carriesPrepared: true,
  recomputesOrders: true,
  outranks: (candidate, chosen) => candidate > chosen,
  joinsAt: (weak) => weak,
  // Section 4.5.2: doubling makes it longer than any delay, sooner or later. 2^16 is "later".
  timeout: (first, attempts) => first * 2 ** Math.min(attempts, 16),
  progressRestartsTimer: false,
  readsAfter: (_, prepared) => prepared,
  tentativeQuorum: (quorum) => quorum,
  keepsTentative: false,
  readQuorum: (quorum) => quorum,
  keepsWatermarks: true,
  endsWith: (sequence, every, window) =>
    (Math.ceil(sequence / every) + Math.ceil(window / every) - 1) * every,
  acknowledgedBy: (quorum) => quorum - 2,
  asksPrePrepared: true,
  countsFormer: false,
};
