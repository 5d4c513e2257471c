import {
  type Batch,
  type Digest,
  type DigestOf,
  ms,
  OptionsError,
  type PrincipalId,
  type ReplicaId,
  range,
  wholeOption,
} from '@quorumlab/core';
import { type Schemas, schemas } from './messages.ts';
import type { Rules } from './rules.ts';

/** What {@link minbft} can be told. All times in microseconds. Equal on all members of a group. */
export interface Options {
  /** How many replicas there are. */
  readonly n: number;
  /** How many of them may be Byzantine at once; ⌊(n-1)/2⌋ unless told. */
  readonly f?: number;
  /** The host's digest function. */
  readonly digest: DigestOf;
  /**
   * How long a request may wait before the primary is changed; doubles while that does not help.
   */
  readonly requestTimeout?: number;
  /** K: batches between two checkpoints. */
  readonly checkpointEvery?: number;
  /** Batches that may follow the last stable checkpoint; 2K unless told. */
  readonly window?: number;
  /** Most requests in one batch. */
  readonly maxBatch?: number;
  /** Most batches that the primary has ordered and that are not executed yet. */
  readonly maxOutstanding?: number;
  /** Run groups of fewer than 2f+1: to see them break. */
  readonly unsafe?: boolean;
}

/** A configured group: what every rule of the protocol looks at and none changes. */
export interface Group {
  readonly schemas: Schemas;
  readonly n: number;
  readonly f: number;
  readonly members: readonly ReplicaId[];
  /** f+1 where n = 2f+1. */
  readonly quorum: number;
  readonly requestTimeout: number;
  /** How long something may be missing before it is asked for. */
  readonly statusPeriod: number;
  readonly checkpointEvery: number;
  readonly window: number;
  readonly maxBatch: number;
  readonly maxOutstanding: number;
  readonly rules: Rules;
  readonly digest: DigestOf;
}

/** Checks `options` and fills in what they leave out. Throws {@link OptionsError}. */
export function groupOf(options: Options, rules: Rules): Group {
  const { n, checkpointEvery = 64, requestTimeout = ms(1000), digest } = options;
  const { window = 2 * checkpointEvery, maxBatch = 256, maxOutstanding = 2 } = options;
  const f = options.f ?? Math.floor((n - 1) / 2);
  const whole = { n, checkpointEvery, window, maxBatch, maxOutstanding, requestTimeout };
  for (const [name, value] of Object.entries(whole)) wholeOption(name, value, 1);
  wholeOption('f', f, 0);
  if (n < 2 * f + 1 && options.unsafe !== true)
    throw new OptionsError(
      `MinBFT needs 2f+1 replicas: ${n} cannot survive ${f} that lie, because f+1 honest ones ` +
        `would not be left. Use n = ${2 * f + 1} or more, or unsafe: true to see it break`,
    );
  if (window < checkpointEvery)
    throw new OptionsError(
      `a log of ${window} batches is full before the checkpoint at ${checkpointEvery}; ` +
        'make window at least that large',
    );
  return {
    schemas: schemas({ n, window, maxBatch }),
    n,
    f,
    members: range(n),
    quorum: rules.quorum(n, f),
    requestTimeout,
    statusPeriod: Math.max(1, Math.floor(requestTimeout / 4)),
    checkpointEvery,
    window,
    maxBatch,
    maxOutstanding,
    rules,
    digest,
  };
}

/** The primary of `view`: p = v mod n. */
export const primaryOf = ({ n }: Pick<Group, 'n'>, view: number): ReplicaId => view % n;

/** Whether `from` is one of the replicas, and not a client. */
export const isMember = (group: Pick<Group, 'n'>, from: PrincipalId): boolean => from < group.n;

/** D(m). */
export const digestOf = ({ schemas, digest }: Group, batch: Batch): Digest =>
  digest(schemas.content, batch);

/** The batch without requests: one object, so that its digest is worked out once. */
export const nothing: Batch = [];

/** The checkpoint that lies below `sequence`. */
export const boundaryOf = ({ checkpointEvery }: Group, sequence: number): number =>
  sequence - 1 - ((sequence - 1) % checkpointEvery);
