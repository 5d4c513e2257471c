import {
  type DigestOf,
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
  weak,
  wholeOption,
} from '@quorumlab/core';
import { type Configuration, type Epoch, firstConfiguration } from './epochs.ts';
import { type Schemas, schemas } from './messages.ts';
import type { Rules } from './rules.ts';

/** What {@link pbft} can be told. All times in microseconds. Equal on all members of a group. */
export interface Options {
  /** How many replicas there are: members, and those that may become one. */
  readonly n: number;
  /** How many numbers there are for replicas, those included that come later; `n` unless told. */
  readonly seats?: number;
  /** Who votes at first, as a list or a text: 0,1,2,3; all n unless told. The others listen. */
  readonly initialMembers?: readonly ReplicaId[] | string;
  /** The clients that may change the group, separated by commas; all of them unless told. */
  readonly operators?: string;
  /**
   * How many of them may be Byzantine at once; ⌊(n-1)/3⌋ unless told, of n that vote at first. No
   * change of the group makes it survive fewer.
   */
  readonly f?: number;
  /**
   * How long a request may wait before the primary is changed; doubles while that does not help.
   */
  readonly requestTimeout?: number;
  /** K: batches between two checkpoints. */
  readonly checkpointEvery?: number;
  /** L: batches that may be logged above the last stable checkpoint; 2K unless told. */
  readonly window?: number;
  /**
   * Bytes of requests above the last stable checkpoint, from which on batches are empty up to the
   * next one, in equal parts for each checkpoint of the window; core's `windowBytes` unless told.
   */
  readonly windowBytes?: number;
  /** Most requests in one batch. */
  readonly maxBatch?: number;
  /** Most batches that the primary has ordered and that are not executed yet. */
  readonly maxOutstanding?: number;
  /**
   * A primary with which one request waits eight times as long as batches usually take is replaced,
   * also before `requestTimeout`, but not before an eighth of it. Off unless told.
   */
  readonly fair?: boolean;
  /** How long a primary leads at most while requests are executed; 0, unless told: for ever. */
  readonly reign?: number;
  /**
   * Section 5.1.3 of TOCS 2002: reads are asked of all replicas and take no place in the log. Off
   * unless told.
   */
  readonly readOnly?: boolean;
  /**
   * Section 5.1.2 of TOCS 2002: requests are executed as soon as they are prepared and all before
   * them is committed, and answered at once; clients wait for a quorum of such replies. Off unless
   * told.
   */
  readonly tentative?: boolean;
  /**
   * The size of a quorum; ⌈(n+f+1)/2⌉ unless told. Fewer, or more than n-f, only with `unsafe`: to
   * see two quorums decide two things, or none be found.
   */
  readonly quorum?: number;
  /** Run groups of fewer than 3f+1, and quorums set by hand: to see them break. */
  readonly unsafe?: boolean;
  /**
   * How replicas show who they are; 'signatures' unless told. With 'mac' they sign nothing, as in
   * TOCS 2002: each message is authentic to its receiver alone. Clients sign their requests in any
   * case. Such a group stays as it is, is not `tentative`, and can prove no member's lie.
   */
  readonly authentication?: Authentication;
  /**
   * The host's digest function. Handlers use `ctx.digest`; only `conflict`, which makes an
   * equivocator's messages outside of any step, needs it here.
   */
  readonly digest?: DigestOf;
}

/** How replicas show who they are: see {@link Options.authentication}. */
export type Authentication = 'signatures' | 'mac';

/** Who votes in an epoch. */
export interface Voters {
  readonly members: ReadonlySet<ReplicaId>;
  /** ⌈(n+f+1)/2⌉ of the n that vote: two quorums share an honest replica. */
  readonly quorum: number;
}

/** A configured group: what every rule of the protocol looks at and none changes. */
export interface Group {
  readonly schemas: Schemas;
  /** How many replicas were made with the group. */
  readonly n: number;
  readonly f: number;
  /** All numbers that replicas have, or may have once they come. */
  readonly members: readonly ReplicaId[];
  /** What the group was made with. */
  readonly first: Configuration;
  /** What an epoch comes to. Worked out once for each. */
  votersOf(epoch: Epoch): Voters;
  /** Whether a client may change the group. */
  isOperator(client: PrincipalId): boolean;
  /** Whether the size of quorums was set by hand: then the group stays as it is. */
  readonly isByHand: boolean;
  readonly unsafe: boolean;
  /** Whether replicas sign nothing. */
  readonly mac: boolean;
  /** f+1: one of them is honest. */
  readonly weak: number;
  readonly requestTimeout: number;
  /** How long something may be missing before it is asked for: half a timeout. */
  readonly statusPeriod: number;
  readonly checkpointEvery: number;
  readonly window: number;
  /** Bytes of requests between two checkpoints, from which on nothing is added to them. */
  readonly intervalBytes: number;
  readonly maxBatch: number;
  readonly maxOutstanding: number;
  readonly readOnly: boolean;
  readonly tentative: boolean;
  readonly fair: boolean;
  readonly reign: number;
  readonly rules: Rules;
  readonly digest: DigestOf | undefined;
}

/** Why `n` that vote do not survive `f` that lie, in a sentence; if so. */
export const refusalOfSize = (n: number, f: number): string | undefined =>
  n >= 3 * f + 1
    ? undefined
    : `PBFT needs 3f+1 replicas: ${n} cannot survive ${f} that lie, because two quorums would ` +
      `not be sure to share an honest one. Use n = ${3 * f + 1} or more, or unsafe: true to ` +
      'see it break';

/** Checks `options` and fills in what they leave out. Throws {@link OptionsError}. */
export function groupOf(options: Options, rules: Rules): Group {
  const { n, checkpointEvery = 128 } = options;
  const {
    window = 2 * checkpointEvery,
    windowBytes = usualWindowBytes,
    requestTimeout = ms(1000),
    maxBatch = 256,
    maxOutstanding = 2,
    readOnly = false,
    tentative = false,
    fair = false,
    reign = 0,
    unsafe = false,
  } = options;
  const sizes = { window, windowBytes, maxBatch, maxOutstanding };
  const whole = { n, checkpointEvery, requestTimeout, ...sizes };
  for (const [name, value] of Object.entries(whole)) wholeOption(name, value, 1);
  wholeOption('reign', reign, 0);
  const seats = wholeOption('seats', options.seats ?? n, n, Math.min(membersLimit, n + mostSeats));
  const members = initialVoters(n, options.initialMembers);
  const f = wholeOption('f', options.f ?? Math.max(0, Math.floor((members.length - 1) / 3)), 0);
  const refusal = unsafe ? undefined : refusalOfSize(members.length, f);
  if (refusal !== undefined) throw new OptionsError(refusal);
  if (options.quorum !== undefined) requireQuorum(options.quorum, members.length, f, unsafe);
  if (members.length < n) requireVotersOnly(options);
  if (window < checkpointEvery)
    throw new OptionsError(
      `a log of ${window} batches is full before the checkpoint at ${checkpointEvery}; ` +
        'make window at least that large',
    );
  const mac = usesMacs(options);
  const known = new WeakMap<Epoch, Voters>();
  const operators = numbersIn(options.operators);
  return {
    schemas: schemas({ n: seats, window, maxBatch, mac }),
    n,
    f,
    members: range(seats),
    first: firstConfiguration(members),
    votersOf(epoch) {
      let voters = known.get(epoch);
      if (voters === undefined) {
        const quorum = options.quorum ?? rules.quorum(epoch.members.length, f);
        voters = { members: new Set(epoch.members), quorum };
        known.set(epoch, voters);
      }
      return voters;
    },
    isOperator: (client) => operators?.includes(client) ?? true,
    isByHand: options.quorum !== undefined,
    unsafe,
    mac,
    weak: weak(members.length, f).size,
    requestTimeout,
    statusPeriod: Math.max(1, Math.floor(requestTimeout / 2)),
    checkpointEvery,
    window,
    intervalBytes: Math.ceil(windowBytes / Math.ceil(window / checkpointEvery)),
    maxBatch,
    maxOutstanding,
    readOnly,
    tentative,
    fair,
    reign,
    rules,
    digest: options.digest,
  };
}

/** Some replicas only listen: what is asked of all is asked of them too. */
function requireVotersOnly({ readOnly = false, tentative = false }: Options): void {
  if (readOnly)
    throw new OptionsError(
      'readOnly asks all replicas, and those that only listen cannot answer; leave ' +
        'initialMembers out, or readOnly',
    );
  if (tentative)
    throw new OptionsError(
      'tentative counts replies of those that vote, and those that only listen would reply too; ' +
        'leave initialMembers out, or tentative',
    );
}

function usesMacs({ authentication = 'signatures', tentative = false }: Options): boolean {
  if (authentication === 'signatures') return false;
  if (authentication !== 'mac')
    throw new OptionsError(
      `authentication is 'signatures' or 'mac', not ${JSON.stringify(authentication)}`,
    );
  if (tentative)
    throw new OptionsError(
      "tentative rests on view-changes that carry their proofs, and with authentication 'mac' " +
        'none does; leave one of them out',
    );
  return true;
}

function requireQuorum(quorum: number, n: number, f: number, unsafe: boolean): void {
  const refusal = refusalOfQuorum(quorum, n, f, unsafe);
  if (refusal !== null) throw new OptionsError(refusal);
}

/** Whether `from` is one of the replicas or may become one, and not a client. */
export const isMember = (group: Group, from: PrincipalId): boolean => from < group.members.length;
