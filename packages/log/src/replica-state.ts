/** What a service remembers beside its protocol and its application. */
import type {
  Answer,
  Applied,
  ClientPolicy,
  Decision,
  Digest,
  DigestOf,
  Machine,
  Output,
  PrincipalId,
  Protocol,
  ReplicaId,
  Slot,
  Status,
  Write,
} from '@quorumlab/core';
import type { Asker, ClientOptions, ClientState } from './client-state.ts';
import { copyClient } from './client-state.ts';
import type { OnDisk } from './disk-layout.ts';
import {
  loadSessions,
  type Name,
  type Sessions,
  type StoredSessions,
  storeSessions,
} from './sessions.ts';
import type { Content, Kept } from './snapshots.ts';
import { copyTransfer, type Transfer } from './transfer.ts';
import type { LogShape, Serviced, ServiceSend, ServiceTimerChange, StateMachine } from './types.ts';

/** What a service is started with. */
export interface ServiceOptions<S extends LogShape> {
  /** Makes the application, empty. */
  readonly stateMachine: () => StateMachine;
  readonly digest: DigestOf;
  /** What the disk gave back; absent: a replica that has never run. */
  readonly stable?: Serviced<S>['Stable'];
  /** Whether the protocol's lines are recorded. On unless told. */
  readonly lines?: boolean;
  /** The embedded client. */
  readonly client?: ClientOptions;
}

/** A service at work. */
export interface Run<S extends LogShape> {
  readonly protocol: Protocol<S>;
  readonly policy: ClientPolicy;
  readonly self: ReplicaId;
  readonly digest: DigestOf;
  readonly stateMachine: () => StateMachine;
  readonly inner: Machine<S>;
  readonly asker: Asker;
  application: StateMachine;
  state: ServiceState;
}

/** A query of a client that the protocol has not allowed yet, or not up to where we are. */
export interface PendingRead {
  readonly client: PrincipalId;
  readonly sequence: number;
  readonly operations: readonly Uint8Array[];
  /** Bytes of all operations. */
  readonly size: number;
  upTo: Slot | undefined;
}

/** A request that may find no slot. */
export interface Hopeful {
  readonly name: Name;
  /** What it asks for; its operations are not kept. */
  readonly digest: Digest;
  readonly hash: number;
}

/** See {@link Run}. */
export interface ServiceState {
  /** The slot to be applied next. */
  next: Slot;
  /** Rolling hash of everything that ran. */
  hash: number;
  /** Decided, but a slot below is not. */
  readonly buffered: Map<Slot, Decision<LogShape>>;
  sessions: Sessions;
  /** See `Content.configuration`. */
  configuration: Uint8Array;
  /** Newest first: what can be given to others. */
  kept: Kept[];
  /** The snapshots on the disk. */
  persisted: OnDisk;
  transfer: Transfer | undefined;
  /** By digest, while there is a transfer: chunks that were checked, and those of `kept`. */
  pool: Map<Digest, Uint8Array>;
  /** Requests given to a protocol whose log has an end: to be refused if it comes first. */
  hopeful: Hopeful[];
  readonly reads: Map<number, PendingRead>;
  /** Bytes of all operations in `reads`. */
  readBytes: number;
  nextRead: number;
  client: ClientState;
}

/** What one step of a service asks for, beside what its protocol asks for. */
export interface Pen<S extends LogShape> {
  /** Outputs of the protocol in this step, in order. */
  readonly outputs: Output<S>[];
  readonly writes: Write<Serviced<LogShape>>[];
  readonly sends: ServiceSend[];
  readonly timers: ServiceTimerChange[];
  readonly applied: Applied[];
  readonly answers: Answer[];
  /** The protocol's status, once asked for. */
  status: Status | undefined;
}

/** A {@link ServiceState} and its application as plain data. */
export type StoredService = Omit<ServiceState, 'sessions'> & {
  readonly sessions: StoredSessions;
  readonly application: Uint8Array;
};

/** An independent copy for a machine's snapshot. */
export const storeService = (state: ServiceState, application: StateMachine): StoredService => ({
  ...state,
  ...copyParts(state),
  sessions: storeSessions(state.sessions),
  application: application.snapshot(),
});

/** The opposite of {@link storeService}, but for the application. */
export const loadService = ({ application: _, ...stored }: StoredService): ServiceState => ({
  ...stored,
  ...copyParts(stored),
  sessions: loadSessions(stored.sessions),
});

type CopiedParts = 'buffered' | 'kept' | 'transfer' | 'pool' | 'hopeful' | 'reads' | 'client';

const copyParts = (state: Pick<ServiceState, CopiedParts>): Pick<ServiceState, CopiedParts> => ({
  buffered: new Map(state.buffered),
  kept: [...state.kept],
  transfer: state.transfer && copyTransfer(state.transfer),
  pool: new Map(state.pool),
  hopeful: [...state.hopeful],
  reads: new Map([...state.reads].map(([id, read]) => [id, { ...read }])),
  client: copyClient(state.client),
});

/** What a snapshot of the group's state at this point holds. */
export const contentNow = <S extends LogShape>({ state, application }: Run<S>): Content => ({
  slot: state.next - 1,
  state: state.hash,
  application: application.snapshot(),
  sessions: storeSessions(state.sessions),
  configuration: state.configuration,
});
