/** The options of a group, and the group that is made of them once they are checked. */
import {
  OptionsError,
  type ReplicaId,
  range,
  uncommittedBytes,
  wholeOption,
} from '@quorumlab/core';
import {
  commandsLimit,
  type InstanceId,
  idsLimit,
  leastBytesPerInstance,
  type Schemas,
  schemas,
} from './messages.ts';
import type { Rules } from './rules.ts';

/** What a group is made of. Times are integer microseconds. */
export interface Options {
  /** How many replicas. */
  readonly n: number;
  /** How many may be down. As many as a majority can spare unless told. */
  readonly f?: number;
  /** How many may be down without the slow path: at most f. As many as n allows unless told. */
  readonly e?: number;
  /** Allows an n that is too small for e and f. For demonstrations. */
  readonly unsafe?: boolean;
  /** After how long without news an instance is asked for, and then recovered. 300 ms. */
  readonly recoveryTimeout?: number;
  /** How long the fast path is waited for once the slow one is open. A thirtieth of that. */
  readonly fastPathWait?: number;
  /** Instances between two checkpoints, and so between two snapshots. 1,000 unless told. */
  readonly snapshotEvery?: number;
  /** Own instances not executed yet that a replica has open; what comes meanwhile shares. 8. */
  readonly pipeline?: number;
  /** Most commands in one instance, up to 1,024, which is what it is unless told. */
  readonly maxCommandsPerInstance?: number;
  /** Most bytes of commands in one instance, at least 520 KiB. 1 MiB unless told. */
  readonly maxBytesPerInstance?: number;
  /** Most commands that wait at a replica; above it further ones are ignored. 65,536. */
  readonly maxWaiting?: number;
}

/** A configured group: what every rule of the protocol looks at and none changes. */
export interface Group {
  readonly schemas: Schemas;
  readonly n: number;
  readonly f: number;
  readonly e: number;
  readonly members: readonly ReplicaId[];
  readonly recoveryTimeout: number;
  readonly fastPathWait: number;
  readonly snapshotEvery: number;
  readonly pipeline: number;
  readonly maxCommandsPerInstance: number;
  readonly maxBytesPerInstance: number;
  readonly maxWaiting: number;
  /** How many instances a command leader may open after a checkpoint. */
  readonly window: number;
  /** What the own instances of one command leader take at most while they are not dropped. */
  readonly ownBytes: number;
  readonly rules: Rules;
}

/** Most own instances that may be told to be open at a time. */
export const mostPipeline = 64;

/** How many crashes leave a majority. */
const mostFaults = (n: number): number => Math.floor((n - 1) / 2);

/** How many crashes leave the fast path open: n ≥ 2e+f-1, e ≤ f. */
const mostFast = (n: number, f: number): number =>
  Math.max(0, Math.min(f, Math.floor((n - f + 1) / 2)));

/** Checks `options` and fills in what they leave out. Throws {@link OptionsError}. */
export function groupOf(options: Options, rules: Rules): Group {
  const n = wholeOption('n', options.n, 1, 128);
  const f = wholeOption('f', options.f ?? mostFaults(n), 0);
  const e = wholeOption('e', options.e ?? mostFast(n, f), 0);
  if (options.unsafe !== true) requireRoom(n, f, e);
  const recoveryTimeout = wholeOption('recoveryTimeout', options.recoveryTimeout ?? 300_000, 10);
  const grace = options.fastPathWait ?? Math.ceil(recoveryTimeout / 30);
  const fastPathWait = wholeOption('fastPathWait', grace, 1);
  const snapshotEvery = wholeOption('snapshotEvery', options.snapshotEvery ?? 1000, 1, 10_000);
  const commands = options.maxCommandsPerInstance ?? commandsLimit;
  const bytes = options.maxBytesPerInstance ?? 1 << 20;
  const pipeline = wholeOption('pipeline', options.pipeline ?? 8, 1, mostPipeline);
  // All that can be live at a time, of three windows, is in one set of dependencies.
  const most = Math.floor(idsLimit / (4 * n));
  return {
    schemas: schemas({
      maxBytesPerInstance: wholeOption('maxBytesPerInstance', bytes, leastBytesPerInstance),
    }),
    n,
    f,
    e,
    members: range(n),
    recoveryTimeout,
    fastPathWait,
    snapshotEvery,
    pipeline: rules.pipeline(pipeline),
    maxCommandsPerInstance: wholeOption('maxCommandsPerInstance', commands, 1, commandsLimit),
    maxBytesPerInstance: bytes,
    maxWaiting: wholeOption('maxWaiting', options.maxWaiting ?? 65_536, 1),
    window: Math.min(most, 2 * snapshotEvery + 128),
    ownBytes: Math.floor(uncommittedBytes / n),
    rules,
  };
}

function requireRoom(n: number, f: number, e: number): void {
  if (n < 2 * f + 1)
    throw new OptionsError(
      `${n} members cannot survive ${f} crashes: the ${n - f} left are no majority of ${n}, ` +
        `so use ${2 * f + 1} or more, or f = ${mostFaults(n)} or less`,
    );
  if (e > f)
    throw new OptionsError(
      `e = ${e} is more than f = ${f}: the fast path cannot survive more crashes than the slow ` +
        `one; use e = ${mostFast(n, f)} or less`,
    );
  if (n < 2 * e + f - 1)
    throw new OptionsError(
      `${n} members cannot commit on the fast path with ${e} down and survive ${f} crashes: ` +
        `that takes 2e+f-1 = ${2 * e + f - 1}; use e = ${mostFast(n, f)} or less`,
    );
}

/** Two of these have a member in common, however many are said to be faulty. */
const majorityOf = (n: number): number => Math.floor(n / 2) + 1;

/** How many answers the slow path and a recovery take. */
export const slowQuorum = ({ n, f }: Group): number => Math.max(n - f, majorityOf(n));

/** How many equal answers the fast path takes, that of the command leader included. */
export const fastQuorum = ({ n, e }: Group): number => Math.max(n - e, majorityOf(n));

/** Whose instance it is. */
export const leaderOf = ({ n }: Group, id: InstanceId): ReplicaId => id % n;
