/** What a replica remembers, on disk and off it. */
import {
  type Ballot,
  boolean,
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
  type Roster,
  range,
  record,
  type Shape,
  type Signed,
  type Slot,
  type StoredFields,
} from '@quorumlab/core';
import { type Configuration, configurations, frozen } from './configuration.ts';
import { type Group, isKnown } from './group.ts';
import type { Accept, Message, Schemas, Value, Vote } from './messages.ts';
import type { Line } from './paper.ts';

/** The newest durable snapshot of the application, and the group as it was then. */
export interface SnapshotPoint {
  readonly slot: Slot;
  readonly digest: Digest;
  readonly configurations: readonly Configuration[];
}

/** What an acceptor and learner must not forget. */
export interface Stable {
  /** Nothing below is accepted any more, in any slot: one promise for the whole log (§3). */
  readonly promised: Ballot;
  /** The highest-numbered proposal accepted, by slot. Below `firstUnchosen`: the chosen value. */
  readonly accepted: ReadonlyMap<Slot, Vote>;
  /** Everything below was known to be chosen when this was last written. */
  readonly chosenBelow: Slot;
  /** `accepted` holds every slot from here up to `chosenBelow`; what was below is in `snapshot`. */
  readonly keptFrom: Slot;
  readonly snapshot: SnapshotPoint | null;
  /** Own ballots start above: after a lost disk nobody knows which of its own were used. */
  readonly ballotFloor: Ballot;
  /** The disk was lost, and not all others have said yet what was on it. */
  readonly rejoining: boolean;
}

/** A leader's word that everything below `firstUnchosen` is chosen. */
export interface Notice {
  readonly ballot: Ballot;
  readonly firstUnchosen: Slot;
}

/** A slot that a leader has proposed at and not executed yet. */
export interface Open {
  readonly value: Value;
  /** Who has accepted it. */
  readonly accepted: ReplicaId[];
  chosen: boolean;
  /** The heartbeat after which the Accept was last sent. */
  round: number;
}

/** What one replica reports of its votes, part by part. */
export interface Report {
  readonly fromSlot: Slot;
  readonly firstUnchosen: Slot;
  readonly parts: number;
  readonly received: Set<number>;
}

/** A slot's vote that a new leader must propose again, or learn if it is chosen. */
export interface Reported extends Vote {
  readonly chosen: boolean;
}

/** What a leader knows of another member. */
export interface Contact {
  /** When it last answered in this ballot. */
  heardAt: Instant | null;
  /** The highest heartbeat round that it answered. */
  round: number;
  /** With leases: from when its grant counts, which is when what it answered was sent; or null. */
  grantedAt: Instant | null;
}

/** A member that catches up with a snapshot. */
export interface Learner {
  /** It needs every slot from here on; what was below is in a snapshot that it was offered. */
  readonly fromSlot: Slot;
  readonly at: Instant;
}

/** Reads that wait until a quorum has answered `round`. */
export interface ReadRound {
  readonly round: number;
  readonly upTo: Slot;
  readonly ids: readonly number[];
}

/** Everything here is bounded by the group's size, by α or by a named limit. */
export interface Volatile {
  role: 'follower' | 'candidate' | 'leader' | 'rejoining';
  /** Whom this replica follows; null: it knows of no leader of the ballot it promised. */
  leader: ReplicaId | null;
  /** Every slot below is known to be chosen, and executed. */
  firstUnchosen: Slot;
  /** Ascending: the one that governs `firstUnchosen`, and the one that comes, if any. */
  configurations: readonly Configuration[];
  /** The newest word of a leader on what is chosen. */
  notice: Notice;
  /** The highest ballot heard of, so that the next own one is above it. */
  heard: Ballot;
  /** When a leader was last heard. */
  lastContact: Instant | null;
  /** Accepts by slot, at most `reach`: the proof if their leader sends another in that ballot. */
  readonly accepts: Map<Slot, Signed<Accept>>;
  /** Whom this replica asked what was chosen; null: nobody. */
  teacher: ReplicaId | null;
  /** Whom it asked last, or -1: the others take turns. */
  lastTeacher: ReplicaId;
  /** When each member was last answered, by the question: see `answers.ts`. */
  readonly answeredAt: Map<string, Instant>;
  /** Up to where each member was last told what was chosen. */
  readonly taughtTo: Map<ReplicaId, Slot>;
  /** At most one a member: up to where it needs what was chosen, and when it last asked. */
  readonly learners: Map<ReplicaId, Learner>;
  /** A snapshot on its way here. */
  fetching: { readonly slot: Slot; readonly digest: Digest; readonly from: ReplicaId } | null;

  /** Candidate and leader only, as all that follows: the own ballot. 0: neither. */
  ballot: Ballot;
  /** Whom `ballot` was prepared with. */
  readonly asked: Set<ReplicaId>;
  /** Promises of `ballot`; those with all parts here count. */
  readonly promises: Map<ReplicaId, Report>;
  /** The highest-numbered votes that the promises hold, by slot. */
  readonly reported: Map<Slot, Reported>;
  /** The highest slot that a promise reported, -1 for none: up to it gaps are filled (rule 4). */
  recoverTo: Slot;
  /** Promises know everything below to be chosen; it has to be learnt before leading. */
  knownTo: Slot;
  /** The configuration that was last found to have promised; null: none yet. */
  prepared: Configuration | null;

  /** Leader only, as all that follows: the next slot to propose at. */
  nextSlot: Slot;
  /** At most α. */
  readonly open: Map<Slot, Open>;
  /** Commands that wait for a slot, which they are, and their size: at most `uncommittedBytes`. */
  waiting: Signed<Request>[];
  readonly waitingKeys: Set<string>;
  waitingBytes: number;
  round: number;
  readonly contacts: Map<ReplicaId, Contact>;
  /** With leases: when the last rounds were sent; at most 64. */
  roundsSent: { readonly round: number; readonly at: Instant }[];
  /** Reads that wait for the next round; at most `maxReads` together with those of `readRound`. */
  reads: number[];
  readRound: ReadRound | null;

  /** Rejoining only: the question that is being asked, and the answers so far. */
  attempt: number;
  readonly recalled: Map<ReplicaId, Report>;
}

/** The types that Multi-Paxos is made of. */
export interface MultiPaxos extends Shape {
  readonly Stable: Stable;
  readonly Volatile: Volatile;
  readonly Message: Message;
  readonly Timer: 'election' | 'heartbeat' | 'check-quorum' | 'catch-up' | 'recall';
  readonly Command: Signed<Request>;
  readonly Group: Group;
}

/** A replica as its handlers see it. */
export type Replica = ReplicaOf<MultiPaxos>;

/** What its handlers speak through. */
export type Context = ContextOf<MultiPaxos, Line>;

/** How each part of the stable state is written to disk. */
export const stored = ({ vote }: Schemas): StoredFields<MultiPaxos> => ({
  promised: integer(),
  accepted: vote,
  chosenBelow: integer(),
  keptFrom: integer(),
  snapshot: nullable(record({ slot: integer(), digest, configurations })),
  ballotFloor: integer(),
  rejoining: boolean,
});

/** A replica that has never run. */
export const firstStable = (): Stable => ({
  promised: 0,
  accepted: new Map(),
  chosenBelow: 0,
  keptFrom: 0,
  snapshot: null,
  ballotFloor: 0,
  rejoining: false,
});

/** A replica that has just started: it executes again what its disk knows to be chosen. */
export const firstVolatile = (
  { snapshot, promised, ballotFloor, rejoining }: Stable,
  initial: readonly Configuration[],
): Volatile => ({
  role: rejoining ? 'rejoining' : 'follower',
  leader: null,
  firstUnchosen: snapshot === null ? 0 : snapshot.slot + 1,
  configurations: snapshot?.configurations.map(frozen) ?? initial,
  notice: { ballot: 0, firstUnchosen: 0 },
  heard: Math.max(promised, ballotFloor),
  lastContact: null,
  accepts: new Map(),
  teacher: null,
  lastTeacher: -1,
  answeredAt: new Map(),
  taughtTo: new Map(),
  learners: new Map(),
  fetching: null,
  ballot: 0,
  asked: new Set(),
  promises: new Map(),
  reported: new Map(),
  recoverTo: -1,
  knownTo: 0,
  prepared: null,
  nextSlot: 0,
  open: new Map(),
  waiting: [],
  waitingKeys: new Set(),
  waitingBytes: 0,
  round: 0,
  contacts: new Map(),
  roundsSent: [],
  reads: [],
  readRound: null,
  attempt: 0,
  recalled: new Map(),
});

/** Members of every configuration that governs a slot from the first unchosen one on (rule 2). */
export function electorate({ configurations: all }: Replica): ReplicaId[] {
  const members = new Set<ReplicaId>();
  for (const configuration of all) for (const each of configuration.members) members.add(each);
  return [...members].sort((first, second) => first - second);
}

/** Whether this replica is in a configuration that governs a slot still to be chosen. */
export const isMember = (replica: Replica, self: ReplicaId): boolean =>
  replica.configurations.some(({ members }) => members.includes(self));

/** Whether replicas have come that were not made with the group. */
export const hasSeats = ({ configurations: all }: Replica): boolean =>
  all.some(({ seats = [] }) => seats.length > 0);

/** Every replica that there is, as far as this one knows: made with the group, or come later. */
export function acquaintances(known: number, { configurations: all }: Replica): ReplicaId[] {
  const later = all.at(-1)?.seats?.map(({ member }) => member) ?? [];
  return [...range(known), ...later.sort((one, two) => one - two)];
}

const rosters = new WeakMap<readonly Configuration[], Roster>();

/** Who is in the group, for hosts: whoever may still count is in it. */
export function roster(known: number, replica: Replica): Roster {
  const { configurations: all } = replica;
  let found = rosters.get(all);
  if (found !== undefined) return found;
  const voters = electorate(replica);
  const { seats = [], left = [] } = all.at(-1) ?? {};
  const learners = acquaintances(known, replica).filter(
    (id) => !voters.includes(id) && !left.includes(id),
  );
  found = Object.freeze({ voters, learners, seats, left, settled: all.length === 1 });
  rosters.set(all, found);
  return found;
}

/** Whether `from` is another member of that kind. */
export const isPeer = (from: PrincipalId, ctx: Context): boolean =>
  from !== ctx.self && isKnown(ctx.group, from);
