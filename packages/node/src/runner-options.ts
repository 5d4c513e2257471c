/** What the loop is given, and what it tells. */
import type {
  Decision,
  Instant,
  Machine,
  Output,
  PrincipalId,
  ReplicaId,
  Shape,
  Signed,
  Status,
  Write,
} from '@quorumlab/core';
import type { Envelopes, Keyring } from '@quorumlab/wire';
import type { Chronicle } from './chronicle.ts';
import type { Commons } from './commons.ts';
import type { HostLimits } from './host-limits.ts';
import type { FrameRefusal } from './intake.ts';
import type { Notices } from './notices.ts';
import type { PeerAccounts } from './peer-account.ts';

/** What an observer of a running machine may listen to. Everything is told once it is durable. */
export interface RunnerHooks<S extends Shape> {
  /** One step is durable and will be said now. */
  readonly stepped?: (at: Instant, output: Output<S>, status: Status) => void;
  /** A slot was decided. */
  readonly decided?: (at: Instant, decision: Decision<S>) => void;
  /** A message was sealed and handed to the network. */
  readonly said?: (message: Signed<S['Message']>, to: PrincipalId | 'all') => void;
  /** A message whose signatures, outer and inner, were good; and its frame. */
  readonly heard?: (message: Signed<S['Message']>, frame: Uint8Array, peer: PrincipalId) => void;
  /** A frame was refused. */
  readonly refused?: (peer: PrincipalId, reason: FrameRefusal) => void;
}

/** Whose message made a step fail. */
export interface Culprit {
  readonly peer: PrincipalId;
  readonly kind: string;
}

/** What {@link Runner} needs. */
export interface RunnerOptions<S extends Shape> {
  readonly machine: Machine<S>;
  /** The group: to whom `all` goes. May change in place. */
  readonly members: readonly ReplicaId[];
  /** Makes and checks seals; asked at each message, because a traitor's is another one. */
  readonly keyring: () => Keyring<S['Message']>;
  readonly envelopes: Envelopes<S['Message']>;
  /** Makes writes durable. A rejection is final. */
  readonly commit: (writes: readonly Write<S>[]) => Promise<void>;
  readonly limits: HostLimits;
  readonly hooks: RunnerHooks<S>;
  /**
   * Whether what waits for the disk is sealed meanwhile: where a signature takes time, and sealing
   * changes nothing that a crash would leave behind. Not so unless told.
   */
  readonly sealsAhead?: boolean;
  /** Where refusals are reported. */
  readonly notices: Notices;
  /** What it shares with other groups of the process; its own unless told. */
  readonly commons?: Commons;
  /** Where what each peer takes is added up; the loop has its own unless told. */
  readonly accounts?: PeerAccounts;
  /** Who tells the log what the machine does; a client's does nothing worth telling. */
  readonly chronicle?: Pick<Chronicle, 'look' | 'said'>;
  /** Called after a step that asks for something, before any of that is done. */
  readonly moved?: (output: Output<S>) => void;
  /** Called after the steps of every tick. */
  readonly ticked?: () => void;
  /** The kinds of message that clients may say; any, unless told. */
  readonly clientKinds?: ReadonlySet<string>;
  /** The kinds by which members pass on what clients ask; none, unless told. */
  readonly passedOnKinds?: ReadonlySet<string>;
  /** Whether observers want a message of which the machine can make nothing any more. */
  readonly isEvidence?: (message: Signed<S['Message']>) => boolean;
  /** Bytes of the answer that a message asks for; 0: it asks for nothing worth counting. */
  readonly answerBytes?: (message: S['Message']) => number;
  /** By how much this machine's wall clock may be wrong, in microseconds. */
  readonly clockError: () => number;
  /** The machine has run before, and its disk was lost since. Not so unless told. */
  readonly rejoin?: boolean;
  /** Called once, with what stopped the loop, and in a step for a message with whose it was. */
  readonly onFailure: (error: Error, culprit?: Culprit) => void;
}

/** Totals since the start. */
export interface RunnerCounters {
  /** Events given to the machine. */
  steps: number;
  /** Times the loop ran. */
  ticks: number;
  /** Batches made durable. */
  commits: number;
  /** Frames refused, by reason. */
  readonly refused: Record<FrameRefusal, number>;
  /** Frames of which nothing could come now: late votes, repetitions, answers not asked for. */
  notNeeded: number;
  /** Pairs of messages seen of which their sender may say only one. */
  accusations: number;
  /** Operations of this process that were refused because too many waited. */
  refusedSubmits: number;
}
