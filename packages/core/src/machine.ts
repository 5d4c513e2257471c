import type { Configured, Rows, Shape, Status } from './protocol.ts';
import type { Roster } from './roster.ts';
import type { Digest } from './schema.ts';
import type {
  Certificate,
  Delay,
  Instant,
  Interval,
  PrincipalId,
  ReplicaId,
  Signed,
  Slot,
} from './vocabulary.ts';

/**
 * What everything outside a protocol sees of a replica or a client: one pure-looking function.
 * Given the same state and the same input, the same output, on every machine, for ever. Hosts run
 * machines, adversaries wrap them, checkers branch them, recordings replay them.
 */
export interface Machine<S extends Shape> {
  readonly self: PrincipalId;
  /**
   * If it throws, nothing of that step is released and the host stops the machine: a crash fault.
   */
  step(input: Input<S>): Output<S>;
  /**
   * Whether a step with this message, whose signatures nobody has checked yet, could come to
   * anything at `now`. False: it would change and say nothing. Absent: any message could.
   */
  admits?(message: Signed<S['Message']>, now: Instant): boolean;
  /** As {@link Machine.admits}, of every message of this kind of `from`. Absent: any could. */
  expects?(kind: S['Message']['kind'], from: PrincipalId): boolean;
  /**
   * Whether a step with this message would take the machine to a later term, view or ballot than
   * it is at: see `Protocol.counter`. Absent: it has none, or nobody alone can move it.
   */
  raises?(message: Signed<S['Message']>): boolean;
  /** As {@link Machine.admits}, of a `propose` with this command. */
  wants?(command: S['Command']): boolean;
  /**
   * The state as plain data, ready to hash, diff, show or restore. Messages are shared, not copied.
   */
  snapshot(): Snapshot<S>;
  restore(snapshot: Snapshot<S>): void;
  /** An independent machine in the same state. */
  fork(): Machine<S>;
  /** What it believes of its group. */
  status(): Status;
  /** Who is in its group now; see {@link Protocol.roster}. Nothing: that never changes. */
  roster?(): Roster | undefined;
}

/** The state of a machine. */
export interface Snapshot<S extends Shape> {
  readonly stable: S['Stable'];
  readonly volatile: S['Volatile'];
}

/** Everything a machine can be told. Time comes in here and nowhere else. */
export interface Input<S extends Shape> {
  readonly now: Instant;
  readonly clock: Interval;
  readonly event: Event<S>;
}

/** See {@link Input}. */
export type Event<S extends Shape> =
  | Start
  | { readonly type: 'message'; readonly message: Signed<S['Message']> }
  | { readonly type: 'timeout'; readonly timer: S['Timer'] }
  | { readonly type: 'propose'; readonly command: S['Command'] }
  | { readonly type: 'read'; readonly id: number }
  | {
      readonly type: 'snapshot-taken' | 'snapshot-installed';
      readonly slot: Slot;
      readonly digest: Digest;
      readonly configuration?: Uint8Array;
    }
  | Submit
  | { readonly type: 'cancel'; readonly id: number };

/** The first event of a life of a machine: each start of a process is another life. */
export type Start =
  | { readonly type: 'start'; readonly incarnation?: undefined; readonly rejoin?: undefined }
  | LaterStart;

/** The start of a machine that may have lived before. */
export interface LaterStart {
  readonly type: 'start';
  /**
   * A number from 1 to {@link maxInteger} that no other life of this machine has had, as far as
   * chance can see to that. Nothing that may be set back, such as a clock, may choose it: what this
   * machine asks for, and the answers to it, are told apart by it.
   */
  readonly incarnation: number;
  /** This replica has run before, and its disk was lost since. */
  readonly rejoin?: true;
}

/** The application beside this machine wants `operation` run once, and its result under `id`. */
export interface Submit {
  readonly type: 'submit';
  readonly id: number;
  readonly operation: Uint8Array;
  /** It changes nothing: a protocol that can read without writing may do so. */
  readonly readOnly: boolean;
  /**
   * With `readOnly`: one replica's own state will do, however old it is. Linearizable unless told.
   */
  readonly local?: boolean;
  /** Microseconds after which nobody waits for it any longer. As long as it takes unless told. */
  readonly within?: number;
  /**
   * `operation` changes the group and not the application: see `Request.configuration`. Its result
   * is why it was refused, as the service's `outcome` encodes it; an empty text: it was not.
   */
  readonly configuration?: true;
}

/**
 * Everything a machine can ask for, in the order the host must honour it:
 *
 * 1. `early` may go out at once.
 * 2. `writes` become durable, all or none.
 * 3. Only then everything else.
 *
 * Outputs of consecutive steps may be joined end to end and written with one sync: rule 3 still
 * holds, because joining only makes sends later. `journal` in this package is that rule as code.
 */
export interface Output<S extends Shape> {
  readonly early: readonly Outgoing<S>[];
  readonly writes: readonly Write<S>[];
  readonly sends: readonly Outgoing<S>[];
  readonly timers: readonly TimerChange<S>[];
  readonly decisions: readonly Decision<S>[];
  readonly tentative: readonly Tentative<S>[];
  readonly reads: readonly AllowedRead[];
  readonly fetches: readonly Fetch[];
  readonly accusations: readonly Accusation<S>[];
  readonly lines: readonly string[];
  /** What the application applied in this step (machines that drive a state machine). */
  readonly applied: readonly Applied[];
  /** Results of what was submitted to this machine (machines that hold a client). */
  readonly answers: readonly Answer[];
}

/** Unsigned on purpose: the host signs last, so whoever reshapes an output still gets it signed. */
export interface Outgoing<S extends Shape> {
  readonly to: PrincipalId | 'all';
  readonly message: S['Message'];
}

/** One change of stable state. */
export type Write<S extends Shape> =
  | { readonly type: 'save'; readonly registers: Partial<S['Stable']> }
  | {
      readonly type: 'put';
      readonly table: keyof S['Stable'];
      readonly index: number;
      readonly row: unknown;
    }
  | { readonly type: 'drop'; readonly table: keyof S['Stable']; readonly rows: Rows };

/** Arms, re-arms or disarms a timer. */
export type TimerChange<S extends Shape> =
  | { readonly type: 'set'; readonly timer: S['Timer']; readonly after: Delay }
  | { readonly type: 'clear'; readonly timer: S['Timer'] };

/** See {@link Context.decide}. */
export interface Decision<S extends Shape> {
  readonly slot: Slot;
  readonly commands: readonly S['Command'][];
  readonly proof?: Certificate<S['Message']>;
  readonly configured?: Configured;
  /** See {@link Context.voters}; absent: another replica's word. */
  readonly voters?: readonly ReplicaId[];
}

/** See {@link Context.executeTentatively}. */
export interface Tentative<S extends Shape> {
  readonly slot: Slot;
  readonly commands: readonly S['Command'][];
  readonly term: number;
}

/** See {@link Context.allowRead}. */
export interface AllowedRead {
  readonly id: number;
  readonly upTo: Slot;
}

/** See {@link Context.fetchSnapshot}. */
export interface Fetch {
  readonly slot: Slot;
  readonly digest: Digest;
  readonly holders: readonly ReplicaId[];
}

/** See {@link Context.accuse}. */
export interface Accusation<S extends Shape> {
  readonly first: Signed<S['Message']>;
  readonly second: Signed<S['Message']>;
}

/** One request that ran, or was found to have run before. */
export interface Applied {
  readonly slot: Slot;
  readonly client: PrincipalId;
  readonly sequence: number;
  readonly operations: readonly Uint8Array[];
  /** In place of operations: see `Request.configuration`. */
  readonly configuration?: Uint8Array;
  readonly results: readonly Uint8Array[];
  /** False if the session had already run it: then nothing ran and `results` are the old ones. */
  readonly fresh: boolean;
  /**
   * Rolling 32-bit hash of all operations, changes of the group and results so far: equal states
   * have equal hashes.
   */
  readonly state: number;
}

/**
 * The end of a {@link Submit}: its result, or why there is none, as one sentence for its caller.
 */
export type Answer =
  | { readonly id: number; readonly result: Uint8Array; readonly error?: undefined }
  | {
      readonly id: number;
      readonly error: string;
      readonly result?: undefined;
      /** The group refused it: it has not run and never will. Absent: that is not known. */
      readonly refused?: Refusal;
      /** The group no longer knows whether it ran. It will not run from now on. */
      readonly forgotten?: Forgotten;
      /** {@link Submit.within} is over: if it was sent, it may have run or may still run. */
      readonly expired?: true;
    };

/**
 * Why a group refuses a request. 'log-full': all slots are decided (`Protocol.length`).
 * 'sequence-reused': its client has had another request run under its sequence.
 * 'state-too-large': there is more state than a snapshot may have, so none may be added.
 */
export type Refusal = 'log-full' | 'sequence-reused' | 'state-too-large';

/**
 * Why a group cannot tell whether a request ran. 'too-old': its client has said that it no longer
 * waits for it. 'session-expired': newer sessions of its client have taken the place of its own.
 */
export type Forgotten = 'too-old' | 'session-expired';

const none: readonly never[] = Object.freeze([]);

/** The output of a step that asks for nothing. Shared and frozen. */
export const nothing: Output<never> = Object.freeze({
  early: none,
  writes: none,
  sends: none,
  timers: none,
  decisions: none,
  tentative: none,
  reads: none,
  fetches: none,
  accusations: none,
  lines: none,
  applied: none,
  answers: none,
});

/** {@link nothing}, for a machine of any shape: it holds no value of the shape's types. */
export const idle = <S extends Shape>(): Output<S> => nothing as unknown as Output<S>;
