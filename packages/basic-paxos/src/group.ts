import {
  majority,
  OptionsError,
  type Phases,
  type ReplicaId,
  range,
  requireOverlap,
  wholeOption,
} from '@quorumlab/core';
import { type Schemas, schemas } from './messages.ts';
import type { Rules } from './rules.ts';

/** How a group runs Basic Paxos, the same for all members. Times are integer microseconds. */
export interface Options {
  /** How many replicas the group has. */
  readonly n: number;
  /** How many of them may crash; as many as n allows unless told. */
  readonly f?: number;
  /** Allow an n that is too small for f, or quorums that do not meet. For experiments only. */
  readonly unsafe?: boolean;
  /** Who must promise and who must accept; more than half for both unless told. */
  readonly quorums?: Phases;
  /** A first attempt is given from this to twice this; doubled after each vain one. 50 ms. */
  readonly retry?: number;
  /** The doubling of `retry` ends here. 1 s unless told. */
  readonly maxRetry?: number;
}

/** A configured group: what every rule of the protocol looks at and none changes. */
export interface Group {
  readonly schemas: Schemas;
  readonly n: number;
  readonly members: readonly ReplicaId[];
  readonly quorums: Phases;
  readonly retry: number;
  readonly maxRetry: number;
  readonly rules: Rules;
}

/**
 * Checks `options` and fills in what they leave out. Throws {@link OptionsError}, and core's
 * QuorumError if its quorums need not meet.
 */
export function groupOf(options: Options, rules: Rules): Group {
  const { n, unsafe = false } = options;
  wholeOption('n', n, 1);
  const f = wholeOption('f', options.f ?? Math.floor((n - 1) / 2), 0);
  if (n < 2 * f + 1 && !unsafe)
    throw new OptionsError(
      `${n} replicas cannot survive ${f} crashes: the ${n - f} left are no majority of ${n}, ` +
        `so use n = ${2 * f + 1} or more, or f = ${Math.floor((n - 1) / 2)} or less`,
    );
  const quorums = options.quorums ?? { phase1: majority(n), phase2: majority(n) };
  if (!unsafe) requireOverlap(quorums);
  const retry = wholeOption('retry', options.retry ?? 50_000, 1);
  const maxRetry = wholeOption('maxRetry', options.maxRetry ?? Math.max(retry, 1_000_000), retry);
  return { schemas: schemas(), n, members: range(n), quorums, retry, maxRetry, rules };
}
