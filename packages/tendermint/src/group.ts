import {
  type DigestOf,
  frozenSet,
  initialVoters,
  membersLimit,
  mostSeats,
  ms,
  numbersIn,
  OptionsError,
  type PrincipalId,
  type ReplicaId,
  range,
  windowBytes as usualWindowBytes,
  type ValidatorSet,
  validatorsAt,
  wholeOption,
} from '@quorumlab/core';
import { type Schemas, schemas } from './messages.ts';
import { mostFaults, type Power, powerOf, refusalOfFaults, weightsIn } from './power.ts';
import type { Rules } from './rules.ts';

/** What {@link tendermint} can be told. All times in microseconds. Equal on all members. */
export interface Options {
  /** How many replicas there are: validators, and those that may become one. */
  readonly n: number;
  /** How many numbers there are for members, those included that come later; `n` unless told. */
  readonly seats?: number;
  /** Who votes at first, as a list or a text: 0,1,2,3; all n unless told. The others listen. */
  readonly initialMembers?: readonly ReplicaId[] | string;
  /** The clients that may change the group, separated by commas; all of them unless told. */
  readonly operators?: string;
  /**
   * How many of them may be Byzantine at once; unless told as many as weigh less than a third
   * together, whichever they are: ⌊(n-1)/3⌋ where all weigh the same. No change of the group makes
   * it survive fewer.
   */
  readonly f?: number;
  /** The host's digest function: values are named by their digests. */
  readonly digest: DigestOf;
  /** What each validator weighs at first, in their order, separated by commas: 1 unless told. */
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
  /** How many members were made with the group. */
  readonly n: number;
  readonly f: number;
  /** All numbers that members have, or may have once they come. */
  readonly members: readonly ReplicaId[];
  /** The set with which the group was made. */
  readonly first: Power;
  /** Whether the size of quorums was set by hand: then the group stays as it is. */
  readonly isByHand: boolean;
  readonly unsafe: boolean;
  /** What a set comes to. Worked out once for each. */
  powerOf(set: ValidatorSet): Power;
  /** Whether a client may change the group. */
  isOperator(client: PrincipalId): boolean;
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
  const seats = wholeOption('seats', options.seats ?? n, n, Math.min(membersLimit, n + mostSeats));
  const set = firstSet(options);
  const weights = set.validators.map(({ weight }) => weight);
  const f = wholeOption('f', options.f ?? mostFaults(weights), 0);
  const refusal = unsafe ? undefined : refusalOfFaults(weights, f);
  if (refusal !== undefined) throw new OptionsError(refusal);
  const powers = new WeakMap<ValidatorSet, Power>();
  const told = { f, quorum: options.quorum, unsafe };
  const powerOfSet = (of: ValidatorSet): Power => {
    let power = powers.get(of);
    if (power === undefined) {
      power = powerOf(of, told, rules);
      powers.set(of, power);
    }
    return power;
  };
  const operators = numbersIn(options.operators);
  if (window < checkpointEvery)
    throw new OptionsError(
      `a window of ${window} heights is full before the checkpoint at ${checkpointEvery}; ` +
        'make window at least that large',
    );
  return {
    schemas: schemas({ n: seats, maxBatch }),
    n,
    f,
    members: range(seats),
    first: powerOfSet(set),
    isByHand: options.quorum !== undefined,
    unsafe,
    powerOf: powerOfSet,
    isOperator: (client) => operators?.includes(client) ?? true,
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

/** The set that votes from height 1 on. */
function firstSet({ n, initialMembers, weights: text }: Options): ValidatorSet {
  const members = initialVoters(n, initialMembers);
  const weights = weightsIn(text, members.length);
  const validators = members.map((member, i) => ({ member, weight: weights[i] as number }));
  return frozenSet({ since: 1, validators, asked: null });
}

/** Whether `from` is a member or may become one, and not a client. */
export const isMember = (group: Group, from: PrincipalId): boolean => from < group.members.length;

/**
 * proposer(h, round): turn by turn from the first height of the set on, and the next height begins
 * one turn after this one began.
 */
export function proposerOf(
  group: Group,
  sets: readonly ValidatorSet[],
  height: number,
  round: number,
): ReplicaId {
  const set = validatorsAt(sets, height);
  const { rotation } = group.powerOf(set);
  return rotation[(height - set.since + round) % rotation.length] as ReplicaId;
}
