/** What a service remembers beside its protocol and its application. */
import type {
  Answer,
  Applied,
  ClientPolicy,
  Decision,
  Digest,
  DigestOf,
  Input,
  Instant,
  Machine,
  Output,
  PrincipalId,
  Protocol,
  ReplicaId,
  Slot,
  Status,
  Write,
} from '@quorumlab/core';
import type { ClientConfig, ClientOptions, ClientState } from './client-state.ts';
import { copyClient } from './client-state.ts';
import { copyShelf, type Shelf } from './disk-layout.ts';
import type { SnapshotManifest } from './messages.ts';
import type { Restarted } from './restart.ts';
import type { Rows } from './rows.ts';
import type { SessionCaps, Sessions } from './session-state.ts';
import type { Name } from './sessions.ts';
import type { Kept } from './snapshots.ts';
import { loadSessions, type StoredSessions, storeSessions } from './stored-sessions.ts';
import { copyTransfer, type Transfer } from './transfer-state.ts';
import type {
  LogShape,
  Serviced,
  ServiceSend,
  ServiceTimerChange,
  StateMachine,
  StatePart,
  StateRestorer,
} from './types.ts';

/** What a service is started with. */
export interface ServiceOptions<S extends LogShape> {
  /** Makes the application, empty. */
  readonly stateMachine: () => StateMachine;
  readonly digest: DigestOf;
  /** What the disk gave back; absent: a replica that has never run. */
  readonly stable?: Serviced<S>['Stable'];
  /**
   * What `readingBack` made of `stable`, for one machine. Without it the state is read back at
   * once, which holds up everything else in the process.
   */
  readonly restarted?: Restarted;
  /** Whether the protocol's lines are recorded. On unless told. */
  readonly lines?: boolean;
  /** The embedded client. */
  readonly client?: ClientOptions;
  /**
   * Reads a row of `serviceChunks` that is durable: then chunks are not kept in memory. Without it
   * they are.
   */
  readonly readChunk?: (row: number) => Uint8Array | undefined;
  /** About how many bytes of a snapshot a step encodes or restores: 256 KiB unless told. */
  readonly stepBytes?: number;
  /** Most bytes of a snapshot: {@link maxSnapshotBytes} unless told. */
  readonly maxSnapshotBytes?: number;
  /** Where sessions are closed and clients forgotten; the same on all replicas of a group. */
  readonly sessionCaps?: SessionCaps;
}

/** A service at work. */
export interface Run<S extends LogShape> {
  readonly protocol: Protocol<S>;
  readonly policy: ClientPolicy;
  readonly self: ReplicaId;
  readonly digest: DigestOf;
  readonly stateMachine: () => StateMachine;
  readonly inner: Machine<S>;
  readonly config: ClientConfig;
  readonly stepBytes: number;
  readonly maxSnapshotBytes: number;
  readonly sessionCaps: SessionCaps;
  /** The chunks of parts that were encoded before. */
  readonly encoded: WeakMap<
    StatePart,
    { readonly names: readonly Digest[]; readonly size: number }
  >;
  rows: Rows;
  application: StateMachine;
  state: ServiceState;
}

/** A snapshot that is being taken. */
export interface Taking {
  readonly slot: Slot;
  /** As of `slot`: see `Colophon`. */
  readonly state: number;
  readonly configuration: Uint8Array;
  /** The application's state as of `slot`, and from `sessionsFrom` on the sessions. */
  readonly parts: readonly StatePart[];
  readonly sessionsFrom: number;
  /** The part that is next. */
  at: number;
  /** How many chunks hold sessions. */
  sessions: number;
  /** The chunks that are written, which are held, and their bytes. */
  size: number;
  readonly names: Digest[];
  /** All chunks are written, and the record is not. */
  whole: Kept | undefined;
}

/** A snapshot that is being installed. Its chunks are held. */
export interface Installing {
  readonly manifest: SnapshotManifest;
  readonly root: Digest;
  readonly application: StateMachine;
  readonly restorer: StateRestorer;
  /** The chunks with sessions, so far. */
  readonly sessions: Uint8Array[];
  /** The chunk that is next. */
  at: number;
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
export interface UnplacedRequest {
  readonly name: Name;
  /** What it asks for; its operations are not kept. */
  readonly digest: Digest;
  readonly hash: number;
}

/** Which snapshot a member asked for last, and when. */
export interface Served {
  readonly root: Digest;
  readonly at: Instant;
}

/** See {@link Run}. */
export interface ServiceState {
  /** The slot to be applied next. */
  next: Slot;
  /** Where the order is each replica's own: the last slot before which all have run the same. */
  meeting: Slot;
  /** Rolling hash of everything that ran. */
  hash: number;
  /** Decided, but a slot below is not. */
  readonly buffered: Map<Slot, Decision<LogShape>>;
  sessions: Sessions;
  /** See `Content.configuration`. */
  configuration: Uint8Array;
  /** The snapshots on the disk, newest first: what can be given to others. */
  kept: Kept[];
  /** At most one a member: what it asked for last. */
  readonly served: Map<PrincipalId, Served>;
  /** The chunks on the disk. */
  readonly shelf: Shelf;
  /** Oldest first. */
  readonly takings: Taking[];
  installing: Installing | undefined;
  /** Waits for the end of `installing`. Its chunks are held. */
  ready: SnapshotManifest | undefined;
  /** Chunks that `transfer` counts on, held for it. */
  readonly fetched: Set<Digest>;
  /** Whether the timer of the work on snapshots is set. */
  working: boolean;
  /** Bytes of all requests applied since a snapshot was last captured or installed. */
  sinceSnapshot: number;
  /** The last snapshot was given up: there is more state than one may have. */
  tooLarge: boolean;
  transfer: Transfer | undefined;
  /** Requests given to a protocol whose log has an end: to be refused if it comes first. */
  unplaced: UnplacedRequest[];
  readonly reads: Map<number, PendingRead>;
  /** Bytes of all operations in `reads`. */
  readBytes: number;
  nextRead: number;
  client: ClientState;
}

/** What one step of a service asks for, beside what its protocol asks for. */
export interface StepOutputs<S extends LogShape> {
  /** Outputs of the protocol in this step, in order. */
  readonly outputs: Output<S>[];
  readonly writes: Write<Serviced<LogShape>>[];
  readonly sends: ServiceSend[];
  readonly timers: ServiceTimerChange[];
  readonly applied: Applied[];
  readonly answers: Answer[];
  /** How many bytes of snapshots this step may still encode or restore. */
  work: number;
  /** The protocol's status, once asked for. */
  status: Status | undefined;
}

/** A {@link ServiceState} and its application as plain data. */
export type StoredService = Omit<ServiceState, 'sessions' | 'takings' | 'installing'> & {
  readonly sessions: StoredSessions;
  readonly application: Uint8Array;
  readonly takings: readonly StoredTaking[];
  readonly installing: SnapshotManifest | undefined;
};

type StoredTaking = Omit<Taking, 'parts'> & { readonly parts: readonly (readonly Uint8Array[])[] };

/** An independent copy for a machine's snapshot. */
export const storeService = (state: ServiceState, application: StateMachine): StoredService => ({
  ...state,
  ...copyParts(state),
  takings: state.takings.map((taking) => ({
    ...taking,
    names: [...taking.names],
    parts: taking.parts.map((part) => part.encode()),
  })),
  installing: state.installing?.manifest,
  sessions: storeSessions(state.sessions),
  application: application.snapshot(),
});

/** The opposite of {@link storeService}, but for the application. */
export const loadService = (
  { application: _, ...stored }: StoredService,
  install: (manifest: SnapshotManifest) => Installing,
): ServiceState => ({
  ...stored,
  ...copyParts(stored),
  takings: stored.takings.map((taking) => ({
    ...taking,
    names: [...taking.names],
    parts: taking.parts.map((pieces) => ({ encode: () => pieces })),
  })),
  installing: stored.installing && install(stored.installing),
  sessions: loadSessions(stored.sessions),
});

type Copied = Pick<
  ServiceState,
  | 'buffered'
  | 'kept'
  | 'served'
  | 'shelf'
  | 'fetched'
  | 'transfer'
  | 'unplaced'
  | 'reads'
  | 'client'
>;

const copyParts = (state: Copied): Copied => ({
  buffered: new Map(state.buffered),
  kept: [...state.kept],
  served: new Map(state.served),
  shelf: copyShelf(state.shelf),
  fetched: new Set(state.fetched),
  transfer: state.transfer && copyTransfer(state.transfer),
  unplaced: [...state.unplaced],
  reads: new Map([...state.reads].map(([id, read]) => [id, { ...read }])),
  client: copyClient(state.client),
});

/** What a step is about, and where its consequences are written down. */
export interface Step<S extends LogShape> {
  readonly run: Run<S>;
  readonly input: Pick<Input<S>, 'now' | 'clock'>;
  readonly out: StepOutputs<S>;
}
