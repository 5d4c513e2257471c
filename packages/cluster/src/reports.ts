/** What a node tells on its control channel: plain data, the same on both ends. */
import type { ClockBound, PeerUse } from '@quorumlab/node';

/** One committed request. */
export interface LoggedRequest {
  readonly client: number;
  readonly sequence: number;
  /** Digest of the whole request, in hexadecimal digits. */
  readonly digest: string;
  /** For people: `Ann`, `get x`. */
  readonly text: string;
}

/** One position of a node's log. No requests: a no-op. */
export interface LoggedSlot {
  readonly slot: number;
  readonly requests: readonly LoggedRequest[];
}

/** A run of positions, each as the digest of what was committed there. */
export interface LogDigests {
  /** The first position that is known. */
  readonly from: number;
  /** From `from` on without a gap. */
  readonly digests: readonly string[];
}

/** A signed statement that a node has heard. */
export interface HeardStatement {
  /** The frame in base64: sender, signature and message. */
  readonly frame: string;
}

/** Who takes what of a node. */
export interface UseReport {
  /** By peer; the last one stands for all strangers. */
  readonly use: readonly PeerUse[];
  /** Time for which its thread was busy, in microseconds. */
  readonly busyMicros: number;
  readonly uptimeMilliseconds: number;
}

/** A member that has signed two statements of which it may only sign one. */
export interface AccusedRow {
  readonly signer: number;
  /** What it has done, in words that follow its name. */
  readonly rule: string;
  /** The file of the proof, which anybody can check: `quorumlab explain --proof FILE`. */
  readonly proof: string;
}

/** What a node is to its group: it votes, only learns, has left, or waits to be let in. */
export type NodeMembership = 'voter' | 'learner' | 'left' | 'waiting';

/** How a node is. */
export interface NodeReport {
  readonly self: number;
  /** The name of its group. */
  readonly group?: string;
  readonly pid: number;
  readonly role: string;
  /** What does not mend itself, and what to do. */
  readonly trouble?: string | undefined;
  /** Term or view. */
  readonly term: number;
  readonly leader: number | undefined;
  /** The last slot that has run; -1: none. */
  readonly applied: number;
  /** Rolling hash of everything that has run, in hexadecimal digits. */
  readonly state: string;
  /** The last slot of the log that was committed without a gap; -1: none. */
  readonly committed: number;
  readonly peers: readonly number[];
  /** By how much its wall clock may be wrong, in microseconds, and who says so. */
  readonly clock?: ClockBound;
  /** What it is to its group, by its own log; absent: who is in the group never changes. */
  readonly membership?: NodeMembership;
  /** Whose votes count, by its own log; absent: everybody's, for good. */
  readonly voters?: readonly number[];
  /** Milliseconds since the last commit, if there was one since the start. */
  readonly lastCommitMilliseconds: number | undefined;
  /** What it has been told to do since it was made, even if it behaves again. */
  readonly attack: string | undefined;
  /** Whether it misbehaves now. */
  readonly lying: boolean;
  /** Times it really misbehaved. */
  readonly fired: number;
  /** Inputs that its machine has taken. */
  readonly steps: number;
  readonly uptimeMilliseconds: number;
  /** Who broke its word before this node. */
  readonly accused: readonly AccusedRow[];
}
