import {
  majority,
  OptionsError,
  type PrincipalId,
  type QuorumSystem,
  type ReplicaId,
  range,
  requireOverlap,
  wholeOption,
} from '@quorumlab/core';
import { leastBytesPerMessage, type Schemas, schemas, transactionsLimit } from './messages.ts';
import type { Rules } from './rules.ts';

/** How a group runs Zab, the same for all members. Times are integer microseconds. */
export interface Options {
  /** How many replicas the group has. */
  readonly n: number;
  /**
   * How many of them learn what is committed and answer reads, and have no vote: the last ones by
   * number. None unless told.
   */
  readonly observers?: number;
  /** How many voters may crash; as many as there are voters for unless told. */
  readonly f?: number;
  /** Allow an n that is too small for f, or quorums that do not meet. For experiments only. */
  readonly unsafe?: boolean;
  /** What elects, establishes and commits; more than half unless told. */
  readonly quorum?: QuorumSystem;
  /**
   * How long a leader may be silent, and how long it may go unanswered by a quorum (ZooKeeper's
   * syncLimit and initLimit). A follower waits for a random time from this to twice this. 300 ms
   * unless told.
   */
  readonly electionTimeout?: number;
  /** Between two pings; a tenth of the election timeout unless told. */
  readonly heartbeat?: number;
  /**
   * How long a quorum that agrees on a leader waits for a better nomination. As long as a heartbeat
   * unless told.
   */
  readonly grace?: number;
  /** Slots between two snapshots; 0: none. 10,000 unless told. */
  readonly snapshotEvery?: number;
  /** Transactions kept behind a snapshot for followers a little behind. 1,000 unless told. */
  readonly keepTransactions?: number;
  /** Most transactions in one message, up to 1,024, which is what it is unless told. */
  readonly maxPerMessage?: number;
  /** Most bytes of them, at least 520 KiB: any one. 1 MiB unless told. */
  readonly maxBytesPerMessage?: number;
  /** Most unacknowledged messages with transactions per follower. 4 unless told. */
  readonly maxInFlight?: number;
  /**
   * Most transactions that are not committed, of 64 MiB; above it a leader ignores commands. 65,536
   * unless told.
   */
  readonly maxUncommitted?: number;
  /**
   * Whether followers and observers answer linearizable reads too, once they have asked the leader.
   * Off unless told.
   */
  readonly followerReads?: boolean;
  /** Most reads that wait at a replica; above it further ones are ignored. 65,536 unless told. */
  readonly maxReads?: number;
}

/** A configured group: what every rule of the protocol looks at and none changes. */
export interface Group {
  readonly schemas: Schemas;
  readonly members: readonly ReplicaId[];
  /** Those of them that are no observers. */
  readonly voters: readonly ReplicaId[];
  readonly f: number;
  readonly quorum: QuorumSystem;
  readonly electionTimeout: number;
  readonly heartbeat: number;
  readonly grace: number;
  readonly keepTransactions: number;
  readonly maxPerMessage: number;
  readonly maxBytesPerMessage: number;
  readonly maxInFlight: number;
  readonly maxUncommitted: number;
  readonly maxReads: number;
  readonly followerReads: boolean;
  readonly rules: Rules;
}

/** Checks `options` and fills in what they leave out. Throws {@link OptionsError}. */
export function groupOf(options: Options, rules: Rules): Group {
  const { n, unsafe = false } = options;
  wholeOption('n', n, 1);
  const observers = wholeOption('observers', options.observers ?? 0, 0, n - 1);
  const voters = n - observers;
  const most = Math.floor((voters - 1) / 2);
  const f = wholeOption('f', options.f ?? most, 0);
  if (voters < 2 * f + 1 && !unsafe)
    throw new OptionsError(
      `${voters} ${observers === 0 ? 'replicas' : 'voters'} cannot survive ${f} crashes: the ` +
        `${voters - f} left are no majority of ${voters}, so use ` +
        `n = ${2 * f + 1 + observers} or more, or f = ${most} or less`,
    );
  const quorum = options.quorum ?? majority(voters);
  if (!unsafe) requireOverlap({ phase1: quorum, phase2: quorum });
  const electionTimeout = wholeOption('electionTimeout', options.electionTimeout ?? 300_000, 10);
  const pause = options.heartbeat ?? Math.floor(electionTimeout / 10);
  if (wholeOption('heartbeat', pause, 1) * 2 > electionTimeout)
    throw new OptionsError(
      `a ping every ${pause} µs comes too late for an election timeout of ` +
        `${electionTimeout} µs: one that is lost ends a reign; use a tenth of it`,
    );
  const maxPerMessage = wholeOption(
    'maxPerMessage',
    options.maxPerMessage ?? transactionsLimit,
    1,
    transactionsLimit,
  );
  const bytes = options.maxBytesPerMessage ?? 1_048_576;
  const maxBytesPerMessage = wholeOption('maxBytesPerMessage', bytes, leastBytesPerMessage);
  wholeOption('snapshotEvery', options.snapshotEvery ?? 0, 0);
  return {
    schemas: schemas({ maxBytesPerMessage }),
    members: range(n),
    voters: range(voters),
    f,
    quorum,
    electionTimeout,
    heartbeat: pause,
    grace: wholeOption('grace', options.grace ?? pause, 0),
    keepTransactions: wholeOption('keepTransactions', options.keepTransactions ?? 1_000, 0),
    maxPerMessage,
    maxBytesPerMessage,
    maxInFlight: wholeOption('maxInFlight', options.maxInFlight ?? 4, 1),
    maxUncommitted: wholeOption('maxUncommitted', options.maxUncommitted ?? 65_536, 1),
    maxReads: wholeOption('maxReads', options.maxReads ?? 65_536, 1),
    followerReads: options.followerReads ?? false,
    rules,
  };
}

/** Whether `id` takes part in elections and quorums. */
export const isVoter = ({ voters }: Group, id: PrincipalId): boolean => id < voters.length;
