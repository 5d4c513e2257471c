/** What a replica remembers, on disk and off it. */

import {
  type Certificate,
  type Context as ContextOf,
  type Digest,
  digest,
  emptyMempool,
  frozenSet,
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
  type ValidatorSet,
  validatorSet,
  type WaitingRequest,
} from '@quorumlab/core';
import { genesisHash, type Node, type Place, type Point, place } from './blocks.ts';
import type { Group, Voters } from './group.ts';
import {
  type Block,
  type Checkpoint,
  type EpochChange,
  type Link,
  type Message,
  Phase,
  type Proposal,
  type QuorumCertificate,
  type Schemas,
  type Timeout,
  type TimeoutCertificate,
  type Vote,
} from './messages.ts';
import type { Line } from './paper.ts';

/** What survives a crash. All of it is written before the message that it backs is sent. */
export interface Stable {
  /** The last view of this epoch in which this replica voted. */
  readonly lastVoted: number;
  /** The last view of it in which it proposed as leader. */
  readonly lastProposed: number;
  /** Its last timeout in it: it has promised not to vote up to that view. */
  readonly lastTimeout: Timeout | null;
  /** The certificate of the highest view of it; null: what proves the block that it begins on. */
  readonly high: QuorumCertificate | null;
  /** What it is locked on, by the rules that lock. */
  readonly locked: Point;
  /** The timeout certificate of the highest view of this epoch. */
  readonly timeouts: TimeoutCertificate | null;
  /** By view: blocks above the last stable checkpoint. */
  readonly blocks: ReadonlyMap<number, Row>;
  /** The last block that is part of the application's own snapshot on disk. */
  readonly snapshot: Place;
  /** By their first heights, all sets of validators after the first one. */
  readonly sets: ReadonlyMap<number, ValidatorSet>;
  /** By height, the blocks that ended epochs: with these the others can be shown each set. */
  readonly changes: ReadonlyMap<number, EpochChange>;
  readonly stableCheckpoint: Certificate<Checkpoint> | null;
  /** By height, own checkpoints above the stable one. */
  readonly checkpoints: ReadonlyMap<number, Checkpoint>;
}

/** A client's request that has not been executed. */
export interface Waiting extends WaitingRequest {
  /** Blocks that were seen to hold it, the last {@link maxHolders} of them. */
  readonly blocks: Digest[];
}

/** What a crash may take. Each collection names its bound. */
export interface Volatile extends Mempool<Waiting> {
  readonly self: ReplicaId;
  /** All sets of validators that this replica knows, in their order; at most 1,024. */
  validators: readonly ValidatorSet[];
  /** By the sets' first heights, the last blocks of the epochs before; at most 1,024. */
  readonly bases: Map<number, Place>;
  /** The last of each: who votes in this epoch, and the block that it begins on. */
  voters: Voters;
  base: Place;
  /**
   * The current view: the highest that a certificate of votes or timeouts has begun, or a phase of
   * which is certified.
   */
  view: number;
  /** At most 4 windows, and {@link maxUncommitted} more: see `sweep`. */
  readonly tree: Map<Digest, Node>;
  /** The last block of the committed chain. */
  committed: Place;
  /** By height, the committed blocks above the stable checkpoint: at most two windows. */
  readonly chain: Map<number, Digest>;
  /** Committed blocks up to this height are known to all who heard the last proposal. */
  announced: number;
  /** Whether everything is here, and executed, that the highest certificate commits. */
  complete: boolean;
  /** Something was learned that may commit blocks or connect proposals. */
  news: boolean;
  /** By view: {@link maxViewsAhead} before and after this one, each one vote a member at most. */
  readonly votes: Map<number, Tally<Signed<Vote>>>;
  /** At most one a member: that of its latest view. */
  readonly timeoutVotes: Map<ReplicaId, Signed<Timeout>>;
  /** By view, what leaders said: at most {@link maxProposals}. */
  readonly proposals: Map<number, Signed<Proposal>>;
  /** Proposals that wait for blocks or for the state: at most one a member. */
  readonly parked: Map<ReplicaId, Signed<Proposal>>;
  /** Blocks that are being fetched, since when: at most {@link maxWanted}. */
  readonly wanted: Map<Digest, Instant>;
  /** At most one a member: when its last report was answered, and what it fetched since. */
  readonly answered: Map<ReplicaId, { at: Instant; fetched: number }>;
  /** Whom this replica passes clients' requests on to. */
  relaysTo: ReplicaId;
  /** Whom the next repeated question goes to. */
  asked: number;
  /** {@link countedTime} when the leader's reign, or the attempt to end it, began. */
  reignSince: number;
  /** How many times longer timeouts are because it took so long lately: see `patience.ts`. */
  patience: number;
  /** How long no leader could have helped, without the time that goes on. */
  excused: number;
  /** Since when no leader could have helped; null: one could. See {@link noteExcuses}. */
  excusedSince: Instant | null;
  /** Who has spoken since this replica came back: at most one entry a member. */
  readonly heard: Set<ReplicaId>;
  /** The last vote on a certificate of a phase, since this replica came back. */
  confirmed: Vote | null;
  /** A leader has waited for certificates of others in this view. */
  waitedIn: number;
  /** Whether a change of the group may be among what waits. */
  changesWait: boolean;
  /** At most checkpoints of two windows a member. */
  readonly checkpointVotes: LatestVotes<Signed<Checkpoint>>;
  /** A stable checkpoint that this replica has not reached. */
  ahead: Certificate<Checkpoint> | null;
  /** The height of the snapshot that is being fetched; 0: none. */
  fetching: number;
  /** When the last own checkpoint, or the last change of `ahead`, happened. */
  checkpointSince: Instant;
  /** Messages dropped because they are of views, or about heights, too far ahead. */
  dropped: number;
  pacemakerTimer: boolean;
  statusTimer: boolean;
  /** The member that was last told where this one stands, of its own accord. */
  told: ReplicaId;
}

/** Names of timers. */
export type Timer = 'pacemaker' | 'propose' | 'status' | 'idle';

/** The types HotStuff is made of. */
export interface HotStuff {
  readonly Stable: Stable;
  readonly Volatile: Volatile;
  readonly Message: Message;
  readonly Timer: Timer;
  readonly Command: Signed<Request>;
  readonly Group: Group;
}

/** A replica as its handlers see it. */
export type Replica = ReplicaOf<HotStuff>;

/** What its handlers speak through. */
export type Context = ContextOf<HotStuff, Line>;

/** How each part of the stable state is written to disk. */
export function stored(of: Schemas): StoredFields<HotStuff> {
  const { number, block, justify, timeout, timeouts, checkpoint, stable } = of;
  return {
    lastVoted: number,
    lastProposed: number,
    lastTimeout: nullable(timeout),
    high: justify,
    locked: record({ view: number, block: digest }),
    timeouts: nullable(timeouts),
    blocks: nullable(record({ hash: digest, block, justify })),
    snapshot: record({ height: number, view: number, block: digest }),
    sets: validatorSet,
    changes: of.change,
    stableCheckpoint: nullable(stable),
    checkpoints: checkpoint,
  };
}

/** Most blocks that are remembered to hold a waiting request. */
export const maxHolders = 8;

/** Votes and proposals of later views than this are dropped. */
export const maxViewsAhead = 10;

/** Most proposals kept to recognise a second one. */
export const maxProposals = 32;

/**
 * Most blocks that are certified and not committed. Three of consecutive views commit one, so each
 * reign that fails leaves two at most, and the next one fails only after twice the time.
 */
export const maxUncommitted = 1024;

/** Most blocks that are fetched at a time. */
export const maxWanted = 64;

const genesis: Place = { height: 0, view: 0, block: genesisHash };

/** A replica that has never run. */
export const firstStable = (): Stable => ({
  lastVoted: 0,
  lastProposed: 0,
  lastTimeout: null,
  high: null,
  locked: { view: 0, block: genesisHash },
  timeouts: null,
  blocks: new Map(),
  snapshot: genesis,
  sets: new Map(),
  changes: new Map(),
  stableCheckpoint: null,
  checkpoints: new Map(),
});

/** A replica that has just started with `stable` on its disk. */
export function firstVolatile(stable: Readonly<Stable>, self: ReplicaId, group: Group): Volatile {
  const validators = [group.first, ...ascending(stable.sets).map(frozenSet)];
  const set = validators.at(-1) as ValidatorSet;
  const bases = new Map([[group.first.since, genesis]]);
  for (const { block } of stable.changes.values())
    bases.set(block.height + 1, placeOf(group, block));
  const base = bases.get(set.since) as Place; // Both are written in one step.
  const tree = new Map<Digest, Node>();
  place(tree, stable.snapshot);
  for (const row of stable.blocks.values()) if (row !== null) tree.set(row.hash, nodeOf(row));
  const tcView = stable.timeouts?.[0]?.view ?? 0;
  return {
    self,
    validators,
    bases,
    voters: group.votersOf(set, () => validators.slice(0, -1)),
    base,
    view: Math.max(viewAfter({ base }, stable.high), tcView + 1),
    tree,
    committed: stable.snapshot,
    chain: new Map(),
    announced: stable.snapshot.height,
    complete: true,
    news: false,
    ...emptyMempool(),
    votes: new Map(),
    timeoutVotes: new Map(),
    proposals: new Map(),
    parked: new Map(),
    wanted: new Map(),
    answered: new Map(),
    relaysTo: 0,
    asked: 0,
    reignSince: 0,
    patience: 1,
    excused: 0,
    excusedSince: null,
    heard: new Set([self]),
    confirmed: null,
    waitedIn: 0,
    changesWait: false,
    checkpointVotes: new Map(),
    ahead: null,
    fetching: 0,
    checkpointSince: 0,
    dropped: 0,
    pacemakerTimer: false,
    statusTimer: false,
    told: self,
  };
}

const ascending = (sets: ReadonlyMap<number, ValidatorSet>): ValidatorSet[] =>
  [...sets.values()].sort((one, other) => one.since - other.since);

/** Where `block` is. */
export const placeOf = ({ digest: digestOf, schemas }: Group, block: Block): Place => ({
  height: block.height,
  view: block.view,
  block: digestOf(schemas.content, block),
});

/** A node from a row. */
const nodeOf = ({ hash, block, justify }: NonNullable<Row>): Node => ({
  hash,
  view: block.view,
  height: block.height,
  block,
  justify,
});

/** The block that an epoch begins on. */
export type Based = Pick<Volatile, 'base'>;

/** The view of a certificate of this epoch; null: that of the block that it begins on. */
export const viewOf = ({ base }: Based, certificate: QuorumCertificate | null): number =>
  certificate?.body.view ?? base.view;

/** Whether a certificate of such votes ends their view: where it has phases, only the last does. */
export const endsView = ({ phase }: Vote): boolean => phase === undefined || phase === Phase.commit;

/** The view that whoever knows `certificate` is in at least. */
export const viewAfter = (epoch: Based, certificate: QuorumCertificate | null): number =>
  certificate === null || endsView(certificate.body)
    ? viewOf(epoch, certificate) + 1
    : certificate.body.view;

/** Whether `view` begins with this certificate: then nobody has had to give up the one before. */
export const begins = (epoch: Based, justify: QuorumCertificate | null, view: number): boolean =>
  viewOf(epoch, justify) + 1 === view && (justify === null || endsView(justify.body));

/** The view of the highest certificate. */
export const highViewOf = (replica: Pick<Stable, 'high'> & Based): number =>
  viewOf(replica, replica.high);

/** The block that the highest certificate certifies. */
export const highBlockOf = (replica: Pick<Stable, 'high'> & Based): Digest =>
  replica.high?.body.block ?? replica.base.block;

/** The height of the last stable checkpoint. */
export const stableHeight = (replica: Readonly<Stable>): number =>
  replica.stableCheckpoint?.body.height ?? 0;

/** Whether this replica has promised not to vote in `view`. */
export const hasLeft = (replica: Replica, view: number): boolean =>
  replica.lastTimeout !== null && replica.lastTimeout.view >= view;

/** A block on the disk, under the number of its view. Null: it was let go. */
export type Row = (Link & { readonly hash: Digest }) | null;
