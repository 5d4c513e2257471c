import type { Ref } from './messages.ts';

/**
 * The choices of Streamlet that are easy to get wrong, gathered so that a broken variant (see
 * `@quorumlab/streamlet/mutants`) differs from the right one in exactly one of them.
 */
export interface Rules {
  /** How many of n are a quorum, of which f lie: two share an honest one. */
  quorum(n: number, f: number): number;
  /** Whether a replica may vote for a block that extends `parent`, having seen `longest`. */
  mayExtend(parent: Ref, longest: Ref): boolean;
  /** So many adjacent notarized blocks of consecutive epochs make all but the last final. */
  readonly adjacent: number;
  /** How many members whose epoch is over take a replica's own along. */
  joinsAt(f: number): number;
  /** Whether only so many epochs are listened to ahead. */
  readonly boundsEpochs: boolean;
  /** How long an epoch lasts, `behind` epochs after the last final block. */
  epochTime(first: number, behind: number): number;
}

/** The rules as they should be. */
export const rules: Rules = {
  quorum: (n, f) => Math.floor((n + f) / 2) + 1,
  mayExtend: (parent, longest) => parent.height >= longest.height,
  adjacent: 3,
  joinsAt: (f) => f + 1,
  boundsEpochs: true,
  epochTime: (first, behind) => first * (1 + Math.min(63, Math.floor(behind / 8))),
};
