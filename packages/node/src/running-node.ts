/** A replica at work, as whoever started it sees it. */
import type { Behaviour } from '@quorumlab/adversary';
import type { ReplicaId, Roster, Slot, Status } from '@quorumlab/core';
import type { LogShape, ReplicatedLog, Serviced } from '@quorumlab/log';
import type { Counters } from '@quorumlab/wire';
import type { ClockBound } from './clock-bound.ts';
import { type MemberIdentity, NodeConfigError } from './cluster-identity.ts';
import type { Mesh, MeshStats } from './mesh-port.ts';
import type { PeerUse } from './peer-account.ts';
import type { RunnerCounters } from './runner-options.ts';

/** What a node knows of itself; for dashboards and tests. */
export interface NodeStatus extends Status {
  readonly self: ReplicaId;
  /** The name of its group. */
  readonly group: string;
  /** Whether its timers stand still, because nobody in its group has anything to do. */
  readonly isResting: boolean;
  /** The last slot that has run here; -1: none. */
  readonly applied: Slot;
  /** Rolling hash of everything that has run: equal logs have equal hashes. */
  readonly state: number;
  /** By how much its wall clock may be wrong, and who says so. */
  readonly clock: ClockBound;
  /** The peers of the group that are connected. */
  readonly peers: readonly number[];
  /** What each principal has taken so far and holds now; the last one stands for strangers. */
  readonly use: readonly PeerUse[];
  /** Time that this process's thread was busy since it came up, in microseconds. */
  readonly busyMicros: number;
  /** Why it stopped, if it stopped by itself. */
  readonly failure: Error | undefined;
  /** Frames that named no group of this process count as refused in each of its groups. */
  readonly counters: RunnerCounters & {
    readonly signatures: Readonly<Counters>;
    readonly mesh: MeshStats;
    /** Times a behaviour really did something. */
    readonly fired: number;
  };
}

/** A replica at work. */
export interface RunningNode<S extends LogShape, C, R, Q> {
  /** The log, through the client inside this replica. */
  readonly log: ReplicatedLog<C, R, Q>;
  status(): NodeStatus;
  /** Resolves when `count` replicas (all others unless given) are connected. */
  ready(count?: number, signal?: AbortSignal): Promise<void>;
  /** The multiaddrs it listens on. */
  addresses(): readonly string[];
  /**
   * What the `answer` of another member is now. Rejects with {@link InquiryError} after `limitMs`
   * milliseconds at the latest.
   */
  ask(id: ReplicaId, limitMs: number): Promise<Uint8Array>;
  /** Why a member is not connected, as far as this replica has tried; see {@link Mesh.faultOf}. */
  faultOf(id: ReplicaId): ReturnType<Mesh['faultOf']>;
  /**
   * Makes it misbehave, or behave again. Throws {@link NodeConfigError} unless faults are allowed.
   * Who has ever misbehaved counts as faulty until the end: its state may be anything.
   */
  setBehaviour(behaviour: Behaviour<Serviced<S>> | undefined): void;
  /** Who is in the group by this replica's log; nothing where that never changes. */
  roster(): Roster | undefined;
  /** Of whom it knows key and address: those it was told of, and those in the log. */
  known(): readonly MemberIdentity[];
  /** Resolves a moment after the group has let it go: then there is nothing left to do for it. */
  readonly left: Promise<void>;
  /** Resolves with the reason if the node stops itself. */
  readonly failed: Promise<Error>;
  /** As abrupt as a crash: what is not durable is lost. Leaves no handle; idempotent. */
  stop(): Promise<void>;
}
