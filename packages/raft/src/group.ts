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
import { entriesLimit, leastBytesPerAppend, type Schemas, schemas } from './messages.ts';
import type { Rules } from './rules.ts';
import type { Context } from './state.ts';

/** How a group runs Raft, the same for all members. Times are integer microseconds. */
export interface Options {
  /** How many replicas the group has. */
  readonly n: number;
  /** How many of them may crash; as many as n allows unless told. */
  readonly f?: number;
  /** Allow an n that is too small for f, or quorums that do not meet. For experiments only. */
  readonly unsafe?: boolean;
  /** What decides elections and commits; more than half unless told. */
  readonly quorum?: QuorumSystem;
  /** Each election timeout is drawn from this to twice this. 300 ms unless told. */
  readonly electionTimeout?: number;
  /** Between two heartbeats; a tenth of the election timeout unless told. */
  readonly heartbeat?: number;
  /** Ask before raising the term (thesis 9.6). On unless told. */
  readonly preVote?: boolean;
  /** Leaders and voters judge by whom they hear (thesis 6.2, 4.2.3). On unless told. */
  readonly checkQuorum?: boolean;
  /**
   * How a leader makes sure that it still leads when it answers a read: by asking a quorum
   * ('quorum', unless told), or by a lease that it has from a quorum ('lease', see `lease.ts`),
   * which costs no message and trusts clocks.
   */
  readonly reads?: 'quorum' | 'lease';
  /**
   * With leases: by how many parts in a million the rate of any member's clock may be wrong, 0 to
   * 500,000. If one is wrong by more, a read may miss an acknowledged write. 1,000 unless told.
   */
  readonly clockDrift?: number;
  /** Slots between two snapshots; 0: none. 10,000 unless told. */
  readonly snapshotEvery?: number;
  /** Entries kept behind a snapshot for followers a little behind. 1,000 unless told. */
  readonly keepEntries?: number;
  /** Most entries in one AppendEntries, up to 1,024, which is what it is unless told. */
  readonly maxEntriesPerAppend?: number;
  /** Most bytes of entries in one AppendEntries, at least 520 KiB: any one. 1 MiB unless told. */
  readonly maxBytesPerAppend?: number;
  /** Most unacknowledged AppendEntries with entries per follower. 4 unless told. */
  readonly maxInFlight?: number;
  /**
   * Most uncommitted entries, of 64 MiB; above it a leader ignores commands. 65,536 unless told.
   */
  readonly maxUncommitted?: number;
  /** Most reads that wait at a leader; above it further ones are ignored. 65,536 unless told. */
  readonly maxReads?: number;
}

/** A configured group: what every rule of the protocol looks at and none changes. */
export interface Group {
  readonly schemas: Schemas;
  readonly members: readonly ReplicaId[];
  readonly quorum: QuorumSystem;
  readonly electionTimeout: number;
  readonly heartbeat: number;
  readonly preVote: boolean;
  readonly checkQuorum: boolean;
  /** How long a lease lasts by the leader's clock, in microseconds; 0: there are none. */
  readonly leaseLength: number;
  readonly maxEntriesPerAppend: number;
  readonly maxBytesPerAppend: number;
  readonly maxInFlight: number;
  readonly maxUncommitted: number;
  readonly maxReads: number;
  readonly keepEntries: number;
  readonly rules: Rules;
}

/** Checks `options` and fills in what they leave out. Throws {@link OptionsError}. */
export function groupOf(options: Options, rules: Rules): Group {
  const { n, unsafe = false } = options;
  wholeOption('n', n, 1);
  const f = options.f ?? Math.floor((n - 1) / 2);
  wholeOption('f', f, 0);
  if (n < 2 * f + 1 && !unsafe)
    throw new OptionsError(
      `${n} replicas cannot survive ${f} crashes: the ${n - f} left are no majority of ${n}, ` +
        `so use n = ${2 * f + 1} or more, or f = ${Math.floor((n - 1) / 2)} or less`,
    );
  const quorum = options.quorum ?? majority(n);
  if (!unsafe) requireOverlap({ phase1: quorum, phase2: quorum });
  const electionTimeout = wholeOption('electionTimeout', options.electionTimeout ?? 300_000, 10);
  const pause = options.heartbeat ?? Math.floor(electionTimeout / 10);
  if (wholeOption('heartbeat', pause, 1) * 2 > electionTimeout)
    throw new OptionsError(
      `a heartbeat every ${pause} µs comes too late for an election timeout of ` +
        `${electionTimeout} µs: one that is lost ends a reign; use a tenth of it`,
    );
  const entries = wholeOption(
    'maxEntriesPerAppend',
    options.maxEntriesPerAppend ?? entriesLimit,
    1,
  );
  if (entries > entriesLimit)
    throw new OptionsError(`maxEntriesPerAppend is ${entries}; use ${entriesLimit} or less`);
  const bytes = options.maxBytesPerAppend ?? 1_048_576;
  const maxBytesPerAppend = wholeOption('maxBytesPerAppend', bytes, leastBytesPerAppend);
  wholeOption('snapshotEvery', options.snapshotEvery ?? 0, 0);
  return {
    schemas: schemas({ maxBytesPerAppend }),
    members: range(n),
    quorum,
    electionTimeout,
    heartbeat: pause,
    preVote: options.preVote ?? true,
    checkQuorum: options.checkQuorum ?? true,
    leaseLength: leaseOf(options, electionTimeout),
    maxEntriesPerAppend: entries,
    maxBytesPerAppend,
    maxInFlight: wholeOption('maxInFlight', options.maxInFlight ?? 4, 1),
    maxUncommitted: wholeOption('maxUncommitted', options.maxUncommitted ?? 65_536, 1),
    maxReads: wholeOption('maxReads', options.maxReads ?? 65_536, 1),
    keepEntries: wholeOption('keepEntries', options.keepEntries ?? 1_000, 0),
    rules,
  };
}

/** How long a lease lasts by the leader's clock if others wait for `timeout` by theirs. */
export const leaseLength = (timeout: number, partsPerMillion: number): number =>
  Math.floor((timeout * (1_000_000 - partsPerMillion)) / (1_000_000 + partsPerMillion)) - 1;

function leaseOf({ reads, clockDrift, checkQuorum }: Options, electionTimeout: number): number {
  const drift = wholeOption('clockDrift', clockDrift ?? 1000, 0, 500_000);
  if (reads !== 'lease') return 0;
  if (checkQuorum === false)
    throw new OptionsError(
      "reads: 'lease' needs voters that stay loyal to a leader they hear; leave checkQuorum on",
    );
  return leaseLength(electionTimeout, drift);
}

/** Whether `from` is another member of the group. Clients and strangers are not. */
export const isPeer = (group: Group, from: PrincipalId, ctx: Context): boolean =>
  from !== ctx.self && from < group.members.length;
