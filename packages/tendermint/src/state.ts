/** What a replica remembers, on disk and off it. */
import {
  type Batch,
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
  tally,
  type ValidatorSet,
  validatorSet,
  type WaitingRequest,
} from '@quorumlab/core';
import type { Group } from './group.ts';
import type {
  Block,
  Checkpoint,
  Commit,
  Decided,
  Decision,
  Message,
  Polka,
  Precommit,
  Prevote,
  Proposal,
  Schemas,
} from './messages.ts';
import type { Line } from './paper.ts';

/** lockedValue and lockedRound of the current height. */
export interface Lock {
  readonly round: number;
  readonly value: Digest;
}

/** What was proposed in a round. The batch is in `blocks`, unless a valid value has replaced it. */
export interface Proposed {
  readonly round: number;
  readonly value: Digest;
  readonly validRound: number | null;
}

/** What was said in a round of the current height: no restart makes a replica say otherwise. */
export interface Said {
  readonly prevote: Prevote;
  readonly precommit: Precommit | null;
}

/** What survives a crash. All of it is written before the message that it backs is sent. */
export interface Stable {
  /** By round of the current height, the last {@link maxSaid} of them. */
  readonly said: ReadonlyMap<number, Said>;
  /** The last own proposal of the current height. */
  readonly proposed: Proposed | null;
  readonly locked: Lock | null;
  /** validValue and validRound of the current height, with the proof; its batch is in `blocks`. */
  readonly valid: Polka | null;
  /**
   * By height: what was decided, down to a window below the stable checkpoint; at the current
   * height the valid value, or before there is one what this replica has proposed.
   */
  readonly blocks: ReadonlyMap<number, Block>;
  /** By height, the proofs of what was decided. */
  readonly commits: ReadonlyMap<number, Commit>;
  /** By their first heights, all sets of validators after the first one. */
  readonly sets: ReadonlyMap<number, ValidatorSet>;
  /** By height, the decisions that led to them: with these the others can be shown each set. */
  readonly changes: ReadonlyMap<number, Decided>;
  readonly stableCheckpoint: Certificate<Checkpoint> | null;
  /** By height, the digests of own checkpoints above the stable one. */
  readonly checkpoints: ReadonlyMap<number, Digest>;
  /** The last height in the application's own snapshot on disk. */
  readonly snapshot: number;
}

/** What was heard of one round of the current height. */
export interface Heard {
  proposal: Signed<Proposal> | null;
  /** id(v) of the proposal. */
  value: Digest | null;
  readonly prevotes: Tally<Signed<Prevote>>;
  /** What all its prevoters, and all its precommitters, weigh. */
  prevoted: number;
  readonly precommits: Tally<Signed<Precommit>>;
  precommitted: number;
  polka: Polka | null;
  /** The polka has become the valid value, or was too old to. */
  isUsed: boolean;
  /** A quorum has prevoted nil. */
  isNil: boolean;
  commit: Commit | null;
}

/** A client's request that has not been executed. */
export interface Waiting extends WaitingRequest {
  /** Whether the others have been told of it. */
  relayed: boolean;
}

/** What is kept if it is of the next height. */
export type Early = Proposal | Prevote | Precommit;

/** The paper's step. */
export type Step = 'propose' | 'prevote' | 'precommit';

/** When a member's last report was answered, up to which height, and what it fetched since. */
export interface Answered {
  readonly at: Instant;
  readonly upTo: number;
  readonly bodies: number;
}

/** What a crash may take. Each collection names its bound. */
export interface Volatile extends Mempool<Waiting> {
  readonly self: ReplicaId;
  /** All sets of validators that this replica knows, in their order; at most 1,024. */
  validators: readonly ValidatorSet[];
  /** h: everything below is decided here. */
  height: number;
  round: number;
  step: Step;
  /** By round of this height: {@link maxRoundsAhead} ahead, {@link maxRoundsBehind} behind. */
  readonly heard: Map<number, Heard>;
  /** At most one a member: the last round of this height that it has spoken of. */
  readonly reached: Map<ReplicaId, number>;
  /** At most 64 a member, of the next height: see `early.ts`. */
  readonly early: Map<ReplicaId, Signed<Early>[]>;
  /** Who speaks of later heights: at most one entry a member. */
  readonly above: Set<ReplicaId>;
  /** Which of the paper's timers have been started in this round. */
  readonly started: Set<Step>;
  /**
   * Values of this height that are being fetched, and their batches once they are here: at most
   * two a round that is heard of.
   */
  readonly wanted: Map<Digest, Batch | null>;
  /** What was decided at later heights: all of it is true, of a window of heights. */
  readonly later: Map<number, Signed<Decision>>;
  /** When this height, and this round, began. */
  heightSince: Instant;
  roundSince: Instant;
  /** Whether a change of the group may be among what waits. */
  changesWait: boolean;
  /** Since requests were last passed on, one has come, or the round or the step has changed. */
  mayTell: boolean;
  /** The last height at which waiting requests were told to the others beside a precommit. */
  handedOver: number;
  /** At most one a member. */
  readonly answered: Map<ReplicaId, Answered>;
  /** At most window / K + 1 a member. */
  readonly checkpointVotes: LatestVotes<Signed<Checkpoint>>;
  /** The height of the snapshot that is being fetched; 0: none. */
  fetching: number;
  /** When something was last decided here; null: not since the start. */
  decidedAt: Instant | null;
  /** f+1 replicas have a checkpoint at this height. */
  behind: number;
  /** When the last own checkpoint, or the last change of `behind`, happened. */
  checkpointSince: Instant;
  statusTimer: boolean;
  /** The member that was last told where this one stands, of its own accord. */
  told: ReplicaId;
  /** Messages dropped because they are of rounds or heights too far ahead. */
  dropped: number;
}

/** Names of timers. */
export type Timer = Step | 'status' | 'idle';

/** The types Tendermint is made of. */
export interface Tendermint {
  readonly Stable: Stable;
  readonly Volatile: Volatile;
  readonly Message: Message;
  readonly Timer: Timer;
  readonly Command: Signed<Request>;
  readonly Group: Group;
}

/** A replica as its handlers see it. */
export type Replica = ReplicaOf<Tendermint>;

/** What its handlers speak through. */
export type Context = ContextOf<Tendermint, Line>;

/** How each part of the stable state is written to disk. */
export function stored(of: Schemas): StoredFields<Tendermint> {
  const { number, stable } = of;
  return {
    said: record({ prevote: of.prevote, precommit: nullable(of.precommit) }),
    proposed: nullable(record({ round: number, value: digest, validRound: nullable(number) })),
    locked: nullable(record({ round: number, value: digest })),
    valid: nullable(of.polka),
    blocks: of.block,
    commits: of.commit,
    sets: validatorSet,
    changes: of.decided,
    stableCheckpoint: nullable(stable),
    checkpoints: digest,
    snapshot: number,
  };
}

/** Most rounds of the current height of which a replica remembers what it said. */
export const maxSaid = 64;

/** Votes and proposals of later rounds than these are dropped: they are said again. */
export const maxRoundsAhead = 8;

/** Votes and proposals of earlier rounds than these are dropped: who decided there can prove it. */
export const maxRoundsBehind = 8;

/** A replica that has never run. */
export const firstStable = (): Stable => ({
  said: new Map(),
  proposed: null,
  locked: null,
  valid: null,
  blocks: new Map(),
  commits: new Map(),
  sets: new Map(),
  changes: new Map(),
  stableCheckpoint: null,
  checkpoints: new Map(),
  snapshot: 0,
});

/** The first height that is not decided on this disk, going on from the application's snapshot. */
function heightOn({ snapshot, commits }: Pick<Stable, 'snapshot' | 'commits'>): number {
  let height = snapshot + 1;
  while (commits.has(height)) height += 1;
  return height;
}

/** A replica that has just started with `stable` on its disk. */
export function firstVolatile(
  stable: Readonly<Stable>,
  self: ReplicaId,
  first: ValidatorSet,
): Volatile {
  const round = Math.max(0, stable.proposed?.round ?? 0, ...stable.said.keys());
  return {
    self,
    validators: [first, ...ascending(stable.sets).map(frozenSet)],
    height: heightOn(stable),
    round,
    step: stepIn(stable, round),
    heard: new Map(),
    reached: new Map(),
    early: new Map(),
    above: new Set(),
    started: new Set(),
    wanted: new Map(),
    later: new Map(),
    heightSince: 0,
    roundSince: 0,
    changesWait: false,
    mayTell: false,
    handedOver: 0,
    ...emptyMempool(),
    answered: new Map(),
    checkpointVotes: new Map(),
    fetching: 0,
    decidedAt: null,
    behind: 0,
    checkpointSince: 0,
    statusTimer: false,
    told: self,
    dropped: 0,
  };
}

const ascending = (sets: ReadonlyMap<number, ValidatorSet>): ValidatorSet[] =>
  [...sets.values()].sort((one, other) => one.since - other.since);

/** How far this replica had got in `round` by what it has said. */
function stepIn({ said }: Readonly<Stable>, round: number): Step {
  const row = said.get(round);
  if (row === undefined) return 'propose';
  return row.precommit === null ? 'prevote' : 'precommit';
}

/** What was heard of `round`. Callers have checked that it may be remembered. */
export function heardOf(replica: Replica, round: number): Heard {
  let heard = replica.heard.get(round);
  if (heard === undefined) {
    heard = {
      proposal: null,
      value: null,
      prevotes: tally(),
      prevoted: 0,
      precommits: tally(),
      precommitted: 0,
      polka: null,
      isUsed: false,
      isNil: false,
      commit: null,
    };
    replica.heard.set(round, heard);
  }
  return heard;
}

/** validRound; null: there is no valid value. */
export const validRoundOf = ({ valid }: Pick<Stable, 'valid'>): number | null =>
  valid?.body.round ?? null;

/** The height of the last stable checkpoint. */
export const stableHeight = (replica: Readonly<Stable>): number =>
  replica.stableCheckpoint?.body.height ?? 0;
