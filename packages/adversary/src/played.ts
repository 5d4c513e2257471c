/** What plays on a stage, who listens, and what is left when it is over. */
import type {
  DigestOf,
  Output,
  ReplicaId,
  Request,
  Shape,
  Signed,
  Slot,
  Status,
} from '@quorumlab/core';

/** Commands are signed requests, as in every replicated log. */
export interface RequestShape extends Shape {
  readonly Command: Signed<Request>;
}

/** What a stage is built of. */
export interface StageOptions<S extends RequestShape> {
  readonly digest: DigestOf;
  /** The operation that a text stands for. */
  readonly operation: (text: string) => Uint8Array;
  /** Hears of every step of an honest member, and of every message that is put on its way. */
  readonly watch?: StageWatcher<S>;
}

/** See {@link StageOptions.watch}. `at` counts the steps of all members. */
export interface StageWatcher<S extends Shape> {
  stepped?(at: number, member: ReplicaId, output: Output<S>, status: Status): void;
  said?(at: number, from: ReplicaId, to: ReplicaId, message: Signed<S['Message']>): void;
  /** Something befell a member: `crashes`, `restarts`, `lies`. */
  befell?(at: number, member: ReplicaId, what: string): void;
  /** Before the step in which `to` handles the message. */
  heard?(at: number, to: ReplicaId, message: Signed<S['Message']>): void;
}

/** What a schedule found wrong by itself: requests that wait, reads that miss something. */
export interface StageFault {
  readonly word: 'stale-read' | 'stalled' | 'invalid';
  readonly rule: string;
  readonly sentence: string;
  readonly members: readonly ReplicaId[];
  readonly at: number;
}

/** One slot as a member decided it. */
export interface StageDecision {
  readonly at: number;
  readonly member: ReplicaId;
  readonly slot: Slot;
  readonly commands: readonly Signed<Request>[];
}

/** What is left when a schedule is over. */
export interface Played {
  readonly liars: ReadonlySet<ReplicaId>;
  /** Of liars too: whoever judges leaves them out. */
  readonly decisions: readonly StageDecision[];
  readonly faults: readonly StageFault[];
  readonly steps: number;
}
