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
  record,
  type Shape,
  type Signed,
  type Slot,
  type StoredFields,
} from '@quorumlab/core';
import { each } from './dependencies.ts';
import type { Group } from './group.ts';
import {
  type Cut,
  cut,
  type InstanceId,
  type Message,
  type Row,
  type Runs,
  type Schemas,
  type Told,
  type Value,
  valueBytes,
} from './messages.ts';
import type { Line } from './paper.ts';

/** The newest durable snapshot of the application, which was taken after a checkpoint. */
export interface SnapshotPoint {
  readonly slot: Slot;
  readonly digest: Digest;
  readonly cut: Cut;
}

/** What a replica must not forget. */
export interface Stable {
  /** Of each instance: its ballots, its phase and its dependencies. */
  readonly instances: ReadonlyMap<InstanceId, Row>;
  /** Of each instance: the command that its leader proposed (initCmd). Written once. */
  readonly values: ReadonlyMap<InstanceId, Value>;
  readonly snapshot: SnapshotPoint | null;
  /** Own instances start here: after a lost disk nobody knows which of its own were used. */
  readonly ownFloor: InstanceId;
  /** The disk was lost, and not everything is settled that was open before. */
  readonly rejoining: boolean;
}

/** What may keep an instance from having been committed. */
export interface Obstacle {
  readonly instance: InstanceId;
  readonly isCommitted: boolean;
}

/** An instance that this replica drives, as its command leader or as the one that recovers it. */
export interface Driven {
  readonly ballot: Ballot;
  step: 'pre-accept' | 'accept' | 'recover' | 'validate' | 'wait';
  /** When this step began, and when it was last said. */
  since: Instant;
  saidAt: Instant;
  checkpoints: number;
  value: Value;
  dependencies: Runs;
  /** Pre-accept: who has answered with which dependencies. */
  readonly preAccepted: Map<ReplicaId, Runs>;
  /** Accept: who has accepted. */
  readonly accepted: Set<ReplicaId>;
  /** Recover and later: what each of them knew, the late ones too. */
  readonly told: Map<ReplicaId, Told>;
  /** Validate and later: the recovery quorum, and how many had pre-accepted it unchanged. */
  quorum: readonly ReplicaId[];
  unchanged: number;
  readonly validated: Map<ReplicaId, readonly Obstacle[]>;
  obstacles: readonly InstanceId[];
}

/** An instance of which this replica does not know what is committed. */
export interface Unresolved {
  since: Instant;
  /** Others were asked for it. */
  asked: boolean;
  /** The highest ballot heard of. */
  heard: Ballot;
  /** How often it was tried to recover. */
  tries: number;
}

/** Everything here is bounded by the window of instances or by a named limit. */
export interface Volatile {
  role: 'replica' | 'rejoining';
  /** The last checkpoint that was executed. */
  cut: Cut;
  /** What was executed before it and is not below `cut.below`: `cut.done`. */
  covered: Set<InstanceId>;
  /** The slot that is decided next: how many instances were executed. */
  slot: Slot;
  /** The slot after the last checkpoint, and the bytes that were executed since. */
  cutSlot: Slot;
  cutBytes: number;
  /** What was executed, of all that is not below `cut.below`. */
  readonly executed: Set<InstanceId>;
  /** Committed instances that are to be looked at. */
  ready: InstanceId[];
  /** By an instance that is not committed: which ones were found to wait for it. */
  readonly blocked: Map<InstanceId, Set<InstanceId>>;
  readonly driven: Map<InstanceId, Driven>;
  readonly unresolved: Map<InstanceId, Unresolved>;
  /** How many had pre-accepted an instance whose recovery waits elsewhere. */
  readonly waitingFor: Map<InstanceId, number>;
  /** Own instances that are not executed yet, and what they take. */
  readonly own: Map<InstanceId, Value>;
  nextOwn: InstanceId;
  /** What all values take that are not dropped. */
  liveBytes: number;
  /** Commands that wait for an instance, each once, and what they take. */
  waiting: Signed<Request>[];
  waitingBytes: number;
  /**
   * In how many places a command is: one if it waits, and one for each own instance that it is in.
   * That may be two after a restart: one came to nothing, and its commands are in another already.
   */
  readonly places: Map<string, number>;
  /** A snapshot on its way here. */
  fetching: { readonly slot: Slot; readonly digest: Digest } | null;
  /** When each member was last sent what it asked for. */
  readonly answeredAt: Map<ReplicaId, Instant>;
  /** The highest ballot heard of. */
  heard: Ballot;
  /** Rejoining only: the question that is being asked, who has answered, and what has to settle. */
  attempt: number;
  readonly recalled: Map<ReplicaId, InstanceId>;
  readonly open: Set<InstanceId>;
}

/** The types that EPaxos* is made of. */
export interface Epaxos extends Shape {
  readonly Stable: Stable;
  readonly Volatile: Volatile;
  readonly Message: Message;
  readonly Timer: 'tick' | 'grace' | 'recall';
  readonly Command: Signed<Request>;
  readonly Group: Group;
}

/** A replica as its handlers see it. */
export type Replica = ReplicaOf<Epaxos>;

/** What its handlers speak through. */
export type Context = ContextOf<Epaxos, Line>;

/** Whether `from` is another member. */
export const isPeer = (from: PrincipalId, ctx: Context): boolean =>
  from !== ctx.self && from < ctx.group.n;

/** The other members. */
export const othersOf = ({ group, self }: Context): readonly ReplicaId[] =>
  group.members.filter((each) => each !== self);

/** How each part of the stable state is written to disk. */
export const stored = ({ row, value }: Schemas): StoredFields<Epaxos> => ({
  instances: row,
  values: value,
  snapshot: nullable(record({ slot: integer(), digest, cut })),
  ownFloor: integer(),
  rejoining: boolean,
});

/** A replica that has never run. */
export const firstStable = (): Stable => ({
  instances: new Map(),
  values: new Map(),
  snapshot: null,
  ownFloor: 0,
  rejoining: false,
});

/** Before the first checkpoint. */
const firstCut: Cut = Object.freeze({
  checkpoints: 0,
  checkpoint: 0,
  below: 0,
  base: 0,
  done: Object.freeze([]),
});

/** A replica that has just started: it executes again what was committed since its snapshot. */
export function firstVolatile(
  { snapshot, values, rejoining }: Stable,
  n: number,
  self: ReplicaId,
): Volatile {
  const known = snapshot?.cut ?? firstCut;
  const slot = snapshot === null ? 0 : snapshot.slot + 1;
  const done = [...each(known.done, n)];
  return {
    role: rejoining ? 'rejoining' : 'replica',
    cut: known,
    covered: new Set(done),
    slot,
    cutSlot: slot,
    cutBytes: 0,
    executed: new Set(done),
    ready: [],
    blocked: new Map(),
    driven: new Map(),
    unresolved: new Map(),
    waitingFor: new Map(),
    own: new Map(),
    nextOwn: self,
    liveBytes: [...values.values()].reduce((sum, value) => sum + valueBytes(value), 0),
    waiting: [],
    places: new Map(),
    waitingBytes: 0,
    fetching: null,
    answeredAt: new Map(),
    heard: 0,
    attempt: 0,
    recalled: new Map(),
    open: new Set(),
  };
}
