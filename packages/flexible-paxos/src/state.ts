/** What a replica remembers beside what Multi-Paxos does, whose volatile state it has as it is. */
import {
  type Context as ContextOf,
  type Replica as ReplicaOf,
  type StoredFields,
  text,
} from '@quorumlab/core';
import type { MultiPaxos, MultiPaxosStable } from '@quorumlab/multi-paxos';
import type { Line } from './paper.ts';

/** What Multi-Paxos must not forget, and the quorums with which the log begins. */
export interface Stable extends MultiPaxosStable {
  /** As `quorumText` writes it; empty on a replica that has never run. */
  readonly firstQuorums: string;
}

/** The types that Flexible Paxos is made of. */
export interface FlexiblePaxos extends MultiPaxos {
  readonly Stable: Stable;
}

/** A replica as its handlers see it. */
export type Replica = ReplicaOf<FlexiblePaxos>;

/** What its handlers speak through. */
export type Context = ContextOf<FlexiblePaxos, Line>;

/** How each part of the stable state is written to disk: that of Multi-Paxos, and one more. */
export const stored = (multi: StoredFields<MultiPaxos>): StoredFields<FlexiblePaxos> => ({
  ...multi,
  firstQuorums: text(256),
});

/** A replica that has never run. */
export const firstStable = (multi: MultiPaxosStable): Stable => ({ ...multi, firstQuorums: '' });
