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
import { lowest, rotationOf } from './rotation.ts';
import type { Rules } from './rules.ts';

/** Most that all members together may weigh: proposers repeat after so many turns. */
const maxWeight = 100_000;

/** What {@link tendermint} can be told. All times in microseconds. Equal on all members. */
export interface Options {
  /** How many replicas there are. */
  readonly n: number;
  /**
   * How many of them may be Byzantine at once; unless told as many as weigh less than a third
   * together, whichever they are: ⌊(n-1)/3⌋ where all weigh the same.
   */
  readonly f?: number;
  /** The host's digest function: values are named by their digests. */
  readonly digest: DigestOf;
  /** What each member weighs, in the order of members, separated by commas: 1 each unless told. */
  readonly weights?: string;
  /**
   * timeoutPropose of round 0: how long a proposer may take; 500 ms unless told. One that is silent
   * costs it at every height of its own.
   */
  readonly proposeTimeout?: number;
  /** timeoutPrevote and timeoutPrecommit of round 0; half of `proposeTimeout` unless told. */
  readonly voteTimeout?: number;
  /** What each round adds to its timeouts; half of `proposeTimeout` unless told. */
  readonly timeoutDelta?: number;
  /**
   * Whether a prevote tells the valid round of its proposal, and a polka counts only prevotes that
   * tell the same; true unless told. False: the protocol as published.
   */
  readonly accountable?: boolean;
  /** K: heights between two checkpoints. */
  readonly checkpointEvery?: number;
  /** Heights that may follow the last stable checkpoint; 2K unless told. */
  readonly window?: number;
  /**
   * Bytes of requests above the last stable checkpoint, from which on batches are empty up to the
   * next one, in equal parts for each checkpoint of the window; core's `windowBytes` unless told.
   */
  readonly windowBytes?: number;
  /** Most requests in one batch. */
  readonly maxBatch?: number;
  /**
   * What a quorum weighs; ⌈(W+F+1)/2⌉ unless told, where all weigh W, and F is what f may weigh.
   * Less, or more than W-F, only with `unsafe`: to see two quorums decide two things, or none be
   * found.
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
  readonly weights: readonly number[];
  /** What a quorum weighs: two of them share an honest replica. */
  readonly quorum: number;
  /** More than liars weigh: one of so many is honest. */
  readonly weak: number;
  /** So many members, whichever they are, are no liars alone. */
  readonly matching: number;
  /** Who proposes, turn by turn. */
  readonly rotation: readonly ReplicaId[];
  readonly proposeTimeout: number;
  readonly voteTimeout: number;
  readonly timeoutDelta: number;
  readonly accountable: boolean;
  /** How long something may be missing before it is asked for: half a timeout. */
  readonly statusPeriod: number;
  readonly checkpointEvery: number;
  readonly window: number;
  /** Bytes of requests between two checkpoints, from which on nothing is added to them. */
  readonly intervalBytes: number;
  readonly maxBatch: number;
  readonly rules: Rules;
  readonly digest: DigestOf;
}

/** Checks `options` and fills in what they leave out. Throws {@link OptionsError}. */
export function groupOf(options: Options, rules: Rules): Group {
  const { n, checkpointEvery = 128, proposeTimeout = ms(500), maxBatch = 256 } = options;
  const {
    window = 2 * checkpointEvery,
    windowBytes = usualWindowBytes,
    voteTimeout = Math.max(1, Math.floor(proposeTimeout / 2)),
    timeoutDelta = Math.max(1, Math.floor(proposeTimeout / 2)),
    accountable = true,
    unsafe = false,
    digest,
  } = options;
  const times = { proposeTimeout, voteTimeout, timeoutDelta };
  const whole = { n, checkpointEvery, window, windowBytes, maxBatch, ...times };
  for (const [name, value] of Object.entries(whole)) wholeOption(name, value, 1);
  const weights = weightsOf(n, options.weights);
  const { f, faulty, total } = faultsOf(weights, options.f, unsafe);
  const quorum = options.quorum ?? rules.quorum(total, faulty);
  const refusal = refusalOfQuorum(quorum, total, faulty, unsafe);
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
    weights,
    quorum,
    weak: faulty + 1,
    matching: mostWithin(ascending(weights), faulty) + 1,
    rotation: rotationOf(weights),
    proposeTimeout,
    voteTimeout,
    timeoutDelta,
    accountable,
    statusPeriod: Math.max(1, Math.floor(proposeTimeout / 2)),
    checkpointEvery,
    window,
    intervalBytes: Math.ceil(windowBytes / Math.ceil(window / checkpointEvery)),
    maxBatch,
    rules,
    digest,
  };
}

/** The weights in lowest terms, whole numbers of 1 or more: one a member. */
function weightsOf(n: number, text: string | undefined): readonly number[] {
  if (text === undefined) return range(n).map(() => 1);
  const weights = text.split(',').map(Number);
  if (weights.length !== n)
    throw new OptionsError(
      `weights names ${weights.length} members of ${n}; give ${n} numbers, separated by commas`,
    );
  for (const weight of weights) wholeOption('a weight', weight, 1, maxWeight);
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  if (total > maxWeight)
    throw new OptionsError(`all members weigh ${total}; make that ${maxWeight} or less`);
  return lowest(weights);
}

/** How many may lie, whichever they are, and what liars may weigh together. */
function faultsOf(weights: readonly number[], told: number | undefined, unsafe: boolean) {
  const n = weights.length;
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const heaviest = ascending(weights).reverse();
  const f = told ?? mostWithin(heaviest, Math.floor((total - 1) / 3));
  wholeOption('f', f, 0);
  const least = heaviest.slice(0, f).reduce((sum, weight) => sum + weight, 0);
  if (total < 3 * least + 1 && !unsafe)
    throw new OptionsError(
      n === total
        ? `Tendermint needs 3f+1 replicas: ${n} cannot survive ${f} that lie, because two ` +
            'quorums would not be sure to share an honest one. ' +
            `Use n = ${3 * f + 1} or more, or unsafe: true to see it break`
        : `the ${f} heaviest members weigh ${least} of ${total}, which is no less than a third: ` +
            'two quorums would not be sure to share an honest one. Make the others heavier, or ' +
            'use unsafe: true to see it break',
    );
  // Where weights differ, what liars may weigh is what counts, and not how many they are.
  const faulty = n === total ? least : Math.max(least, Math.floor((total - 1) / 3));
  return { f, faulty, total };
}

const ascending = (weights: readonly number[]): number[] =>
  [...weights].sort((one, other) => one - other);

/** How many of `weights`, from the first on, weigh no more than `most` together. */
function mostWithin(weights: readonly number[], most: number): number {
  let sum = 0;
  let count = 0;
  for (const weight of weights) {
    sum += weight;
    if (sum > most) break;
    count += 1;
  }
  return count;
}

/** Whether `from` is one of the replicas, and not a client. */
export const isMember = (group: Group, from: PrincipalId): boolean => from < group.n;

/** proposer(h, round): turn by turn, and the next height begins one turn after this one began. */
export const proposerOf = ({ rotation }: Group, height: number, round: number): ReplicaId =>
  rotation[(height - 1 + round) % rotation.length] as ReplicaId;
