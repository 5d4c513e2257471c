/** What a replica remembers, on disk and off it. */
import {
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
import type { Group } from './group.ts';
import type {
  Block,
  Checkpoint,
  Message,
  Notarization,
  Proposal,
  Ref,
  Schemas,
  Vote,
} from './messages.ts';
import type { Line } from './paper.ts';

/** A block under its id. */
export interface Kept {
  readonly id: Digest;
  readonly block: Block;
}

/** An own checkpoint that is not stable yet. */
export interface Taken {
  readonly ref: Ref;
  readonly state: Digest;
}

/** What survives a crash. All of it is written before the message that it backs is sent. */
export interface Stable {
  /** The last epoch in which this replica has voted, or proposed. */
  readonly voted: number;
  /**
   * By epoch, down to the last but one stable checkpoint: the notarized block, or the one that was
   * voted for.
   */
  readonly blocks: ReadonlyMap<number, Kept>;
  /** By epoch: the votes that notarized a block. With at most f liars there is one an epoch. */
  readonly notarized: ReadonlyMap<number, Notarization>;
  readonly stableCheckpoint: Certificate<Checkpoint> | null;
  /** By height, own checkpoints above the stable one. */
  readonly checkpoints: ReadonlyMap<number, Taken>;
  /** The last block in the application's own snapshot on disk. */
  readonly snapshot: Ref;
}

/** What was heard of one epoch. */
export interface Heard {
  proposal: Signed<Proposal> | null;
  /** The id of the proposed block. */
  id: Digest | null;
  readonly votes: Tally<Signed<Vote>>;
}

/** A client's request that is not in a final block. */
export interface Waiting extends WaitingRequest {
  /** Whether the others have been told of it. */
  relayed: boolean;
}

/** When a member was last sent what it lacked, and from which height on. */
export interface Answered {
  readonly at: Instant;
  readonly final: number;
}

/** What a crash may take. Each collection names its bound. */
export interface Volatile extends Mempool<Waiting> {
  readonly self: ReplicaId;
  epoch: number;
  /** By epoch: {@link maxEpochsAhead} ahead, {@link maxEpochsBehind} behind. */
  readonly heard: Map<number, Heard>;
  /** At most one a member: the last epoch that is over for it, as it says. */
  readonly over: Map<ReplicaId, number>;
  /** The end of the longest notarized chain that this replica has seen; null: its final block. */
  tip: Notarization | null;
  /** The last epoch of which this replica has seen a notarized block. */
  lastNotarized: number;
  /** The last final block. */
  final: Ref;
  /** The last epoch with requests of which a block is here. */
  filledIn: number;
  /** The timer of this epoch runs. */
  ticking: boolean;
  /** The last epoch in which waiting requests were told to the others. */
  toldIn: number;
  /** At most one a member. */
  readonly answered: Map<ReplicaId, Answered>;
  /** At most window / K + 1 a member. */
  readonly checkpointVotes: LatestVotes<Signed<Checkpoint>>;
  /** The block whose state is being fetched. */
  fetching: Ref | null;
  /** The timer runs after which a block that is missing is asked for. */
  missing: boolean;
  /** When somebody was last asked for blocks. */
  askedAt: Instant | null;
  /** Above which height others were last asked for blocks. */
  asked: number;
  /** The member that was last told where this one stands, of its own accord. */
  told: ReplicaId;
}

/** Names of timers. */
export type Timer = 'epoch' | 'repeat' | 'idle' | 'missing';

/** The types Streamlet is made of. */
export interface Streamlet {
  readonly Stable: Stable;
  readonly Volatile: Volatile;
  readonly Message: Message;
  readonly Timer: Timer;
  readonly Command: Signed<Request>;
  readonly Group: Group;
}

/** A replica as its handlers see it. */
export type Replica = ReplicaOf<Streamlet>;

/** What its handlers speak through. */
export type Context = ContextOf<Streamlet, Line>;

/** How each part of the stable state is written to disk. */
export const stored = (of: Schemas): StoredFields<Streamlet> => ({
  voted: of.number,
  blocks: of.stored,
  notarized: of.notarization,
  stableCheckpoint: nullable(of.stable),
  checkpoints: record({ ref: of.ref, state: digest }),
  snapshot: of.ref,
});

/** Votes and proposals of later epochs than these are dropped. */
export const maxEpochsAhead = 8;

/** Votes and proposals of earlier epochs than these are dropped: their notarization counts. */
export const maxEpochsBehind = 8;

/** The block that all chains begin with: it is notarized and final, and nothing is in it. */
export const genesis: Ref = { epoch: 0, height: 0, id: '0'.repeat(64) };

/** A replica that has never run. */
export const firstStable = (): Stable => ({
  voted: 0,
  blocks: new Map(),
  notarized: new Map(),
  stableCheckpoint: null,
  checkpoints: new Map(),
  snapshot: genesis,
});

/** A replica that has just started with `stable` on its disk. */
export function firstVolatile(stable: Readonly<Stable>, self: ReplicaId): Volatile {
  let tip: Notarization | null = null;
  let lastNotarized = 0;
  for (const each of stable.notarized.values()) {
    if (isLonger(each, tip)) tip = each;
    lastNotarized = Math.max(lastNotarized, each.body.epoch);
  }
  return {
    self,
    epoch: Math.max(1, stable.voted, lastNotarized + 1),
    heard: new Map(),
    over: new Map(),
    tip,
    lastNotarized,
    final: stable.snapshot,
    filledIn: 0,
    ticking: false,
    toldIn: 0,
    ...emptyMempool(),
    answered: new Map(),
    checkpointVotes: new Map(),
    fetching: null,
    missing: false,
    askedAt: null,
    asked: 0,
    told: self,
  };
}

/** Whether `one` is the end of a longer chain than `other`, or of as long a one and later. */
export function isLonger(one: Notarization, other: Notarization | null): boolean {
  if (other === null) return true;
  const { height, epoch } = other.body;
  return one.body.height > height || (one.body.height === height && one.body.epoch > epoch);
}

/** The block at the end of the longest notarized chain that this replica has seen. */
export const longestOf = ({ tip, final }: Pick<Volatile, 'tip' | 'final'>): Ref =>
  tip !== null && tip.body.height > final.height ? refOf(tip) : final;

/** The block that a certificate is about. */
export const refOf = ({ body: { epoch, height, id } }: Certificate<Ref>): Ref => ({
  epoch,
  height,
  id,
});

/** What was heard of `epoch`. Callers have checked that it may be remembered. */
export function heardOf(replica: Replica, epoch: number): Heard {
  const heard = replica.heard.get(epoch) ?? { proposal: null, id: null, votes: tally() };
  replica.heard.set(epoch, heard);
  return heard;
}

/** The height of the last stable checkpoint. */
export const stableHeight = (replica: Readonly<Stable>): number =>
  replica.stableCheckpoint?.body.height ?? 0;
