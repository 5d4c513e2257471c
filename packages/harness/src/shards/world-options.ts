/** What a world of shards is made of. */
import { type Instant, type Interval, ms, type Protocol } from '@quorumlab/core';
import type { LogShape } from '@quorumlab/log';
import type { ShardRules, TransactionId } from '@quorumlab/shards';
import type { ClockModel, NetworkModel, TraceOptions } from '@quorumlab/sim';

/** The error that clocks declare unless told. */
export const usualBound: number = ms(4);

/** How fast shards and their keepers are, in microseconds: see `shard` and `keeper`. */
export interface ShardPace {
  readonly lease: number;
  readonly patience: number;
  /** Between two looks of a keeper, and between two tries of a client. */
  readonly every: number;
  /** Between two looks of one that has nothing to do; absent: it keeps its lease, and looks. */
  readonly rest?: number;
}

/** The pace of a world that is told none. */
export const usualPace: ShardPace = { lease: ms(300), patience: ms(400), every: ms(4) };

/** What a world is made of. */
export interface WorldOptions {
  /** What replicates each group. */
  readonly protocol: Protocol<LogShape>;
  readonly seed: number;
  /** The right ones unless told. */
  readonly rules?: ShardRules;
  /** 2 unless told, and so are the keepers of a group. */
  readonly groups?: number;
  readonly keepers?: number;
  /** 3 unless told. */
  readonly clients?: number;
  /** `lan` unless told. */
  readonly network?: NetworkModel;
  /** Leases of 300 ms, a patience of 400 ms, looks each 4 ms unless told. */
  readonly pace?: ShardPace;
  /** Of each keeper and then each client, by its place. */
  readonly clock?: (place: number) => ClockModel;
  /** Virtual time in microseconds at which it ends: a minute unless told. */
  readonly until?: number;
  readonly trace?: TraceOptions;
  /** See `SimulationOptions`. */
  readonly decisions?: readonly number[];
  readonly record?: boolean;
}

/** A reading of a keeper's clock, as the simulator saw it. */
export interface KeeperReading {
  readonly group: number;
  /** Its seat. */
  readonly seat: number;
  /** True time. */
  readonly at: Instant;
  readonly clock: Interval;
  /** The commits that it gives a timestamp to. */
  readonly stamps: readonly TransactionId[];
}
