/** What a simulation is made of, and what comes out of it. */
import type { Observer, Violation } from '@quorumlab/checker';
import type {
  Accusation,
  Answer,
  Certificate,
  Event,
  Evidence,
  Instant,
  Machine,
  MessagesField,
  Output,
  PrincipalId,
  Random,
  Shape,
  Signed,
  Slot,
  Status,
  Tagged,
} from '@quorumlab/core';
import type { ClockModel } from './clock.ts';
import type { Counters } from './counters.ts';
import type { DiskModel } from './disk.ts';
import type { CopyChange, LostCopy } from './losses.ts';
import type { NetworkModel } from './network.ts';
import type { TraceOptions } from './trace.ts';

/** What a seat's machine may use of the simulation. */
export interface SeatHost {
  /** The run's one decision stream: for behaviours of the adversary. */
  readonly random: Random;
  /** A behaviour says that it really did something; counted, and a note in the trace. */
  readonly fire: (what: string) => void;
}

/** A place at which one machine runs. Its number is its index in the list of seats. */
export interface Seat<S extends Shape> {
  /** Whose messages it takes and whose key it signs with. Several seats may share one (Twins). */
  readonly principal: PrincipalId;
  /** Called at the start and at every restart, with what the disk kept, if anything. */
  readonly make: (stable: S['Stable'] | undefined, host: SeatHost) => Machine<S>;
  /** Observers do not see it. */
  readonly traitor?: boolean;
  /** A perfect clock unless told. */
  readonly clock?: ClockModel;
  /** The number of its first life: 0 unless told. Seats of one principal need numbers far apart. */
  readonly firstLife?: number;
  /** An instant, honest disk unless told. */
  readonly disk?: DiskModel;
}

/**
 * The signing half and the checking half of a key, as the wire package's keyrings have them. All
 * keyrings of one simulation must judge a message alike: it is checked once, when it first arrives
 * somewhere, and not once per recipient.
 */
export interface SimulatedKeyring<M extends Tagged> {
  /** Nothing: the seat's trusted counter has given this number to another text. It is not said. */
  sign(message: M): Signed<M> | undefined;
  check(message: Signed<M>): boolean;
  checkEvidence(message: Signed<M>, evidence: Iterable<Signed<Tagged> | Certificate<M>>): boolean;
}

/** Something that goes wrong, or right again, at an instant of true time in microseconds. */
export type Fault =
  /**
   * The machine is gone, with all it had not synced: at once, or at the boundary that it comes to
   * when it has passed `boundary` more. With `before` only those before messages of that kind
   * count. If it is to be restarted before that, it does not crash.
   */
  | {
      readonly type: 'crash';
      readonly at: Instant;
      readonly seat: number;
      readonly boundary?: number;
      readonly before?: string;
    }
  /**
   * `disk`: what it finds: all that was synced (unless told), nothing, or the last backup. With
   * 'nothing' it starts as if it had never run; with 'lost' it is told that it has (`rejoin`), and
   * at every further start until its new disk holds something.
   */
  | {
      readonly type: 'restart';
      readonly at: Instant;
      readonly seat: number;
      readonly disk?: 'synced' | 'nothing' | 'backup' | 'lost';
    }
  /** Copies what is synced, for a later restart from a stale backup. */
  | { readonly type: 'backup'; readonly at: Instant; readonly seat: number }
  /** Stops taking inputs, as after SIGSTOP; they wait, up to {@link heldCap} messages. */
  | { readonly type: 'pause'; readonly at: Instant; readonly seat: number }
  | { readonly type: 'resume'; readonly at: Instant; readonly seat: number }
  /** Every timer that the seat has set fires now. */
  | { readonly type: 'timeout'; readonly at: Instant; readonly seat: number }
  /** Only seats of one group reach each other; seats in no group reach all. Ends earlier splits. */
  | {
      readonly type: 'split';
      readonly at: Instant;
      readonly groups: readonly (readonly number[])[];
    }
  /** One way: nothing gets from `from` to `to`; of `kinds` only, if given. Adds to earlier cuts. */
  | {
      readonly type: 'cut';
      readonly at: Instant;
      readonly from: readonly number[];
      readonly to: readonly number[];
      readonly kinds?: readonly string[];
    }
  /** Ends all splits and cuts. */
  | { readonly type: 'heal'; readonly at: Instant }
  /** Replaces the network. */
  | { readonly type: 'network'; readonly at: Instant; readonly network: NetworkModel }
  /**
   * Jumps a seat's wall clock by `by` microseconds, until it is synchronised; from now on it drifts
   * by `driftPerBillion`, and its time source is ahead of true time by `source` microseconds.
   */
  | {
      readonly type: 'skew';
      readonly at: Instant;
      readonly seat: number;
      readonly by?: number;
      readonly driftPerBillion?: number;
      readonly source?: number;
    }
  /** Replaces the disk's behaviour: slower, full, failing, lying; what is on it stays. */
  | {
      readonly type: 'disk';
      readonly at: Instant;
      readonly seat: number;
      readonly disk: DiskModel;
    };

/** Messages that wait for a paused seat at most; later ones are lost. */
export const heldCap = 65_536;

/** An input from outside: a client's wish, mostly. */
export interface ScheduledInput<S extends Shape> {
  /** True time. An instant that is over means now. */
  readonly at: Instant;
  readonly seat: number;
  readonly event: Event<S>;
}

/** A workload, pulled by the simulation and told what came of it. Must be deterministic. */
export interface InputSource<S extends Shape> {
  /** The next input, in ascending order of time; nothing: there are no more of this sort. */
  next(): ScheduledInput<S> | undefined;
  /** An answer has come out of a seat. What this returns is done too: closed-loop clients. */
  answered?(at: Instant, seat: number, answer: Answer): ScheduledInput<S> | undefined;
  /** An input found its seat not running and was lost. */
  refused?(at: Instant, seat: number, event: Event<S>): ScheduledInput<S> | undefined;
}

/** Looks at everything, unlike an observer also at traitors. Must not change anything. */
export interface Watcher<S extends Shape> {
  /** A message was signed: once, however many it is sent to. */
  said?(at: Instant, seat: number, message: Signed<S['Message']>): void;
  /** A message whose signatures are good is about to be handed to a seat's machine. */
  heard?(at: Instant, seat: number, message: Signed<S['Message']>): void;
  /** A seat's machine has taken a step; nothing of the output has happened yet. */
  stepped?(at: Instant, seat: number, output: Output<S>): void;
  accused?(at: Instant, seat: number, accusation: Accusation<S>): void;
  /** A seat was crashed at a boundary, with what its disk holds by then. */
  cutOff?(at: Instant, seat: number, where: Boundary): void;
}

/** Places at which a crash makes a difference: see {@link SeatView.boundaries}. */
export type Boundary = 'before-write' | 'after-write' | 'before-message';

/** Crashes a seat at its n-th boundary: see {@link SeatView.boundaries}. */
export interface CrashPoint {
  readonly seat: number;
  /** From 0. */
  readonly boundary: number;
  /** Restarts it this many microseconds later; never unless told. */
  readonly restartAfter?: number;
}

/** Where a simulation ends at the latest. */
export interface Limits {
  /** True time in microseconds. */
  readonly until?: Instant;
  /** Inputs handed to machines and disk completions. */
  readonly events?: number;
}

/** See {@link simulate}. */
export interface SimulationOptions<S extends Shape> {
  /** Codec of all messages that the machines exchange. */
  readonly messages: MessagesField<S['Message']>;
  /** The key of each seat. */
  readonly keyring: (seat: number, principal: PrincipalId) => SimulatedKeyring<S['Message']>;
  /** Signed parts inside a message, checked before a machine sees it. */
  readonly evidence?: ((message: S['Message']) => Iterable<Evidence<S>>) | undefined;
  readonly seats: readonly Seat<S>[];
  /** Who gets what is sent to all. Unless told, every principal below `firstClient`. */
  readonly members?: readonly PrincipalId[];
  readonly network: NetworkModel;
  readonly faults?: readonly Fault[];
  readonly inputs?: InputSource<S>;
  readonly seed: number | string;
  /** Choices of an earlier run to make again: see `DecisionOptions.replay`. */
  readonly decisions?: readonly number[] | undefined;
  /** Copies that get lost on top of what the network loses; their delays are drawn all the same. */
  readonly lost?: readonly LostCopy[] | undefined;
  /** What else happens to single copies; nothing is drawn for it. */
  readonly copies?: readonly CopyChange[] | undefined;
  /** Whether to record the choices. Off unless told. */
  readonly record?: boolean;
  readonly limits: Limits;
  readonly observer?: Observer;
  /**
   * The slot up to which a snapshot has replaced a machine's state, if these registers say so: all
   * that a restarting machine finds (`restart`), or what a step has made durable (`step`). Without
   * it observers are not told of snapshots, and do not know what a restarted replica still has.
   */
  readonly installed?: (
    registers: Partial<S['Stable']>,
    when: 'restart' | 'step',
  ) => Slot | undefined;
  /** Whether the first violation ends the run. On unless told. */
  readonly stopAtViolation?: boolean;
  readonly watcher?: Watcher<S>;
  readonly trace?: TraceOptions;
  readonly crashAt?: CrashPoint;
  /**
   * Largest frame, as on a real node; core's `maxFrameBytes` unless told. What is larger gets to
   * nobody else, and if an honest seat says it that is a violation.
   */
  readonly maxFrameBytes?: number;
  /** Encodes every message to count bytes. Off unless told. */
  readonly countBytes?: boolean;
  /**
   * Freezes messages, copies what is written to disks and encodes every message, so that a machine
   * that changes what it gave away, or says what has no encoding, is found. Slow; off unless told.
   */
  readonly strict?: boolean;
}

/** A seat as it is whenever one of these is read. */
export interface SeatView<S extends Shape> {
  readonly principal: PrincipalId;
  readonly running: boolean;
  readonly paused: boolean;
  /** Why it stopped, if it stopped by itself: it threw, or its disk failed. */
  readonly reason: string | undefined;
  /** How often it has been started. */
  readonly starts: number;
  readonly machine: Machine<S> | undefined;
  readonly status: Status | undefined;
  /** What its disk would give back; made when asked for. */
  readonly stable: S['Stable'] | undefined;
  /**
   * Boundaries passed: before a batch goes to the disk, after it is durable, before each message
   * that is said. A crash at each of them in turn is every crash that matters.
   */
  readonly boundaries: number;
}

/** Why a simulation has ended. `idle`: nothing is left that could happen. */
export type Ending = 'until' | 'events' | 'violation' | 'idle';

/** A finished run. */
export interface SimulationResult {
  readonly ending: Ending;
  /** sha256, equal for equal runs on every engine, with and without a trace. */
  readonly digest: string;
  /** True time of the end, in microseconds. */
  readonly now: Instant;
  readonly events: number;
  readonly violation: Violation | undefined;
  readonly counters: Counters;
}

/** Whether there is more to do until an instant, it is reached, or the run ended before. */
export type Progress = 'more' | 'reached' | 'ended';

/** One run of one scenario, step by step or to its end. */
export interface Simulation<S extends Shape> {
  /** True time in microseconds. */
  readonly now: Instant;
  /** Inputs handed to machines and disk completions so far. */
  readonly events: number;
  readonly counters: Counters;
  readonly violation: Violation | undefined;
  /** Why it has ended, if it has. */
  readonly ending: Ending | undefined;
  /** Does the next thing; false if there is none, or a limit or violation ended the run. */
  step(): boolean;
  /** Does everything up to and including `at`; false if the run ended before. */
  runUntil(at: Instant): boolean;
  /** Does the same, but at most `events` things of it: `more` says that some are left. */
  runSome(at: Instant, events: number): Progress;
  /** Goes on to the end and finishes. */
  run(): SimulationResult;
  /** Tells observers that the run is over and closes the trace. Can be repeated. */
  finish(): SimulationResult;
  seat(index: number): SeatView<S>;
  /** The digest of the run so far. */
  digest(): string;
  /** The choices so far, if `record` was set. */
  decisions(): number[];
  /** A fault on top of the scenario's; an instant that is over means now. */
  inject(fault: Fault): void;
  /** An input on top of the scenario's. */
  input(input: ScheduledInput<S>): void;
}
