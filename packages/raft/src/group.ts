import {
  mostSeats,
  OptionsError,
  type QuorumSystem,
  type ReplicaId,
  range,
  requireOverlap,
  threshold,
  wholeOption,
} from '@quorumlab/core';
import { type Configuration, frozen, isJoint, serversLimit } from './configuration.ts';
import { entriesLimit, leastBytesPerAppend, type Schemas, schemas } from './messages.ts';
import type { Rules, Server } from './rules.ts';

/** How a group runs Raft, the same for all members. Times are integer microseconds. */
export interface Options {
  /** How many replicas there are: members of the group, and those that may become one. */
  readonly n: number;
  /** How many numbers there are for members, those included that come later; `n` unless told. */
  readonly seats?: number;
  /** How many of the first members may crash; as many as they allow unless told. */
  readonly f?: number;
  /**
   * Who votes at first, as numbers or as '0,1,2'; all n unless told. The others wait until a change
   * lets them in.
   */
  readonly initialMembers?: readonly ReplicaId[] | string;
  /** Allow an n that is too small for f, or quorums that do not meet. For experiments only. */
  readonly unsafe?: boolean;
  /** What decides elections and commits; then the group cannot be changed. Else more than half. */
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
   * Whether followers answer reads too, after asking their leader (thesis 6.4): see
   * `follower-read.ts`. Clients then spread their reads. Off unless told.
   */
  readonly followerReads?: boolean;
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
  /** All numbers that replicas have, or may have once they come. */
  readonly members: readonly ReplicaId[];
  /** How many of them were made with the group. */
  readonly known: number;
  /** Who is in the group at first. */
  readonly initial: Configuration;
  /** Whether the group can be changed: not where its quorums were set by hand. */
  readonly isFixed: boolean;
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
  /** Who elects and commits in a configuration, and who else is in it. Worked out once for each. */
  electorateOf(configuration: Configuration): Electorate;
}

/** What follows from a configuration. */
export interface Electorate {
  readonly quorum: QuorumSystem;
  /** Whose votes count: of both groups while it is joint. Ascending. */
  readonly voters: readonly ReplicaId[];
  /** They and the learners. Ascending. */
  readonly everyone: readonly ReplicaId[];
}

/** Checks `options` and fills in what they leave out. Throws {@link OptionsError}. */
export function groupOf(options: Options, rules: Rules): Group {
  const { unsafe = false } = options;
  const n = wholeOption('n', options.n, 1, serversLimit);
  const seats = wholeOption('seats', options.seats ?? n, n, Math.min(serversLimit, n + mostSeats));
  const members = range(seats);
  const initial = firstGroup(options, range(n));
  const byHand = options.quorum;
  if (!unsafe && byHand !== undefined) requireOverlap({ phase1: byHand, phase2: byHand });
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
    members,
    known: n,
    initial,
    isFixed: byHand !== undefined,
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
    electorateOf: electorates(rules, seats, initial, byHand),
  };
}

/** The first configuration. Throws {@link OptionsError} if it is too small for `f`, or no group. */
function firstGroup(
  { initialMembers, f, unsafe = false }: Options,
  known: readonly ReplicaId[],
): Configuration {
  const voters = [...new Set(numbersIn(initialMembers) ?? known)].sort((one, two) => one - two);
  const stranger = voters.find((id) => !known.includes(id));
  if (voters.length === 0 || stranger !== undefined)
    throw new OptionsError(
      `initialMembers is ${voters.length === 0 ? 'empty' : `${initialMembers}`}; name at least ` +
        `one of the replicas 0 to ${known.length - 1}, e.g. 0,1,2`,
    );
  const size = voters.length;
  const most = Math.floor((size - 1) / 2);
  const faults = wholeOption('f', f ?? most, 0);
  if (size < 2 * faults + 1 && !unsafe)
    throw new OptionsError(
      `${size} replicas cannot survive ${faults} crashes: the ${size - faults} left are no ` +
        `majority of ${size}, so use n = ${2 * faults + 1} or more, or f = ${most} or less`,
    );
  return frozen({ voters, outgoing: [], learners: [] });
}

const numbersIn = (told: Options['initialMembers']): readonly ReplicaId[] | undefined =>
  typeof told === 'string'
    ? told.split(',').map((each) => (/^\s*\d+\s*$/.test(each) ? Number(each) : -1))
    : told;

/** More than half of `members`. */
const majorityOf = (members: readonly ReplicaId[]): QuorumSystem =>
  threshold(members, Math.floor(members.length / 2) + 1);

/** {@link Group.electorateOf}: looked up for every message, so worked out once. */
function electorates(
  rules: Rules,
  n: number,
  initial: Configuration,
  byHand: QuorumSystem | undefined,
): Group['electorateOf'] {
  const known = new WeakMap<Configuration, Electorate>();
  const made = (configuration: Configuration): Electorate => {
    const { voters, outgoing, learners } = configuration;
    const incoming =
      configuration === initial && byHand !== undefined ? byHand : majorityOf(voters);
    // Only a liar names servers that there are not: nobody sends to them.
    const ofKnown = (ids: Iterable<ReplicaId>): readonly ReplicaId[] =>
      [...new Set(ids)].filter((id) => id < n).sort((one, two) => one - two);
    return {
      quorum: isJoint(configuration) ? rules.jointly(majorityOf(outgoing), incoming) : incoming,
      voters: ofKnown([...outgoing, ...voters]),
      everyone: ofKnown([...outgoing, ...voters, ...learners]),
    };
  };
  return (configuration) => {
    let found = known.get(configuration);
    if (found === undefined) {
      found = made(configuration);
      known.set(configuration, found);
    }
    return found;
  };
}

/** Who elects and commits, by what this replica goes by. */
export const electorate = (group: Group, replica: Server): Electorate =>
  group.electorateOf(group.rules.inForce(replica));

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
