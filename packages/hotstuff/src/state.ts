/**
 * What a replica remembers, on disk and off it, and the words that all chapters share.
 */

import {
  type Batch,
  type Certificate,
  type Context,
  type Digest,
  emptyMempool,
  type Instant,
  type Mempool,
  type PrincipalId,
  type Replica,
  type ReplicaId,
  type Request,
  type Signed,
  type WaitingRequest,
} from '@quorumlab/core';
import type { Group } from './group.ts';
import type {
  Block,
  Checkpoint,
  Message,
  Proposal,
  QuorumCertificate,
  Row,
  Timeout,
  TimeoutCertificate,
  Vote,
} from './messages.ts';
import type { Line } from './paper.ts';

/** A block by its view and its digest. */
export interface Point {
  readonly view: number;
  readonly block: Digest;
}

/** A block's place in the chain. */
export interface Place extends Point {
  readonly height: number;
}

/** A block in the tree. */
export interface Node {
  readonly hash: Digest;
  readonly view: number;
  readonly height: number;
  /** Null: only its place is known, because it is the first block or came with a snapshot. */
  readonly block: Block | null;
  /** The certificate of its parent; null: the parent is the genesis block, or unknown. */
  readonly justify: QuorumCertificate | null;
}

/** What survives a crash. All of it is written before the message that it backs is sent. */
export interface Stable {
  /** The last view in which this replica voted. */
  readonly lastVoted: number;
  /** The last view in which it proposed as leader. */
  readonly lastProposed: number;
  /** Its last timeout: it has promised not to vote up to that view. */
  readonly lastTimeout: Timeout | null;
  /** The certificate of the highest view; null: that of the genesis block. */
  readonly high: QuorumCertificate | null;
  /** What it is locked on, by the rules that lock. */
  readonly locked: Point;
  /** The timeout certificate of the highest view. */
  readonly timeouts: TimeoutCertificate | null;
  /** By view: blocks above the last stable checkpoint. */
  readonly blocks: ReadonlyMap<number, Row>;
  /** The last block that is part of the application's own snapshot on disk. */
  readonly snapshot: Place;
  readonly stableCheckpoint: Certificate<Checkpoint> | null;
  /** By height, own checkpoints above the stable one. */
  readonly checkpoints: ReadonlyMap<number, Checkpoint>;
}

/** Votes of one view: one a sender, counted as they come. */
export interface Tally {
  readonly votes: Map<ReplicaId, Signed<Vote>>;
  readonly matching: Map<string, Signed<Vote>[]>;
}

/** A client's request that has not been executed. */
export interface Waiting extends WaitingRequest {
  /** Blocks that were seen to hold it, the last {@link maxHolders} of them. */
  readonly blocks: Digest[];
}

/** What a crash may take. Each collection names its bound. */
export interface Volatile extends Mempool<Waiting> {
  readonly self: ReplicaId;
  /** The current view: one above the highest certificate of votes or timeouts. */
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
  readonly votes: Map<number, Tally>;
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
  /** How long no leader could have helped, without the time that goes on. */
  excused: number;
  /** Since when no leader could have helped; null: one could. See {@link noteExcuses}. */
  excusedSince: Instant | null;
  /** Who has spoken since this replica came back: at most one entry a member. */
  readonly heard: Set<ReplicaId>;
  /** A leader has waited for certificates of others in this view. */
  waitedIn: number;
  /** At most checkpoints of two windows a member. */
  readonly checkpointVotes: Map<ReplicaId, Signed<Checkpoint>[]>;
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
}

/** A replica as its handlers see it. */
export type HotStuffReplica = Replica<HotStuff>;
/** The pen of its handlers. */
export type Ctx = Context<HotStuff, Line>;

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

/** The digest that stands for the genesis block. */
export const genesisHash: Digest = '0'.repeat(64);
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
  stableCheckpoint: null,
  checkpoints: new Map(),
});

/** A replica that has just started with `stable` on its disk. */
export function firstVolatile(stable: Readonly<Stable>, self: ReplicaId): Volatile {
  const tree = new Map<Digest, Node>();
  place(tree, stable.snapshot);
  for (const row of stable.blocks.values()) if (row !== null) tree.set(row.hash, nodeOf(row));
  const tcView = stable.timeouts?.[0]?.view ?? 0;
  return {
    self,
    view: Math.max(highViewOf(stable), tcView) + 1,
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
    excused: 0,
    excusedSince: null,
    heard: new Set([self]),
    waitedIn: 0,
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

/** A node from a row. */
const nodeOf = ({ hash, block, justify }: NonNullable<Row>): Node => ({
  hash,
  view: block.view,
  height: block.height,
  block,
  justify,
});

/** Puts a block of which only the place is known into the tree. */
export function place(tree: Map<Digest, Node>, { height, view, block: hash }: Place): void {
  if (!tree.has(hash)) tree.set(hash, { hash, view, height, block: null, justify: null });
}

/** The view of a certificate; the genesis block's is 0. */
export const viewOf = (certificate: QuorumCertificate | null): number =>
  certificate?.body.view ?? 0;

/** The view of the highest certificate. */
export const highViewOf = (replica: Pick<Stable, 'high'>): number => viewOf(replica.high);

/** The block that the highest certificate certifies. */
export const highBlockOf = (replica: Pick<Stable, 'high'>): Digest =>
  replica.high?.body.block ?? genesisHash;

/** The height of the last stable checkpoint. */
export const stableHeight = (replica: Readonly<Stable>): number =>
  replica.stableCheckpoint?.body.height ?? 0;

/** Whether nobody may order requests behind the highest certified block: too many are unproven. */
export const isFull = (group: Group, replica: HotStuffReplica): boolean =>
  (replica.tree.get(highBlockOf(replica))?.height ?? 0) >= stableHeight(replica) + group.window;

/**
 * Time as it counts against a leader: without that in which the window was full and the block of
 * its checkpoint committed here. Before that block is, it takes a leader to commit it.
 */
export const countedTime = (replica: HotStuffReplica, now: Instant): number =>
  (replica.excusedSince ?? now) - replica.excused;

/**
 * Notices that time counts no longer, or again. Only a checkpoint is waited for: requests are
 * ordered again once it is stable. Or only a state helps that others have. Or this replica is back
 * from a crash and has not heard from a quorum since.
 */
export function noteExcuses(group: Group, replica: HotStuffReplica, ctx: Ctx): void {
  const checkpoint = stableHeight(replica) + group.checkpointEvery;
  const full = isFull(group, replica) && replica.committed.height >= checkpoint;
  const lags = replica.fetching > 0 || replica.ahead !== null;
  const excused = full || lags || replica.heard.size < group.quorum;
  if (excused === (replica.excusedSince !== null)) return;
  if (replica.excusedSince !== null) replica.excused += ctx.now - replica.excusedSince;
  replica.excusedSince = excused ? ctx.now : null;
}

/** Whether `from` is one of the replicas, and not a client. */
export const isMember = (group: Group, from: PrincipalId): boolean => from < group.n;

/** The leader of `view`: leaders take turns, each for one reign. */
export const leaderOf = (group: Group, view: number): ReplicaId =>
  Math.floor(view / group.reign) % group.n;

/** Who may still propose what comes now: this view's leader only until its proposal is here. */
export const nextLeader = (group: Group, { view, lastVoted }: HotStuffReplica): ReplicaId =>
  leaderOf(group, lastVoted < view ? view : view + 1);

/** The last view of the reign that `view` is part of: leaving one view of it is leaving all. */
export const endOfReign = (group: Group, view: number): number =>
  (Math.floor(view / group.reign) + 1) * group.reign - 1;

/** Whether this replica has promised not to vote in `view`. */
export const hasLeft = (replica: HotStuffReplica, view: number): boolean =>
  replica.lastTimeout !== null && replica.lastTimeout.view >= view;

/** D(b): the name of a block. */
export const hashOf = (group: Group, block: Block, ctx: Ctx): Digest =>
  ctx.digest(group.content, block);

/** The empty batch. */
export const nothing: Batch = Object.freeze([]);

/** A certificate over `body` from votes for it. */
export const certify = <M>(body: M, votes: readonly Signed<M>[]): Certificate<M> => ({
  body,
  seals: votes
    .map(({ from, signature }) => ({ from, signature }))
    .sort((one, other) => one.from - other.from),
});

/**
 * How many times longer everything may take. It doubles where so many reigns have ended without a
 * commit that honest leaders who follow each other must have been among them. It follows from views
 * alone, so replicas that agree on these agree on it, after a restart too.
 */
export function longer(group: Group, { view, committed }: HotStuffReplica): number {
  const inARow = group.reign === 1 ? group.rules.leadersInARow : 1;
  // A state that came may be of a later view than this replica has heard of.
  const since = Math.min(view, committed.view);
  const reigns = Math.floor(view / group.reign) - Math.floor(since / group.reign);
  // At most f leaders fail by themselves, and each spoils only a row that it is in.
  return 2 ** Math.min(Math.floor(reigns / (inARow * group.weak)), 16);
}

/** How long a request may wait under this leader: grows while that does not help. */
export const timeoutOf = (group: Group, replica: HotStuffReplica): number =>
  group.requestTimeout * longer(group, replica);

/** Arms the timer that asks the others for what is missing. */
export function watch(group: Group, replica: HotStuffReplica, ctx: Ctx): void {
  if (replica.statusTimer) return;
  replica.statusTimer = true;
  ctx.setTimer('status', group.statusPeriod);
}
