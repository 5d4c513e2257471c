import {
  mostSeats,
  OptionsError,
  type Phases,
  type PrincipalId,
  QuorumError,
  type ReplicaId,
  range,
  type Slot,
  threshold,
  wholeOption,
} from '@quorumlab/core';
import {
  type Configuration,
  ConfigurationError,
  frozen,
  governing,
  membersLimit,
  type Quorums,
  quorumsRefused,
  type Universe,
} from './configuration.ts';
import { commandsLimit, leastBytesPerSlot, type Schemas, schemas } from './messages.ts';
import type { Rules } from './rules.ts';

/** How a group runs Multi-Paxos, the same for all members. Times are integer microseconds. */
export interface Options {
  /** How many replicas there are: members of the group, and those that may become one. */
  readonly n: number;
  /** How many numbers there are for members, those included that come later; `n` unless told. */
  readonly seats?: number;
  /** How many of the first members may crash; as many as they allow unless told. */
  readonly f?: number;
  /** Allow too few members for f, or quorums that do not meet. For experiments only. */
  readonly unsafe?: boolean;
  /** Who is in the group at first; all n unless told. The others learn until they are let in. */
  readonly initialMembers?: readonly ReplicaId[];
  /**
   * The quorums of a group with these members; more than half for both phases unless told. The text
   * is what a change of the group said about them, and empty for the first group.
   */
  readonly quorums?: Quorums;
  /** Most slots open at a time, and slots until a change of the group takes effect (§3). 16. */
  readonly alpha?: number;
  /** Most slots that a leader opens for commands; what comes meanwhile shares the next. 4. */
  readonly pipeline?: number;
  /** Each election timeout is drawn from this to twice this. 300 ms unless told. */
  readonly electionTimeout?: number;
  /** Between two heartbeats; a tenth of the election timeout unless told. */
  readonly heartbeat?: number;
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
  /** Slots kept behind a snapshot for replicas a little behind. 1,000 unless told. */
  readonly keepSlots?: number;
  /** Most commands in one slot, up to 1,024, which is what it is unless told. */
  readonly maxCommandsPerSlot?: number;
  /** Most bytes of commands in one slot, at least 520 KiB: any request. 1 MiB unless told. */
  readonly maxBytesPerSlot?: number;
  /** Most commands that wait at a leader; above it further ones are ignored. 65,536 unless told. */
  readonly maxWaiting?: number;
  /** Most reads that wait at a leader; above it further ones are ignored. 65,536 unless told. */
  readonly maxReads?: number;
}

/** A configured group: what every rule of the protocol looks at and none changes. */
export interface Group extends Universe {
  readonly schemas: Schemas;
  readonly initial: readonly Configuration[];
  readonly electionTimeout: number;
  readonly heartbeat: number;
  readonly pipeline: number;
  readonly maxCommandsPerSlot: number;
  readonly maxBytesPerSlot: number;
  readonly maxWaiting: number;
  readonly maxReads: number;
  readonly keepSlots: number;
  /** How long a lease lasts by the leader's clock, in microseconds; 0: there are none. */
  readonly leaseLength: number;
  /** How far above its first unchosen slot an acceptor accepts: 4α. */
  readonly reach: number;
  readonly rules: Rules;
  /** The quorums of a configuration. Worked out once for each. */
  phasesOf(configuration: Configuration): Phases;
}

/** More than half of the members, for both phases. */
export function majorities(members: readonly ReplicaId[]): Phases {
  const half = threshold(members, Math.floor(members.length / 2) + 1);
  return { phase1: half, phase2: half };
}

/**
 * Checks `options` and fills in what they leave out. Throws {@link OptionsError},
 * {@link ConfigurationError} for members that a group cannot have, and core's QuorumError if its
 * quorums need not meet.
 */
export function groupOf(options: Options, rules: Rules): Group {
  const n = wholeOption('n', options.n, 1, membersLimit);
  const seats = wholeOption('seats', options.seats ?? n, n, Math.min(membersLimit, n + mostSeats));
  const quorums = options.quorums ?? majorities;
  const first = firstGroup(options, range(n), quorums);
  const electionTimeout = wholeOption('electionTimeout', options.electionTimeout ?? 300_000, 10);
  const pause = options.heartbeat ?? Math.floor(electionTimeout / 10);
  if (wholeOption('heartbeat', pause, 1) * 2 > electionTimeout)
    throw new OptionsError(
      `a heartbeat every ${pause} µs comes too late for an election timeout of ` +
        `${electionTimeout} µs: one that is lost ends a reign; use a tenth of it`,
    );
  const alpha = wholeOption('alpha', options.alpha ?? 16, 1, 1024);
  const commands = options.maxCommandsPerSlot ?? commandsLimit;
  const bytes = options.maxBytesPerSlot ?? 1 << 20;
  const maxBytesPerSlot = wholeOption('maxBytesPerSlot', bytes, leastBytesPerSlot);
  wholeOption('snapshotEvery', options.snapshotEvery ?? 0, 0);
  const known = new WeakMap<Configuration, Phases>();
  return {
    schemas: schemas({ maxBytesPerSlot }),
    members: range(seats),
    known: n,
    initial: Object.freeze([first]),
    quorums,
    alpha,
    governs: (slot, window) => rules.governs(slot, window),
    electionTimeout,
    heartbeat: pause,
    pipeline: wholeOption('pipeline', options.pipeline ?? Math.min(4, alpha), 1, alpha),
    maxCommandsPerSlot: wholeOption('maxCommandsPerSlot', commands, 1, commandsLimit),
    maxBytesPerSlot,
    maxWaiting: wholeOption('maxWaiting', options.maxWaiting ?? 65_536, 1),
    maxReads: wholeOption('maxReads', options.maxReads ?? 65_536, 1),
    keepSlots: wholeOption('keepSlots', options.keepSlots ?? 1_000, 0),
    leaseLength: leaseOf(options, electionTimeout),
    reach: 4 * alpha,
    rules,
    phasesOf(configuration) {
      let phases = known.get(configuration);
      if (phases === undefined) {
        phases = quorums(configuration.members, configuration.quorums);
        known.set(configuration, phases);
      }
      return phases;
    },
  };
}

/** How long a lease lasts by the leader's clock if others wait for `timeout` by theirs. */
export const leaseLength = (timeout: number, partsPerMillion: number): number =>
  Math.floor((timeout * (1_000_000 - partsPerMillion)) / (1_000_000 + partsPerMillion)) - 1;

function leaseOf({ reads, clockDrift }: Options, electionTimeout: number): number {
  const drift = wholeOption('clockDrift', clockDrift ?? 1000, 0, 500_000);
  return reads === 'lease' ? leaseLength(electionTimeout, drift) : 0;
}

/** The configuration that governs slot 0. */
function firstGroup(
  { initialMembers, f, unsafe = false }: Options,
  all: readonly ReplicaId[],
  quorums: Quorums,
): Configuration {
  const members = [...new Set(initialMembers ?? all)].sort((one, two) => one - two);
  if (members.length === 0)
    throw new ConfigurationError('the first group is empty; name at least one initial member');
  const stranger = members.find((each) => !all.includes(each));
  if (stranger !== undefined)
    throw new ConfigurationError(
      `initial member ${stranger} is not one of the ${all.length} replicas; ` +
        'raise n or leave it out',
    );
  const size = members.length;
  const most = Math.floor((size - 1) / 2);
  const faults = wholeOption('f', f ?? most, 0);
  if (size < 2 * faults + 1 && !unsafe)
    throw new OptionsError(
      `${size} members cannot survive ${faults} crashes: the ${size - faults} left are no ` +
        `majority of ${size}, so use ${2 * faults + 1} or more, or f = ${most} or less`,
    );
  const first = frozen({ members, quorums: '', fromSlot: 0 });
  const refused = unsafe ? undefined : quorumsRefused(quorums, first);
  if (refused !== undefined) throw new QuorumError(refused);
  return first;
}

/** Whether `from` is a member, or may become one. Clients and strangers are not. */
export const isKnown = (group: Group, from: PrincipalId): boolean => from < group.members.length;

/** The quorums that decide `slot`. */
export const phasesAt = (
  group: Group,
  { configurations }: { readonly configurations: readonly Configuration[] },
  slot: Slot,
): Phases => group.phasesOf(governing(configurations, slot));
