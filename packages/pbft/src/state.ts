/** What a replica remembers, on disk and off it. */
import {
  type Batch,
  boolean,
  type Certificate,
  type Context as ContextOf,
  type Digest,
  digest,
  emptyMempool,
  type Instant,
  type LatestVotes,
  type Mempool,
  nullable,
  type ReplicaId,
  type Replica as ReplicaOf,
  type Request,
  record,
  type Signed,
  type StoredFields,
  type Tally,
  tally,
  type WaitingRequest,
} from '@quorumlab/core';
import type { Answered } from './answered.ts';
import { type Configuration, type Epoch, epochAfter, frozen } from './epochs.ts';
import type { Group } from './group.ts';
import type { MacNewView, MacViewChange } from './mac-messages.ts';
import { firstMacState, type MacState } from './mac-state.ts';
import type {
  Checkpoint,
  Claim,
  Commit,
  Handover,
  Message,
  NewView,
  PrePrepare,
  Prepare,
  Schemas,
  ViewChange,
} from './messages.ts';
import type { Line } from './paper.ts';

/**
 * What is logged under a number: the paper's pre-prepare. `batch` is null until it has been
 * fetched, or where {@link Prepared} has it already: see {@link batchAt}.
 */
export interface Order {
  readonly view: number;
  readonly digest: Digest;
  readonly batch: Batch | null;
}

/** A prepared batch with its proof: Prepares of a quorum less one of distinct backups. */
export interface Prepared {
  readonly proof: Certificate<Prepare>;
  readonly batch: Batch;
}

/** What this replica says of a checkpoint, and the configuration after it. */
export interface OwnCheckpoint {
  readonly digest: Digest;
  /** Null: nobody has asked for a change. */
  readonly configuration: Configuration | null;
}

/** What survives a crash. All of it is written before the message that it backs is sent. */
export interface Stable {
  readonly view: number;
  /** False from the view-change for `view` until its new-view. */
  readonly active: boolean;
  /** By sequence, of the last view in which something was accepted there. */
  readonly prePrepares: ReadonlyMap<number, Order>;
  /** By sequence, the proof of the highest view. */
  readonly prepared: ReadonlyMap<number, Prepared>;
  /** The last view-change sent: one view, one view-change, also after a restart. */
  readonly viewChange: ViewChange | MacViewChange | null;
  /** The new-view sent as primary of `view`. */
  readonly newView: NewView | MacNewView | null;
  readonly stableCheckpoint: Certificate<Checkpoint> | null;
  /** The configuration after it; null: nobody had asked for a change. */
  readonly stableConfiguration: Configuration | null;
  /** By number, how each epoch after the first one began. */
  readonly handovers: ReadonlyMap<number, Handover>;
  /** By sequence, own checkpoints above the stable one. */
  readonly checkpoints: ReadonlyMap<number, OwnCheckpoint>;
  /** The last sequence in the application's own snapshot on disk. */
  readonly snapshot: number;
  /** The configuration after it; null: nobody had asked for a change. */
  readonly snapshotConfiguration: Configuration | null;
}

/** What is known about one number in the current view. */
export interface Progress {
  readonly since: Instant;
  /** {@link countedTime} then. */
  readonly counted: number;
  prePrepare: Signed<PrePrepare> | null;
  readonly prepares: Tally<Signed<Prepare>>;
  readonly commits: Tally<Signed<Commit>>;
}

/** A batch that a quorum committed. */
export interface Decided {
  readonly since: Instant;
  readonly commit: Certificate<Commit>;
  readonly batch: Batch;
}

/** A client's request that has not been executed. */
export interface Waiting extends WaitingRequest {
  /** The view in which this primary has put it into a batch, or -1. */
  ordered: number;
}

/** A vote, or a pre-prepare: kept if it is of a view or a number not reached here yet. */
export type Early = PrePrepare | Prepare | Commit;

/** What a crash may take. Each collection names its bound. */
export interface Volatile extends Mempool<Waiting> {
  readonly self: ReplicaId;
  /** All numbers up to here have been decided, in order. */
  lastExecuted: number;
  /** The number that was executed tentatively in this view, the last one if there were several. */
  tentative: number;
  /** What the log says of the group up to `lastExecuted`. */
  configuration: Configuration;
  /** All epochs that have begun here, in their order: at most 1,024. The last one is in force. */
  epochs: readonly Epoch[];
  /** Whether a change of the group may be among what waits. */
  changesWait: boolean;
  /** Next number to be given out by a primary. */
  next: number;
  /** At most `window`. */
  readonly progress: Map<number, Progress>;
  /** At most two windows: above the stable checkpoint, and above what this replica has executed. */
  readonly committed: Map<number, Decided>;
  /** Batches below the stable checkpoint, while somebody needs them: see `archive.ts`. */
  readonly archive: Map<number, Decided>;
  archiveBytes: number;
  /** At most one a member: that of its latest view. */
  readonly viewChanges: Map<ReplicaId, Signed<ViewChange | MacViewChange>>;
  /** At most window / K + 1 a member. */
  readonly checkpointVotes: LatestVotes<Signed<Checkpoint>>;
  /** At most 64 a member of a later view, or three windows of this one: see `early.ts`. */
  readonly early: Map<ReplicaId, Signed<Early>[]>;
  /** At most 4 windows: digests of batches that are being fetched, and their numbers. */
  readonly wanted: Map<Digest, number>;
  /** Batches that were wanted and have come. */
  readonly bodies: Map<Digest, Batch>;
  /** At most one a member. */
  readonly answered: Map<ReplicaId, Answered>;
  /** Proofs of what others have prepared, by {@link claimKey}: at most 4 windows, the latest. */
  readonly proofs: Map<string, Certificate<Prepare>>;
  /** The claims whose proofs were asked for in this attempt: at most a window a member. */
  readonly asked: Set<string>;
  /** What a group with MACs needs besides; empty in others. */
  readonly mac: MacState;
  /** The valid new-view of which not everything is proven here yet. */
  unproven: Signed<NewView> | null;
  /** What made this replica enter its view. */
  enteredBy: Signed<NewView> | null;
  /** When the view, or the attempt to leave it, began. */
  viewSince: Instant;
  /** {@link countedTime} when the view began. */
  viewCounted: number;
  /** How long no primary could have helped, without the time that goes on: see `patience.ts`. */
  excused: number;
  /** Since when no primary could have helped; null: one could. */
  excusedSince: Instant | null;
  /** Who has spoken since this replica started: at most one entry a member. */
  readonly heard: Set<ReplicaId>;
  /** The highest number that was on the disk when this replica started. */
  readonly logged: number;
  /** How long batches take in this view, a mean; null: not known. See `pace.ts`. */
  pace: number | null;
  /** The same of earlier views: at most n, the last ones. */
  readonly paces: number[];
  /** View changes since the last progress. */
  attempts: number;
  /** The sequence of the snapshot that is being fetched; 0: none. */
  fetching: number;
  /** When something was last executed here; null: not since the start. */
  executedAt: Instant | null;
  /** {@link countedTime} then; 0: not since the start. */
  executedCounted: number;
  /** f+1 replicas have a checkpoint at this number. */
  behind: number;
  /** Who spoke of numbers above the high watermark: at most one entry a member. */
  readonly above: Set<ReplicaId>;
  /** When the last own checkpoint, or the last change of `behind`, happened. */
  checkpointSince: Instant;
  requestTimer: boolean;
  newViewDue: Instant | null;
  statusTimer: boolean;
  /** The member that was last told where this one stands, of its own accord. */
  told: ReplicaId;
}

/** Names of timers. */
export type Timer = 'request' | 'new-view' | 'status' | 'idle';

/** The types PBFT is made of. */
export interface Pbft {
  readonly Stable: Stable;
  readonly Volatile: Volatile;
  readonly Message: Message;
  readonly Timer: Timer;
  readonly Command: Signed<Request>;
  readonly Group: Group;
}

/** A replica as its handlers see it. */
export type Replica = ReplicaOf<Pbft>;

/** What its handlers speak through. */
export type Context = ContextOf<Pbft, Line>;

/** How each part of the stable state is written to disk. */
export function stored(of: Schemas): StoredFields<Pbft> {
  const { number, batch, stable, configuration } = of;
  return {
    view: number,
    active: boolean,
    prePrepares: record({ view: number, digest, batch: nullable(batch) }),
    prepared: record({ proof: of.prepared, batch }),
    viewChange: nullable(of.viewChange),
    newView: nullable(of.newView),
    stableCheckpoint: nullable(stable),
    stableConfiguration: configuration,
    handovers: of.handover,
    checkpoints: record({ digest, configuration }),
    snapshot: number,
    snapshotConfiguration: configuration,
  };
}

/** A replica that has never run. Numbers start at 1, so checkpoint 0 is the empty state. */
export const firstStable = (): Stable => ({
  view: 0,
  active: true,
  prePrepares: new Map(),
  prepared: new Map(),
  viewChange: null,
  newView: null,
  stableCheckpoint: null,
  stableConfiguration: null,
  handovers: new Map(),
  checkpoints: new Map(),
  snapshot: 0,
  snapshotConfiguration: null,
});

/** A replica that has just started with `stable` on its disk. */
export function firstVolatile(
  stable: Readonly<Stable>,
  self: ReplicaId,
  first: Configuration,
): Volatile {
  const low = stable.stableCheckpoint?.body.sequence ?? 0;
  const { snapshot, snapshotConfiguration } = stable;
  return {
    self,
    lastExecuted: snapshot,
    tentative: 0,
    configuration: snapshotConfiguration === null ? first : frozen(snapshotConfiguration),
    epochs: [first.epoch, ...ascending(stable.handovers).map(beginsOf)],
    changesWait: false,
    next: Math.max(low, ...stable.prePrepares.keys()) + 1,
    progress: new Map(),
    committed: new Map(),
    archive: new Map(),
    archiveBytes: 0,
    viewChanges: new Map(),
    checkpointVotes: new Map(),
    ...emptyMempool(),
    early: new Map(),
    wanted: new Map(),
    bodies: new Map(),
    proofs: new Map(),
    asked: new Set(),
    mac: firstMacState(),
    unproven: null,
    answered: new Map(),
    enteredBy: null,
    viewSince: 0,
    viewCounted: 0,
    excused: 0,
    excusedSince: 0,
    heard: new Set([self]),
    logged: Math.max(0, ...stable.prePrepares.keys()),
    pace: null,
    paces: [],
    attempts: 0,
    fetching: 0,
    executedAt: null,
    executedCounted: 0,
    behind: 0,
    above: new Set(),
    checkpointSince: 0,
    requestTimer: false,
    newViewDue: null,
    statusTimer: false,
    told: self,
  };
}

const ascending = (handovers: ReadonlyMap<number, Handover>): Handover[] =>
  [...handovers].sort(([one], [other]) => one - other).map(([, handover]) => handover);

/** The epoch that begins where another one ends. */
export const beginsOf = ({ checkpoint, configuration }: Handover): Epoch =>
  epochAfter(frozen(configuration), checkpoint.body.sequence);

/** The epoch in force: that of the numbers between the watermarks. */
export const epochOf = ({ epochs }: Pick<Volatile, 'epochs'>): Epoch => epochs.at(-1) as Epoch;

/**
 * Whether a message of `view` may be acted on: "it is in view v", and has not asked to leave it.
 */
export const inView = (replica: Replica, view: number): boolean =>
  replica.active && replica.view === view;

/** Whether a message is of the view that this replica is in, and of the epoch in force. */
export const isCurrent = (
  replica: Replica,
  { epoch, view }: { readonly epoch: number; readonly view: number },
): boolean => epoch === epochOf(replica).number && inView(replica, view);

/**
 * prepared(m, v, n, i): the replica has logged the request, a pre-prepare for it and Prepares from
 * a quorum less the primary, whose pre-prepare is its vote: 2f of them when n = 3f+1.
 */
export function prepared(replica: Replica, sequence: number): boolean {
  return replica.prepared.get(sequence)?.proof.body.view === replica.view;
}

/** What is known about `sequence` in this view. Callers have checked the watermarks. */
export function progressAt(replica: Replica, sequence: number, ctx: Context): Progress {
  let progress = replica.progress.get(sequence);
  if (progress === undefined) {
    progress = {
      since: ctx.now,
      counted: countedTime(replica, ctx.now),
      prePrepare: null,
      prepares: tally(),
      commits: tally(),
    };
    replica.progress.set(sequence, progress);
  }
  return progress;
}

/** What a proof of `claim` is known by. */
export const claimKey = ({ view, sequence, digest }: Claim): string =>
  `${sequence}/${view}/${digest}`;

/** Time as it counts against a primary: without that in which none could have helped. */
export const countedTime = (replica: Replica, now: Instant): number =>
  (replica.excusedSince ?? now) - replica.excused;
