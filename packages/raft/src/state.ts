/** What a replica remembers, on disk and off it: the state of Figure 2, and of §7. */
import {
  type Context as ContextOf,
  type Digest,
  digest,
  type Instant,
  integer,
  nullable,
  type ReplicaId,
  type Replica as ReplicaOf,
  type Request,
  record,
  type Shape,
  type Signed,
  type StoredFields,
} from '@quorumlab/core';
import { type Configuration, frozen, type Placed } from './configuration.ts';
import type { Group } from './group.ts';
import type { Position } from './log.ts';
import type { Entry, Index, Message, Schemas } from './messages.ts';
import type { Line } from './paper.ts';

/** The newest durable snapshot: lastIncludedIndex and lastIncludedTerm of §7. */
export interface SnapshotPoint extends Position {
  readonly digest: Digest;
}

/** An AppendEntries (or a snapshot) that its follower has not acknowledged. */
export interface InFlight {
  readonly lastIndex: Index;
  readonly round: number;
}

/** How the leader feeds one follower. */
export interface Pipeline {
  /** Not known yet whether the logs agree before nextIndex: one message at a time. */
  probing: boolean;
  /** In the order of their sending; at most `maxInFlight`. */
  readonly inFlight: InFlight[];
  /** When the follower last answered in this term. */
  heardAt: Instant | null;
  /** The highest heartbeat round it has answered. */
  ackedRound: number;
  /** With leases: from when on it helps nobody else to lead, for as long as a lease lasts. */
  grantedAt: Instant | null;
  /** The first snapshot that it was told to install and has not got behind. 0: none. */
  told: Index;
}

/** Reads that wait until a quorum has answered `round`. */
export interface ReadRound {
  readonly round: number;
  readonly readIndex: Index;
  readonly ids: readonly number[];
  /** What followers ask for: who, in which life, and by which number. */
  readonly asking: readonly Asking[];
}

/** A question of a follower for a readIndex. */
export interface Asking {
  readonly from: ReplicaId;
  readonly life: number;
  readonly question: number;
}

/** What a follower has asked its leader for the reads of its clients. */
export interface Question {
  readonly number: number;
  readonly leader: ReplicaId;
  readonly askedAt: Instant;
  readonly ids: readonly number[];
}

/** The lead is being handed over (thesis 3.10). */
export interface Transfer {
  readonly to: ReplicaId;
  readonly command: Signed<Request>;
  readonly began: Instant;
}

/** A change that waits until those who are new to the vote have the log (thesis 4.2.1). */
export interface CatchUp {
  readonly command: Signed<Request>;
  /** They are to vote, or to listen. */
  readonly servers: readonly ReplicaId[];
  /** The end of the log when this round began: they are to have it by the end of the round. */
  readonly goal: Index;
  readonly round: number;
  readonly roundBegan: Instant;
  /** The least of what they have, and since when. */
  readonly least: Index;
  readonly leastSince: Instant;
}

/** How a replica that lost its disk comes back: see `rejoin.ts`. */
export interface Rejoining {
  readonly nonce: number;
  /** The best log of the others, which its own must reach. Null: not all have answered yet. */
  readonly best: Position | null;
  /** It starts no term of its own below this one: it may have used it before. */
  readonly ownTerm: number;
}

/** Terms set aside for a member that had lost its disk, so that nobody gets them twice. */
export interface SetAside {
  /** Whose question they were set aside for. */
  readonly nonce: number;
  readonly ownTerm: number;
}

/** The names are those of the paper's Figure 2; what is not there says where it comes from. */
export interface Stable {
  readonly currentTerm: number;
  readonly votedFor: ReplicaId | null;
  readonly log: ReadonlyMap<Index, Entry>;
  /** §7. Null: none was taken yet. */
  readonly snapshot: SnapshotPoint | null;
  /** The last entry dropped from the log, which begins after it. Never above `snapshot`. */
  readonly compacted: Position;
  /** Null: this disk is the first that this replica has. */
  readonly rejoining: Rejoining | null;
  readonly setAside: SetAside;
  /** The configuration as of `snapshot`; null: the first one still holds there. */
  readonly configured: Configuration | null;
}

/** What another member said to one that lost its disk. */
export interface Heard extends Position {
  readonly currentTerm: number;
  readonly ownTerm: number;
}

/** See {@link Stable}. Everything here is bounded by the group's size or by a named limit. */
export interface Volatile {
  role: 'follower' | 'pre-candidate' | 'candidate' | 'leader';
  /** Whom this replica follows; null: it knows of no leader of its term. */
  leader: ReplicaId | null;
  commitIndex: Index;
  /** The last entry given to the application. */
  lastApplied: Index;
  /**
   * Ascending: the last one that is known to be committed, and those after it in the log. The last
   * of them is in force (thesis 4.1).
   */
  configurations: readonly Placed[];
  /** When a leader was last heard (thesis 4.2.3). */
  lastContact: Instant | null;
  /** Snapshots that leaders told it to install (§7), newest last: at most {@link mostFetched}. */
  fetching: readonly SnapshotPoint[];
  /** The number of this life: answers to an earlier one are none to this. */
  life: number;
  /** Questions for a readIndex so far, and the one that is open. */
  questions: number;
  question: Question | null;
  /** Reads of its clients that wait for the next question; with the open one at most `maxReads`. */
  unasked: number[];
  /** Who granted the vote, or the pre-vote, that is being asked for. */
  readonly votes: Set<ReplicaId>;
  /** What the others have answered to a replica that lost its disk. */
  readonly heard: Map<ReplicaId, Heard>;
  /** When each member was last told that its term is over. */
  readonly refusedAt: Map<ReplicaId, Instant>;
  /** When each member that lost its disk was last answered. */
  readonly helpedAt: Map<ReplicaId, Instant>;

  /** Leader only, as all that follows: whom it sends to. */
  followers: readonly ReplicaId[];
  catchUp: CatchUp | null;
  transfer: Transfer | null;
  /** It has told another one to run in this term, so nobody need be loyal to it: no more leases. */
  hasYielded: boolean;
  /** The last committed configuration that it has done with; -1: none in this term. */
  settled: Index;
  /** The next entry to send, per follower. */
  readonly nextIndex: Map<ReplicaId, Index>;
  /** The highest entry known to be durable, per member: the leader's own included. */
  readonly matchIndex: Map<ReplicaId, Index>;
  readonly pipelines: Map<ReplicaId, Pipeline>;
  /** The requests in its log above commitIndex; at most `maxUncommitted`. */
  readonly uncommitted: Set<string>;
  /** About how many bytes they take; a new leader's log may hold more than it would append. */
  uncommittedBytes: number;
  /** A message to itself is under way that will say what of its own log is durable. */
  writing: boolean;
  /** Heartbeat rounds of this term so far. */
  round: number;
  /** With leases: when the last of them were sent; at most 64. */
  roundsSent: { readonly round: number; readonly at: Instant }[];
  /** Reads that wait for the next round; at most `maxReads` together with those of `readRound`. */
  reads: number[];
  /** What followers ask for in the next round, at most one question each. */
  readonly asking: Map<ReplicaId, Omit<Asking, 'from'>>;
  readRound: ReadRound | null;
}

/** The types that Raft is made of. */
export interface Raft extends Shape {
  readonly Stable: Stable;
  readonly Volatile: Volatile;
  readonly Message: Message;
  readonly Timer: 'election' | 'heartbeat' | 'check-quorum' | 'rejoin' | 'catch-up' | 'transfer';
  readonly Command: Signed<Request>;
  readonly Group: Group;
}

/** A replica as its handlers see it. */
export type Replica = ReplicaOf<Raft>;

/** What its handlers speak through. */
export type Context = ContextOf<Raft, Line>;

/** Most snapshots of which a follower knows that they may be on their way here. */
export const mostFetched = 4;

const position = record({ index: integer(), term: integer() });

/** How each part of the stable state is written to disk. */
export const stored = ({ entry, configuration }: Schemas): StoredFields<Raft> => ({
  currentTerm: integer(),
  votedFor: nullable(integer()),
  log: entry,
  snapshot: nullable(record({ index: integer(), term: integer(), digest })),
  compacted: position,
  rejoining: nullable(record({ nonce: integer(), best: nullable(position), ownTerm: integer() })),
  setAside: record({ nonce: integer(), ownTerm: integer() }),
  configured: nullable(configuration),
});

/** A replica that has never run. */
export const firstStable = (): Stable => ({
  currentTerm: 0,
  votedFor: null,
  log: new Map(),
  snapshot: null,
  compacted: { index: 0, term: 0 },
  rejoining: null,
  setAside: { nonce: 0, ownTerm: 0 },
  configured: null,
});

/** A replica that has just started: a follower that trusts only its disk (§5.2). */
export const firstVolatile = (
  { snapshot, configured, log }: Stable,
  initial: Configuration,
): Volatile => ({
  role: 'follower',
  leader: null,
  commitIndex: snapshot?.index ?? 0,
  lastApplied: snapshot?.index ?? 0,
  configurations: [
    placed(snapshot?.index ?? 0, configured === null ? initial : frozen(configured)),
    ...configurationsIn(log, snapshot?.index ?? 0),
  ],
  lastContact: null,
  fetching: [],
  life: 0,
  questions: 0,
  question: null,
  unasked: [],
  votes: new Set(),
  heard: new Map(),
  refusedAt: new Map(),
  helpedAt: new Map(),
  followers: [],
  catchUp: null,
  transfer: null,
  hasYielded: false,
  settled: -1,
  nextIndex: new Map(),
  matchIndex: new Map(),
  pipelines: new Map(),
  uncommitted: new Set(),
  uncommittedBytes: 0,
  writing: false,
  round: 0,
  roundsSent: [],
  reads: [],
  asking: new Map(),
  readRound: null,
});

/** A configuration at its place. */
export const placed = (index: Index, configuration: Configuration): Placed =>
  Object.freeze({ index, configuration });

/** Those that stand in `log` above `index`. */
export const configurationsIn = (log: Stable['log'], index: Index): readonly Placed[] =>
  [...log]
    .flatMap(([at, { configuration }]) =>
      at > index && configuration !== undefined ? [placed(at, frozen(configuration))] : [],
    )
    .sort((one, two) => one.index - two.index);
