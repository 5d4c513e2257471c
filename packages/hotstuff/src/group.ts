import {
  type Digest,
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
  refusalOfQuorum,
  windowBytes as usualWindowBytes,
  type ValidatorSet,
  weak,
  wholeOption,
} from '@quorumlab/core';
import { Phase, type Schemas, schemas, type Vote } from './messages.ts';
import { type Rules, type RulesName, rulesOf } from './rules.ts';

/** Who leads, and for how long. */
export type Leaders = 'sticky' | 'round-robin' | 'every-view';

/**
 * What {@link hotstuff} can be told. All times in microseconds. Equal on all members of a group.
 */
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
   * How many of them may be Byzantine at once; unless told less than a third of those who vote at
   * first. No change of the group makes it survive fewer.
   */
  readonly f?: number;
  /** The host's digest function: blocks are named by their digests. */
  readonly digest: DigestOf;
  /** Which member of the family: how to vote, lock and commit. Jolteon unless told. */
  readonly rules?: RulesName;
  /**
   * 'sticky' unless told: a leader stays for `reign` views or until it is given up. 'round-robin':
   * every view has another leader, as in the papers. 'every-view': the same, and votes go to all,
   * so that no certificate is lost with the next leader: live with any f silent members.
   */
  readonly leaders?: Leaders;
  /** Views of one sticky leader, at least 4; 128 unless told. */
  readonly reign?: number;
  /**
   * How long a request may wait before the leader is changed; doubles while that does not help.
   */
  readonly requestTimeout?: number;
  /**
   * Δ of HotStuff-2, for which a leader waits that may have missed a certificate: an eighth of
   * `requestTimeout` unless told. Doubles with it.
   */
  readonly delta?: number;
  /** Blocks between two checkpoints. */
  readonly checkpointEvery?: number;
  /** Blocks that may follow the last stable checkpoint; 2 `checkpointEvery` + 8 unless told. */
  readonly window?: number;
  /**
   * Bytes of requests above the last stable checkpoint, from which on blocks are empty up to the
   * next one, in equal parts for each checkpoint of the window; core's `windowBytes` unless told.
   */
  readonly windowBytes?: number;
  /** Most requests in one block. */
  readonly maxBatch?: number;
  /**
   * The size of a quorum; ⌈(n+f+1)/2⌉ unless told. Fewer, or more than n-f, only with `unsafe`: to
   * see two quorums decide two things, or none be found.
   */
  readonly quorum?: number;
  /**
   * Run groups of fewer than 3f+1, with quorums set by hand, or with leaders that change too often:
   * to see them break.
   */
  readonly unsafe?: boolean;
}

/** Who votes in an epoch: what a set of validators comes to. Frozen. */
export interface Voters {
  /** The first height of the epoch; by it statements name the set. */
  readonly set: number;
  /** Ascending; they take turns as leaders. */
  readonly members: readonly ReplicaId[];
  /** Whose votes count. Ascending. */
  readonly counted: readonly ReplicaId[];
  /** ⌈(n+f+1)/2⌉: two quorums share an honest replica. */
  readonly quorum: number;
}

/** Something in which certain validators vote. */
export interface Epoch {
  readonly voters: Voters;
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
  readonly first: ValidatorSet;
  /** What a set comes to, after `former` ones. Worked out once for each. */
  votersOf(set: ValidatorSet, former: () => readonly ValidatorSet[]): Voters;
  /** Why so many validators are too few for the group, in a sentence; nothing if they are not. */
  refusalOfSize(size: number): string | undefined;
  /** Whether the size of quorums was set by hand: then the group stays as it is. */
  readonly isByHand: boolean;
  /** Whether a client may change the group. */
  isOperator(client: PrincipalId): boolean;
  /** f+1: one of them is honest. */
  readonly weak: number;
  readonly rules: Rules;
  /** Views of one leader in a row. */
  readonly reign: number;
  /** Whether votes go to all, and not only to whoever needs their certificate first. */
  readonly votesToAll: boolean;
  /** Leaders in a row that must be alive for a commit when each leads one view. */
  readonly leadersInARow: number;
  readonly requestTimeout: number;
  readonly delta: number;
  /** How long something may be missing before it is asked for: half a timeout. */
  readonly statusPeriod: number;
  readonly checkpointEvery: number;
  readonly window: number;
  /** Bytes of requests between two checkpoints, from which on nothing is added to them. */
  readonly intervalBytes: number;
  readonly maxBatch: number;
  readonly digest: DigestOf;
}

/** Checks `options` and fills in what they leave out. Throws {@link OptionsError}. */
export function groupOf(options: Options, chosen: Partial<Rules>): Group {
  const { n, checkpointEvery = 128, initialMembers } = options;
  const { requestTimeout = ms(1000), maxBatch = 256, digest } = options;
  const {
    window = 2 * checkpointEvery + 8,
    windowBytes = usualWindowBytes,
    delta = Math.max(1, Math.floor(requestTimeout / 8)),
    leaders = 'sticky',
    unsafe = false,
  } = options;
  const reign = leaders === 'sticky' ? (options.reign ?? 128) : 1;
  const sizes = { window, windowBytes, maxBatch };
  const whole = { n, checkpointEvery, requestTimeout, delta, reign, ...sizes };
  for (const [name, value] of Object.entries(whole)) wholeOption(name, value, 1);
  const seats = wholeOption('seats', options.seats ?? n, n, Math.min(membersLimit, n + mostSeats));
  const members = initialVoters(n, initialMembers);
  const size = members.length;
  const f = wholeOption('f', options.f ?? Math.max(0, Math.floor((size - 1) / 3)), 0);
  const rules: Rules = { ...rulesOf(options.rules ?? 'jolteon'), ...chosen };
  // In basic HotStuff the leader who needs the votes of a view is the one who proposed in it.
  const votesToAll = leaders === 'every-view' && !rules.phased;
  // The last of them only has to hear the votes, which then all do.
  const leadersInARow = rules.leadersInARow - (votesToAll ? 1 : 0);
  if (leaders === 'sticky' && reign < 4 && !unsafe)
    throw new OptionsError(`a reign of ${reign} views is too short to commit in; use 4 or more`);
  const refusalOfSize = (count: number): string | undefined =>
    unsafe
      ? undefined
      : (refusalOfReplicas(count, f) ??
        (leaders !== 'sticky' ? refusalOfRotation(count, f, leadersInARow) : undefined));
  const quorumOf = (count: number): number => options.quorum ?? rules.quorum(count, f);
  const tooSmall = refusalOfSize(size);
  if (tooSmall !== undefined) throw new OptionsError(tooSmall);
  const refusal = refusalOfQuorum(quorumOf(size), size, f, unsafe);
  if (options.quorum !== undefined && refusal !== null) throw new OptionsError(refusal);
  if (window < checkpointEvery + 4)
    throw new OptionsError(
      `${window} blocks are too few to reach the checkpoint at ${checkpointEvery} and commit it; ` +
        `make window at least ${checkpointEvery + 4}`,
    );
  if (options.delta !== undefined && 2 * delta > requestTimeout)
    throw new OptionsError(
      `a leader that waits ${delta} µs for certificates before its first block is given up after ` +
        `${requestTimeout} µs; make requestTimeout at least twice delta`,
    );
  return {
    schemas: schemas({ n: seats, maxBatch, phased: rules.phased }),
    n,
    f,
    members: range(seats),
    first: firstSet(members),
    votersOf: votersBy(rules, quorumOf),
    refusalOfSize,
    isByHand: options.quorum !== undefined,
    isOperator: isOneOf(numbersIn(options.operators)),
    weak: weak(n, f).size,
    rules,
    reign,
    votesToAll,
    leadersInARow,
    requestTimeout,
    delta,
    statusPeriod: Math.max(1, Math.floor(requestTimeout / 2)),
    checkpointEvery,
    window,
    intervalBytes: Math.ceil(windowBytes / Math.ceil(window / checkpointEvery)),
    maxBatch,
    digest,
  };
}

/** The set that votes from height 1 on. */
const firstSet = (members: readonly ReplicaId[]): ValidatorSet =>
  frozenSet({
    since: 1,
    validators: members.map((member) => ({ member, weight: 1 })),
    asked: null,
  });

/** Whether a client is one of `operators`; all are where nobody is named. */
const isOneOf =
  (operators: readonly PrincipalId[] | undefined) =>
  (client: PrincipalId): boolean =>
    operators?.includes(client) ?? true;

/** What sets come to; each is worked out once. */
function votersBy(rules: Rules, quorumOf: (count: number) => number): Group['votersOf'] {
  const known = new WeakMap<ValidatorSet, Voters>();
  const idsIn = ({ validators }: ValidatorSet): readonly ReplicaId[] =>
    validators.map(({ member }) => member);
  return (set, former) => {
    let voters = known.get(set);
    if (voters === undefined) {
      const members = Object.freeze(idsIn(set));
      const counted = Object.freeze(rules.counted(members, () => former().flatMap(idsIn)));
      voters = Object.freeze({
        ...{ set: set.since, members, counted },
        quorum: quorumOf(members.length),
      });
      known.set(set, voters);
    }
    return voters;
  };
}

/** Why `n` replicas do not survive `f` that lie, if so. */
const refusalOfReplicas = (n: number, f: number): string | undefined =>
  n >= 3 * f + 1
    ? undefined
    : `HotStuff needs 3f+1 replicas: ${n} cannot survive ${f} that lie, because two quorums ` +
      `would not be sure to share an honest one. Use n = ${3 * f + 1} or more, or unsafe: true ` +
      'to see it break';

/** Why leaders that rotate among `n` could never commit, if so: it takes several in a row. */
function refusalOfRotation(n: number, f: number, leadersInARow: number): string | undefined {
  const inARow = f === 0 ? n : Math.ceil((n - f) / f);
  if (f === 0 || inARow >= leadersInARow) return undefined;
  return (
    `these rules need ${leadersInARow} live leaders in a row, and ${f} crashed of ${n} can ` +
    `leave as few as ${inARow}: nothing would ever be committed. Use leaders 'every-view', ` +
    `whose votes go to all, or 'sticky', or n = ${leadersInARow * f + 1} or more`
  );
}

/** Whether `from` is a member or may become one, and not a client. */
export const isMember = (group: Group, from: PrincipalId): boolean => from < group.members.length;

/** The leader of `view`: the validators of its epoch take turns, each for one reign. */
export const leaderOf = (group: Group, { voters: { members } }: Epoch, view: number): ReplicaId =>
  members[Math.floor(view / group.reign) % members.length] as ReplicaId;

/** Who needs the certificate of `view` first. */
export const collectorOf = (group: Group, epoch: Epoch, view: number): ReplicaId =>
  leaderOf(group, epoch, group.rules.phased ? view : view + 1);

/** Whether `self` makes certificates of the votes of `view`. */
export const collects = (group: Group, epoch: Epoch, view: number, self: ReplicaId): boolean =>
  group.votesToAll || collectorOf(group, epoch, view) === self;

/** ⟨VOTE, v, b⟩ of an epoch, with its phase where there are several. */
export const voteFor = (
  { rules }: Group,
  { voters: { set } }: Epoch,
  view: number,
  block: Digest,
  justifyView: number,
  phase: number = Phase.prepare,
): Vote => ({ kind: 'vote', ...(rules.phased ? { phase } : {}), set, view, block, justifyView });

/** The last view of the reign that `view` is part of: leaving one view of it is leaving all. */
export const endOfReign = (group: Group, view: number): number =>
  (Math.floor(view / group.reign) + 1) * group.reign - 1;
