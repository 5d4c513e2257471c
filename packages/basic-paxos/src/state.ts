/** What a replica remembers, on disk and off it. */
import {
  type Ballot,
  boolean,
  type Context as ContextOf,
  type Instant,
  integer,
  nullable,
  type ReplicaId,
  type Replica as ReplicaOf,
  type Shape,
  type StoredFields,
} from '@quorumlab/core';
import type { Group } from './group.ts';
import type { Message, Schemas, Value, Vote } from './messages.ts';
import type { Line } from './paper.ts';

/** What survives a crash. Each field belongs to one of the paper's three roles. */
export interface Stable {
  /** Acceptor: the highest prepare request it has answered (§2.2). 0: none. */
  readonly promised: Ballot;
  /** Acceptor: the highest-numbered proposal it has accepted (§2.2). */
  readonly accepted: Vote | null;
  /** Proposer: the highest number it has ever used (§2.5). 0: none. */
  readonly ballot: Ballot;
  /** Learner: the chosen value, once known. */
  readonly decided: Value | null;
  /** It lost its disk and with it its promises: from then on it only learns. */
  readonly rejoined: boolean;
}

/** What a crash takes. At most one entry per member in each map, and `maxReads` reads. */
export interface Volatile {
  /** What its proposer is about; `waiting`: refused, the next attempt begins with the timer. */
  phase: 'idle' | 'preparing' | 'accepting' | 'waiting';
  /** What a client of this replica wants to have chosen. */
  wish: Value | null;
  /** Proposer: who promised the current ballot, and what each had accepted. */
  readonly promises: Map<ReplicaId, Vote | null>;
  /** Proposer: attempts in a row that came to nothing. */
  failures: number;
  /** Proposer: the highest number that refused one of its own. */
  heard: Ballot;
  /** Reads that were asked for before the current ballot began, and since. */
  reading: number[];
  readsWaiting: number[];
  /** Learner: the highest-numbered vote of each acceptor. */
  readonly votes: Map<ReplicaId, Vote>;
  /** Learner: how often it has asked in vain. */
  asked: number;
  /** When each member was last told what is known here. */
  readonly toldAt: Map<ReplicaId, Instant>;
}

/** The types that Basic Paxos is made of. */
export interface BasicPaxos extends Shape {
  readonly Stable: Stable;
  readonly Volatile: Volatile;
  readonly Message: Message;
  readonly Timer: 'retry' | 'ask';
  readonly Command: Value;
  readonly Group: Group;
}

/** A replica as its handlers see it: proposer, acceptor and learner in one. */
export type Replica = ReplicaOf<BasicPaxos>;

/** What its handlers speak through. */
export type Context = ContextOf<BasicPaxos, Line>;

/** Most reads that wait at one replica; further ones are ignored and their clients ask again. */
export const maxReads = 65_536;

/** How each part of the stable state is written to disk. */
export const stored = ({ vote, value }: Schemas): StoredFields<BasicPaxos> => ({
  promised: integer(),
  accepted: nullable(vote),
  ballot: integer(),
  decided: nullable(value),
  rejoined: boolean,
});

/** A replica that has never run. */
export const firstStable = (): Stable => ({
  promised: 0,
  accepted: null,
  ballot: 0,
  decided: null,
  rejoined: false,
});

/** A replica that has just started: it proposes nothing and has heard of nothing. */
export const firstVolatile = (): Volatile => ({
  phase: 'idle',
  wish: null,
  promises: new Map(),
  failures: 0,
  heard: 0,
  reading: [],
  readsWaiting: [],
  votes: new Map(),
  asked: 0,
  toldAt: new Map(),
});
