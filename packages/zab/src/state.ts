/** What a replica remembers, on disk and off it: the variables of the paper's Table 1, and ours. */
import {
  type Context as ContextOf,
  type Digest,
  digest,
  type Instant,
  integer,
  nullable,
  type PrincipalId,
  type ReplicaId,
  type Replica as ReplicaOf,
  type Request,
  record,
  type Shape,
  type Signed,
  type StoredFields,
} from '@quorumlab/core';
import type { Group } from './group.ts';
import type { Credentials } from './history.ts';
import type {
  Message,
  Notification,
  Ordered,
  Schemas,
  Stage,
  Transaction,
  Zxid,
} from './messages.ts';
import type { Line } from './paper.ts';

/** The newest durable snapshot: the state after the transaction `zxid`. */
export interface SnapshotPoint {
  readonly zxid: Zxid;
  readonly digest: Digest;
}

/** A nomination in an election, with the credentials of whom it nominates. */
export interface Vote extends Credentials {
  readonly leader: ReplicaId;
}

/** How a replica that lost its disk comes back: see `rejoin.ts`. */
export interface Rejoining {
  readonly nonce: number;
  /** The best history of the others, which its own must reach. Null: not all have answered yet. */
  readonly best: Credentials | null;
}

/** What another member said to one that lost its disk. */
export interface Heard extends Credentials {
  readonly acceptedEpoch: number;
  readonly acceptedFrom: ReplicaId | null;
}

/** A message in order that its follower has not acknowledged. */
export interface InFlight {
  /** The counter of its last transaction. */
  readonly last: number;
  readonly beat: number;
  /** It is NEWLEADER: to have the transactions is not enough to have acknowledged it. */
  readonly isNewLeader: boolean;
}

/** What a leader knows of one follower: its end of their channel. */
export interface Learner {
  stage: Stage;
  /** The counter of the next transaction to send. */
  next: number;
  /** What the follower has to cut off first: everything behind this one. Null: nothing. */
  cut: Zxid | null;
  /** Where its history is known to end. */
  held: number;
  /** Something was lost: one message at a time until it answers. */
  probing: boolean;
  /** In the order of their sending; at most `maxInFlight`. */
  readonly inFlight: InFlight[];
  /** When it last answered in this reign. */
  heardAt: Instant;
  /** The highest beat that it has repeated. */
  answeredBeat: number;
  /** The first snapshot that it was told to install and has not got behind. 0: none. */
  toldSnapshot: number;
}

/** What a replica asks its leader for its readers, by life and number: see `read.ts`. */
export interface Asked {
  readonly life: number;
  readonly question: number;
}

/** Reads that wait until the no-op at `counter` is committed: the leader's own, and others'. */
export interface SyncedReads {
  readonly counter: number;
  readonly ids: readonly number[];
  readonly asking: ReadonlyMap<ReplicaId, Asked>;
}

/** What a follower has asked its leader, and the reads that wait for the answer. */
export interface Question {
  readonly number: number;
  readonly askedAt: Instant;
  readonly ids: readonly number[];
}

/** The paper's f.p, f.a and h_f, and what is left of the history where it begins. */
export interface Stable {
  /** f.p: the last epoch that was promised (NEWEPOCH). */
  readonly acceptedEpoch: number;
  /** Who had proposed it; null: unknown, since a disk was lost. */
  readonly acceptedFrom: ReplicaId | null;
  /** f.a: the last epoch whose history is this replica's (NEWLEADER). */
  readonly currentEpoch: number;
  /** h_f, by counter. */
  readonly history: ReadonlyMap<number, Transaction>;
  /** Null: none was taken yet. */
  readonly snapshot: SnapshotPoint | null;
  /** The last transaction dropped from the history, which begins after it. */
  readonly compacted: Zxid;
  /** Null: this disk is the first that this replica has. */
  readonly rejoining: Rejoining | null;
}

/** See {@link Stable}. Everything here is bounded by the group's size or by a named limit. */
export interface Volatile {
  /** It learns and serves reads, and neither votes nor acknowledges. */
  readonly observes: boolean;
  /** The number of this life: answers to an earlier one are none to this. */
  life: number;
  role: 'looking' | 'following' | 'leading';
  phase: 'election' | 'discovery' | 'synchronization' | 'broadcast';
  /** The epoch that it leads or in which it follows; 0: not known yet. */
  epoch: number;
  /** Whom it follows, or itself. */
  leader: ReplicaId | null;
  /** The last transaction that is known to be committed, also if it is not here yet. */
  committed: number;
  /** The last transaction given to the application. */
  delivered: number;

  /** The round of election, counted by each replica since it started. */
  round: number;
  vote: Vote;
  /** The nominations of this round by those that look too. */
  readonly votes: Map<ReplicaId, Vote>;
  /** What those say that have a leader. */
  readonly settled: Map<ReplicaId, Notification>;
  /** When each member was last told about its round, or whom to follow. */
  readonly toldAt: Map<ReplicaId, Instant>;
  /** When each member that lost its disk was last answered. */
  readonly helpedAt: Map<ReplicaId, Instant>;
  /** What the others have answered to a replica that lost its disk. */
  readonly heard: Map<ReplicaId, Heard>;

  /** Follower only: when the leader was last heard. */
  lastContact: Instant;
  /** The last beat of the leader. */
  beat: number;
  /** What came too early, by the counter that it follows: at most `maxInFlight`. */
  readonly early: Map<number, Signed<Ordered>>;
  /** Snapshots that the leader told it to install, newest last: at most {@link mostFetched}. */
  fetching: readonly SnapshotPoint[];

  /** Reads that go along with the next question; at most `maxReads` with those of this one. */
  unasked: number[];
  question: Question | null;
  questions: number;

  /** Leader only, as all that follows: CEPOCH by member, itself included. */
  readonly epochs: Map<ReplicaId, number>;
  /** ACK-E by member. */
  readonly promises: Map<ReplicaId, Credentials>;
  /** ACK-LD: whose current epoch is this one. */
  readonly synced: Set<ReplicaId>;
  /** ACK: up to where the history of the epoch is durable, by member. */
  readonly acked: Map<ReplicaId, number>;
  readonly learners: Map<ReplicaId, Learner>;
  /** The requests in its history that are not committed; at most `maxUncommitted`. */
  readonly uncommitted: Set<string>;
  /** About how many bytes they take. */
  uncommittedBytes: number;
  /** A message to itself is under way that will say what of its own history is durable. */
  writing: boolean;
  /** Reads that wait for the next no-op; at most `maxReads` together with those of `syncing`. */
  reads: number[];
  /** What others ask for their readers; the latest question of each goes with the next no-op. */
  asking: Map<ReplicaId, Asked>;
  syncing: SyncedReads | null;
}

/** The types that Zab is made of. */
export interface Zab extends Shape {
  readonly Stable: Stable;
  readonly Volatile: Volatile;
  readonly Message: Message;
  readonly Timer: 'election' | 'grace' | 'join' | 'ping' | 'quorum' | 'rejoin';
  readonly Command: Signed<Request>;
  readonly Group: Group;
}

/** A replica as its handlers see it. */
export type Replica = ReplicaOf<Zab>;

/** What its handlers speak through. */
export type Context = ContextOf<Zab, Line>;

/** Whether `from` is another member of the group. Clients and strangers are not. */
export const isPeer = (from: PrincipalId, { group, self }: Context): boolean =>
  from !== self && from < group.members.length;

/** Most snapshots of which a follower knows that they may be on their way here. */
export const mostFetched = 4;

/** The place before the first transaction. */
export const zero: Zxid = { epoch: 0, counter: 0 };

/** How each part of the stable state is written to disk. */
export const stored = ({ transaction, zxid }: Schemas): StoredFields<Zab> => ({
  acceptedEpoch: integer(),
  acceptedFrom: nullable(integer()),
  currentEpoch: integer(),
  history: transaction,
  snapshot: nullable(record({ zxid, digest })),
  compacted: zxid,
  rejoining: nullable(
    record({ nonce: integer(), best: nullable(record({ currentEpoch: integer(), zxid })) }),
  ),
});

/** A replica that has never run. */
export const firstStable = (): Stable => ({
  acceptedEpoch: 0,
  acceptedFrom: null,
  currentEpoch: 0,
  history: new Map(),
  snapshot: null,
  compacted: zero,
  rejoining: null,
});

/** A replica that has just started: it looks for a leader, and trusts only its disk. */
export const firstVolatile = (
  { snapshot }: Stable,
  self: ReplicaId,
  observes: boolean,
): Volatile => ({
  observes,
  life: 0,
  role: 'looking',
  phase: 'election',
  epoch: 0,
  leader: null,
  committed: snapshot?.zxid.counter ?? 0,
  delivered: snapshot?.zxid.counter ?? 0,
  round: 0,
  vote: { leader: self, currentEpoch: 0, zxid: zero },
  votes: new Map(),
  settled: new Map(),
  toldAt: new Map(),
  helpedAt: new Map(),
  heard: new Map(),
  lastContact: 0,
  beat: 0,
  early: new Map(),
  fetching: [],
  unasked: [],
  question: null,
  questions: 0,
  epochs: new Map(),
  promises: new Map(),
  synced: new Set(),
  acked: new Map(),
  learners: new Map(),
  uncommitted: new Set(),
  uncommittedBytes: 0,
  writing: false,
  reads: [],
  asking: new Map(),
  syncing: null,
});
