import {
  type DigestOf,
  ms,
  OptionsError,
  type PrincipalId,
  type ReplicaId,
  range,
  refusalOfQuorum,
  windowBytes as usualWindowBytes,
  wholeOption,
} from '@quorumlab/core';
import { type Schemas, schemas } from './messages.ts';
import type { Rules } from './rules.ts';

/** What {@link streamlet} can be told. All times in microseconds. Equal on all members. */
export interface Options {
  /** How many replicas there are. */
  readonly n: number;
  /** How many of them may be Byzantine at once; ⌊(n-1)/3⌋ unless told. */
  readonly f?: number;
  /** The host's digest function: blocks are named by their digests, and so leaders are chosen. */
  readonly digest: DigestOf;
  /**
   * The paper's 2Δ: how long an epoch lasts in which nothing is notarized; 100 ms unless told. It
   * grows while nothing becomes final.
   */
  readonly epochTime?: number;
  /** K: heights between two checkpoints. */
  readonly checkpointEvery?: number;
  /** Final blocks that may follow the last stable checkpoint; 2K unless told. */
  readonly window?: number;
  /**
   * Bytes of requests above the last stable checkpoint, from which on blocks are empty up to the
   * next one, in equal parts for each checkpoint of the window; core's `windowBytes` unless told.
   */
  readonly windowBytes?: number;
  /** Most requests in one block. */
  readonly maxBatch?: number;
  /**
   * How many replicas are a quorum; ⌈(n+f+1)/2⌉ unless told, which is the paper's 2n/3 where
   * n = 3f. Less, or more than n-f, only with `unsafe`.
   */
  readonly quorum?: number;
  /** Run groups of fewer than 3f+1, and quorums set by hand: to see them break. */
  readonly unsafe?: boolean;
}

/** A configured group: what every rule of the protocol looks at and none changes. */
export interface Group {
  readonly schemas: Schemas;
  readonly n: number;
  readonly f: number;
  readonly members: readonly ReplicaId[];
  readonly quorum: number;
  readonly epochTime: number;
  /** How often a replica that misses nothing says where it stands. */
  readonly idlePeriod: number;
  readonly checkpointEvery: number;
  readonly window: number;
  /** Bytes of requests between two checkpoints, from which on nothing is added to them. */
  readonly intervalBytes: number;
  readonly maxBatch: number;
  readonly rules: Rules;
  readonly digest: DigestOf;
  /** As {@link leaderOf} says; handlers ask many times about few epochs. */
  readonly leaderOf: (epoch: number) => ReplicaId;
}

/** Checks `options` and fills in what they leave out. Throws {@link OptionsError}. */
export function groupOf(options: Options, rules: Rules): Group {
  const { n, checkpointEvery = 128, epochTime = ms(100), maxBatch = 256, digest } = options;
  const { window = 2 * checkpointEvery, windowBytes = usualWindowBytes, unsafe = false } = options;
  const f = options.f ?? Math.floor((n - 1) / 3);
  const whole = { n, checkpointEvery, window, windowBytes, maxBatch, epochTime };
  for (const [name, value] of Object.entries(whole)) wholeOption(name, value, 1);
  wholeOption('f', f, 0);
  if (n < 3 * f + 1 && !unsafe)
    throw new OptionsError(
      `Streamlet needs 3f+1 replicas: ${n} cannot survive ${f} that lie, because two quorums ` +
        `would not be sure to share an honest one. Use n = ${3 * f + 1} or more, ` +
        'or unsafe: true to see it break',
    );
  const quorum = options.quorum ?? rules.quorum(n, f);
  const refusal = refusalOfQuorum(quorum, n, f, unsafe);
  if (options.quorum !== undefined && refusal !== null) throw new OptionsError(refusal);
  if (window < checkpointEvery)
    throw new OptionsError(
      `a window of ${window} heights is full before the checkpoint at ${checkpointEvery}; ` +
        'make window at least that large',
    );
  return {
    schemas: schemas({ n, maxBatch }),
    n,
    f,
    members: range(n),
    quorum,
    epochTime,
    idlePeriod: Math.max(2 * epochTime, ms(1000)),
    checkpointEvery,
    window,
    intervalBytes: Math.ceil(windowBytes / Math.ceil(window / checkpointEvery)),
    maxBatch,
    rules,
    digest,
    leaderOf: remembered((epoch) => leaderOf({ n, digest }, epoch)),
  };
}

/** Whether `from` is one of the replicas, and not a client. */
export const isMember = (group: Pick<Group, 'n'>, from: PrincipalId): boolean => from < group.n;

const { turn } = schemas({ n: 1, maxBatch: 1 });

/** The leader of an epoch: its digest, of which nobody can choose what it is, modulo n. */
export const leaderOf = ({ n, digest }: Pick<Group, 'n' | 'digest'>, epoch: number): ReplicaId =>
  Number.parseInt(digest(turn, { epoch }).slice(0, 12), 16) % n;

/** Epochs whose leaders are remembered: more than replicas of one group are apart, as a rule. */
const epochsRemembered = 64;

/** The same function, which works out what it gave for an epoch only once in a while. */
function remembered(leader: (epoch: number) => ReplicaId): (epoch: number) => ReplicaId {
  const known: { readonly epoch: number; readonly leader: ReplicaId }[] = [];
  return (epoch) => {
    const place = epoch % epochsRemembered;
    const before = known[place];
    if (before?.epoch === epoch) return before.leader;
    const made = { epoch, leader: leader(epoch) };
    known[place] = made;
    return made.leader;
  };
}
