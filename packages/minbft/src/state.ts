/** What a replica remembers, on disk and off it. */
import {
  type Batch,
  type Context as ContextOf,
  type Digest,
  digest,
  emptyMempool,
  type Instant,
  type Mempool,
  type ReplicaId,
  type Replica as ReplicaOf,
  type Request,
  type Signed,
  type StoredFields,
  type WaitingRequest,
} from '@quorumlab/core';
import type { Group } from './group.ts';
import type { Anchor, Checkpoint, Message, Numbered, Order, Prepare, Schemas } from './messages.ts';
import type { Line } from './paper.ts';

/** A batch that this replica has taken part in ordering. */
export interface Stored {
  readonly digest: Digest;
  readonly batch: Batch;
}

/** What survives a crash. All of it is written before the message that it backs is sent. */
export interface Stable {
  /** The last number that this replica has asked its trusted counter for. */
  readonly number: number;
  /** The view that it is in, or that it waits for. */
  readonly view: number;
  /** By number, its own statements since its anchor: they are signed again when they are lost. */
  readonly said: ReadonlyMap<number, Numbered>;
  /**
   * In the order in which they were taken, statements of all members: whoever names a statement has
   * it on its disk, because its sender may be gone.
   */
  readonly log: ReadonlyMap<number, Signed<Numbered>>;
  /** By sequence, above the stable checkpoint: what it has proposed or committed to last. */
  readonly batches: ReadonlyMap<number, Stored>;
  /** Checkpoints of a quorum for one state. */
  readonly stable: readonly Signed<Checkpoint>[];
  /** Where each member is heard from after a restart. */
  readonly anchors: readonly Anchor[];
  /** By sequence, digests of its own states that it has not said. */
  readonly states: ReadonlyMap<number, Digest>;
  /** The last sequence in the application's own snapshot on disk. */
  readonly snapshot: number;
}

/** A vote for an order: the primary's prepare, or a commit. */
export interface Vote {
  readonly number: number;
  readonly view: number;
  readonly digest: Digest;
}

/** A view-change, as new views name it. */
export interface Change {
  readonly view: number;
  readonly low: number;
}

/** A place from which a member may be heard. */
export interface Vouched {
  readonly anchor: Anchor;
  readonly by: Set<ReplicaId>;
}

/** A member, as far as it was heard: all of its numbers, in their order, without a gap. */
export interface Heard {
  /** The last number that was taken. */
  number: number;
  /**
   * What it has said above its anchor, and before that what not all have heard, to be handed on. At
   * most {@link mostStatements} of each.
   */
  readonly statements: Map<number, Signed<Numbered>>;
  /** The numbers of those that are in the log. */
  readonly logged: Set<number>;
  /** What came before its turn. At most {@link mostEarly}. */
  readonly early: Map<number, Signed<Numbered>>;
  /** The view of its last view-change. */
  view: number;
  /** Whether it has begun that view as its primary. */
  begun: boolean;
  /** What it has to order again in that view, by sequence. */
  orders: ReadonlyMap<number, Digest>;
  /** The last checkpoint that it has said. */
  checkpoint: number;
  /** By sequence above the stable checkpoint, its votes, the latest view last. */
  readonly votes: Map<number, Vote[]>;
  /** Its prepares, by `view/sequence`. */
  readonly prepares: Map<string, Signed<Prepare>>;
  /** Its checkpoints from the stable one on, by sequence. */
  readonly checkpoints: Map<number, Signed<Checkpoint>>;
  /** How it stood when it said them. */
  readonly marks: Map<number, Anchor>;
  /** Its view-changes by number, with the stable checkpoint that they name: the latest ones. */
  readonly changes: Map<number, Change>;
  /** From where it is heard after this replica's next start. */
  anchor: Anchor;
  /** By digest, places from which it is to be heard, and who says so. At most sixteen. */
  readonly vouched: Map<string, Vouched>;
  /** The latest view that it has asked for. */
  asked: number;
  /** Up to which numbers it has heard each member, as it said last. */
  reported: readonly number[];
}

/** When a member was answered last, and how much it had heard of all. */
export interface Answered {
  readonly at: Instant;
  readonly heard: number;
}

/** A client's request that has not been executed. */
export interface Waiting extends WaitingRequest {
  /** The view in which this primary has put it into a batch, or -1. */
  ordered: number;
}

/** What a crash may take. Each collection names its bound. */
export interface Volatile extends Mempool<Waiting> {
  readonly self: ReplicaId;
  /** All positions up to here are executed. */
  lastExecuted: number;
  /** One a member. */
  readonly heard: ReadonlyMap<ReplicaId, Heard>;
  /** Batches that came, by digest: see `normal-case.ts`. */
  readonly bodies: Map<Digest, Batch>;
  bodyBytes: number;
  /** Batches that were asked for since the last tick: at most two windows. */
  readonly asked: Set<Digest>;
  /** Since when the view, or the wait for it, counts. */
  viewSince: Instant;
  /** View changes since the last progress. */
  attempts: number;
  /** The next row of the log. */
  row: number;
  /** The sequence whose state is being fetched; 0: none. */
  fetching: number;
  /** A proven checkpoint that is not executed here yet. */
  ahead: readonly Signed<Checkpoint>[];
  /** When each member's last report was answered. */
  readonly answered: Map<ReplicaId, Answered>;
  /** What was executed when it was last asked for what is missing. */
  seen: number;
  ticking: boolean;
  told: ReplicaId;
  /** Whether it must find out what it has said: it came back without its disk. */
  restoring: boolean;
  /** Up to which of its own numbers others have heard it, while it is restoring. */
  readonly saidOf: Map<ReplicaId, number>;
  /** Up to which of its own numbers it has heard itself, and since when, while it is restoring. */
  restored: { readonly number: number; readonly since: Instant };
}

/** Names of timers. */
export type Timer = 'tick' | 'idle';

/** The types MinBFT is made of. */
export interface MinBft {
  readonly Stable: Stable;
  readonly Volatile: Volatile;
  readonly Message: Message;
  readonly Timer: Timer;
  readonly Command: Signed<Request>;
  readonly Group: Group;
}

/** A replica as its handlers see it. */
export type Replica = ReplicaOf<MinBft>;

/** What its handlers speak through. */
export type Context = ContextOf<MinBft, Line>;

/** How each part of the stable state is written to disk. */
export const stored = (of: Schemas): StoredFields<MinBft> => ({
  number: of.number,
  view: of.number,
  said: of.numbered,
  log: of.logged,
  batches: of.stored,
  stable: of.proof,
  anchors: of.anchors,
  states: digest,
  snapshot: of.number,
});

/** Most statements of one member that are kept for each position of the window. */
export const mostStatements = (window: number): number => 1024 + 8 * window;

/** Whether there is no room for more of what a member says above its anchor. */
export function isFull({ statements, anchor }: Heard, most: number): boolean {
  if (statements.size < most) return false;
  let above = 0;
  for (const n of statements.keys()) if (n > anchor.number) above += 1;
  return above >= most;
}

/** Most statements of one member that wait for lower numbers. */
export const mostEarly = 512;

/** A replica that has never run. */
export const firstStable = (): Stable => ({
  number: 0,
  view: 0,
  said: new Map(),
  log: new Map(),
  batches: new Map(),
  stable: [],
  anchors: [],
  states: new Map(),
  snapshot: 0,
});

/** Where a member begins that has said nothing. */
const noAnchor = (member: ReplicaId): Anchor => ({
  member,
  number: 0,
  sequence: 0,
  view: 0,
  changes: [],
  begun: member === 0,
  orders: [],
});

/** What is known of a member that stood at `anchor`. */
export function heardFrom(anchor: Anchor): Heard {
  return {
    number: anchor.number,
    statements: new Map(),
    logged: new Set(),
    early: new Map(),
    view: anchor.view,
    begun: anchor.begun,
    orders: ordersOf(anchor),
    checkpoint: anchor.sequence,
    votes: new Map(),
    prepares: new Map(),
    checkpoints: new Map(),
    marks: new Map(),
    changes: new Map(anchor.changes.map(({ number, view }) => [number, { view, low: 0 }])),
    anchor,
    vouched: new Map(),
    asked: 0,
    reported: [],
  };
}

/** What the primary at `anchor` has to order again. */
const ordersOf = ({ orders }: { readonly orders: readonly Order[] }): Map<number, Digest> =>
  new Map(orders.map(({ sequence, digest: what }) => [sequence, what]));

/** A replica that has just started with `stable` on its disk, in a group of `n`. */
export function firstVolatile(n: number, stable: Readonly<Stable>, self: ReplicaId): Volatile {
  const anchors = new Map(stable.anchors.map((each) => [each.member, each]));
  const heard = new Map<ReplicaId, Heard>();
  for (let id = 0; id < n; id++) heard.set(id, heardFrom(anchors.get(id) ?? noAnchor(id)));
  for (const statement of stable.log.values()) recall(heard, statement);
  return {
    self,
    lastExecuted: stable.snapshot,
    heard,
    bodies: new Map(),
    bodyBytes: 0,
    asked: new Set(),
    ...emptyMempool(),
    viewSince: 0,
    attempts: 0,
    row: Math.max(-1, ...stable.log.keys()) + 1,
    fetching: 0,
    ahead: [],
    answered: new Map(),
    seen: 0,
    ticking: false,
    told: self,
    restoring: false,
    saidOf: new Map(),
    restored: { number: 0, since: 0 },
  };
}

/** A statement that was in the log: it has its turn again, unless it lies before the anchor. */
function recall(all: ReadonlyMap<ReplicaId, Heard>, statement: Signed<Numbered>): void {
  const heard = all.get(statement.from);
  if (heard === undefined) return;
  const { statements, early, logged, number } = heard;
  logged.add(statement.number);
  (statement.number > number ? early : statements).set(statement.number, statement);
}

/** The last stable checkpoint. */
export const lowOf = ({ stable }: Pick<Stable, 'stable'>): number => stable[0]?.sequence ?? 0;

/** What is known of a member. */
export const heardOf = (replica: Replica, member: ReplicaId): Heard =>
  replica.heard.get(member) as Heard;

/** This replica, as it has heard itself. */
export const ownOf = (replica: Replica): Heard => heardOf(replica, replica.self);
