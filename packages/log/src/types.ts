import type { Delay, Digest, PrincipalId, Request, Shape, Signed, Slot } from '@quorumlab/core';
import type { ServiceMessage } from './messages.ts';

/**
 * What a group keeps alike on all its replicas. It must be deterministic: the same operations in
 * the same order give the same results and the same snapshot bytes everywhere, for ever. It must
 * not throw for any bytes, because a stranger may have sent them: say "malformed" in the result.
 */
export interface StateMachine {
  /**
   * Runs one operation, and also every operation that {@link StateMachine.query} takes: groups that
   * cannot read without writing order their reads. A result is at most 65,536 bytes. `client` is
   * who signed the request that the operation came in: nobody can say it in another one's name.
   */
  apply(operation: Uint8Array, client: PrincipalId): Uint8Array;
  /** Answers without changing anything. */
  query(operation: Uint8Array): Uint8Array;
  /**
   * Whether it matters which of two operations runs first: to a result, or to the state. It looks
   * at the operations alone and never at the state, must be symmetric, and must not throw. Without
   * it any two operations interfere, so that even a protocol which orders only these orders all.
   */
  interferes?(one: Uint8Array, other: Uint8Array): boolean;
  /** Everything, in one canonical form: equal states give equal bytes. */
  snapshot(): Uint8Array;
  /** Forgets everything and takes over what {@link StateMachine.snapshot} gave, here or there. */
  restore(snapshot: Uint8Array): void;
  /**
   * For a large state, together with {@link StateMachine.restorer}: the state as it is now, in
   * parts, which stay as they are while operations go on. It is called between two operations, so
   * it has to be quick: share the parts, and copy one when it is written to. Without it a snapshot
   * is one copy of everything, made at once.
   */
  capture?(): readonly StatePart[];
  /**
   * Remembers the state as it is now, for groups that execute tentatively
   * (`ClientPolicy.tentative`). The function that it returns takes back everything that was applied
   * since: then results, captures and snapshots are as if none of it had run. It is called once, in
   * the same step, and must cost what was applied, whatever the size of the state. Without it a
   * replica answers only what is decided.
   */
  mark?(): () => void;
  /** For a large state: takes over, piece by piece, what {@link StateMachine.capture} gave. */
  restorer?(): StateRestorer;
}

/** One part of a captured state. */
export interface StatePart {
  /**
   * The part in pieces of at most `chunkBytes`. Called later, once or several times, and always
   * with the same result: of a part that is the same object in two captures nothing is encoded,
   * hashed or written again. In one canonical form: equal states give equal pieces.
   */
  encode(): readonly Uint8Array[];
}

/** See {@link StateMachine.restorer}. What it is given may be a liar's: it may throw. */
export interface StateRestorer {
  /**
   * Takes the next piece. The state machine stays as it is and goes on running; what is the same in
   * both states may be shared.
   */
  add(piece: Uint8Array): void;
  /** All pieces are there: now they are the state. If it throws, the state is the one before. */
  finish(): void;
}

/** A protocol that orders client requests. */
export interface LogShape extends Shape {
  readonly Command: Signed<Request>;
}

/** Which snapshot some chunks make up. */
export interface SnapshotRecord {
  readonly slot: Slot;
  /** The root: digest of the manifest of its chunks. */
  readonly digest: Digest;
  /** Bytes of all chunks together. */
  readonly size: number;
  /** Rolling hash of everything that ran, as in `Applied.state`. */
  readonly state: number;
  /** Whether this replica took it or got it from another one. */
  readonly origin: 'taken' | 'installed';
}

/** A snapshot on the disk. */
export interface StoredSnapshot extends SnapshotRecord {
  /** Which rows of `serviceChunks` hold its chunks, in order. Snapshots share rows. */
  readonly rows: readonly number[];
}

/** What a service keeps on the disk beside its protocol. */
export interface ServiceStable {
  /** The newest: what this replica starts from. */
  readonly serviceSnapshot: StoredSnapshot | null;
  /** By slot, earlier ones that others may still need: `Protocol.snapshotsKept`. */
  readonly serviceOlder: ReadonlyMap<Slot, StoredSnapshot>;
  /** Rows that no snapshot refers to hold nothing of use and are written again. */
  readonly serviceChunks: ReadonlyMap<number, Uint8Array>;
}

/** The timers of a service. Hosts and protocols leave names that start with `service/` alone. */
export type ServiceTimer = 'service/client' | 'service/transfer' | 'service/snapshot';

/** A message of the service's own; `Outgoing` without the protocol's part. */
export interface ServiceSend {
  readonly to: PrincipalId | 'all';
  readonly message: ServiceMessage;
}

/** A change of one of the service's own timers; `TimerChange` without the protocol's part. */
export type ServiceTimerChange =
  | { readonly type: 'set'; readonly timer: ServiceTimer; readonly after: Delay }
  | { readonly type: 'clear'; readonly timer: ServiceTimer };

/** The shape of a protocol's machine with the service around it. */
export interface Serviced<S extends LogShape> extends Shape {
  readonly Stable: S['Stable'] & ServiceStable;
  readonly Volatile: S['Volatile'] & { readonly service: object };
  readonly Message: S['Message'] | ServiceMessage;
  readonly Timer: S['Timer'] | ServiceTimer;
  readonly Command: S['Command'];
}
