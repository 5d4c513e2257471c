/**
 * Multi-Paxos: Lamport, "Paxos Made Simple" (2001), §3. The state is in `state.ts`, phase 1 in
 * `election.ts` and `phase1.ts`, phase 2 in `leader.ts`, the acceptor in `acceptor.ts`, the learner
 * in `learner.ts` and `catch-up.ts`, the membership in `configuration.ts`.
 */
import {
  assert,
  OptionsError,
  type Phases,
  type Protocol,
  QuorumError,
  type ReplicaId,
  range,
  threshold,
} from '@quorumlab/core';
import { acceptorHandlers } from './acceptor.ts';
import { guards } from './admits.ts';
import { counter } from './ballots.ts';
import { catchUpHandlers } from './catch-up.ts';
import {
  type Configuration,
  ConfigurationError,
  frozen,
  membersLimit,
  type Quorums,
  quorumsRefused,
} from './configuration.ts';
import { electionHandlers, electionTimeout } from './election.ts';
import { checkQuorum, enqueue, heartbeatTimeout, leaderHandlers } from './leader.ts';
import { catchUpTimeout, executeNext } from './learner.ts';
import { commandsLimit, leastBytesPerSlot, multiPaxosMessages } from './messages.ts';
import { read } from './read.ts';
import { ask, rejoin, rejoinHandlers } from './rejoin.ts';
import { setElectionTimer } from './role.ts';
import { type Rules, rules } from './rules.ts';
import { snapshotInstalled, snapshotTaken } from './snapshot.ts';
import {
  type Group,
  invariant,
  type MultiPaxos,
  type PaxosContext,
  type PaxosReplica,
  stable,
  stored,
  volatile,
} from './state.ts';
import { conflict, vows } from './vows.ts';

/** How a group runs Multi-Paxos, the same for all members. Times are integer microseconds. */
export interface MultiPaxosOptions {
  /** How many replicas there are: members of the group, and those that may become one. */
  readonly n: number;
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

/** More than half of the members, for both phases. */
export function majorities(members: readonly ReplicaId[]): Phases {
  const half = threshold(members, Math.floor(members.length / 2) + 1);
  return { phase1: half, phase2: half };
}

/**
 * Multi-Paxos for a group. Throws {@link OptionsError} if it is too small for `f`,
 * ConfigurationError for members that it cannot have, and core's QuorumError if its quorums need
 * not meet. The second argument exists for tests of what happens when a rule is wrong.
 */
export function multiPaxos(
  options: MultiPaxosOptions,
  chosen: Partial<Rules> = {},
): Protocol<MultiPaxos> {
  const group = groupOf(options, { ...rules, ...chosen });
  const { snapshotEvery = 10_000 } = options;
  return {
    name: 'multi-paxos',
    version: 3,
    claims: { faults: 'crash', replicas: (faults) => 2 * faults + 1, order: 'total' },
    members: group.members,
    f: options.f ?? Math.floor((sizeOf(group) - 1) / 2),
    client: { matching: 1, ask: 'leader', signed: false, forwards: true },
    messages: multiPaxosMessages(group.maxBytesPerSlot),
    limitedBy,
    stored: stored(group.maxBytesPerSlot),
    stable,
    volatile: (disk) => volatile(group, disk),
    snapshotEvery,

    start(replica, ctx, incarnation) {
      resumeFromDisk(group, replica, ctx);
      if (replica.rejoining) rejoin(group, replica, ctx, incarnation);
      else setElectionTimer(group, ctx);
    },
    rejoin: (replica, ctx, incarnation) => rejoin(group, replica, ctx, incarnation),

    propose(replica, command, ctx) {
      if (replica.role === 'leader') return enqueue(group, replica, command, ctx);
      if (replica.leader === null) return;
      ctx.line('forward');
      ctx.send(replica.leader, { kind: 'forward', command });
    },

    read: (leader, id, ctx) => read(group, leader, id, ctx),

    on: {
      ...electionHandlers(group),
      ...acceptorHandlers(group),
      ...leaderHandlers(group),
      ...catchUpHandlers(group),
      ...rejoinHandlers(group),
    },

    admits: guards(group),

    timeout(replica, timer, ctx) {
      if (timer === 'election') electionTimeout(group, replica, ctx);
      if (timer === 'heartbeat') heartbeatTimeout(group, replica, ctx);
      if (timer === 'check-quorum') checkQuorum(group, replica, ctx);
      if (timer === 'catch-up') catchUpTimeout(group, replica, ctx);
      if (timer === 'recall') ask(group, replica, ctx);
    },

    snapshotTaken: (replica, slot, digest, ctx, configuration) =>
      snapshotTaken(group, replica, slot, digest, ctx, configuration),
    snapshotInstalled: (replica, slot, digest, ctx, configuration) =>
      snapshotInstalled(group, replica, slot, digest, ctx, configuration),

    termWord: 'ballot',
    counter,
    status: ({ leader, promised: term, role }) =>
      leader === null ? { term, role } : { leader, term, role },
    vows,
    conflict,
    invariant: (replica) => invariant(group, replica),
  };
}

const slotOption = 'maxBytesPerSlot';
const limitedBy = {
  accept: slotOption,
  promise: slotOption,
  learn: slotOption,
  recalled: slotOption,
};

/** The application has the snapshot only: what the disk knows to be chosen runs again. */
function resumeFromDisk(group: Group, replica: PaxosReplica, ctx: PaxosContext): void {
  while (replica.firstUnchosen < replica.chosenBelow) {
    const vote = replica.accepted.get(replica.firstUnchosen);
    assert(vote !== undefined, 'the disk has lost the value of a slot that it knows to be chosen');
    executeNext(group, replica, vote.value, ctx);
  }
}

const sizeOf = ({ initial }: Group): number => initial[0]?.members.length ?? 0;

/** The options with every default, checked. */
function groupOf(options: MultiPaxosOptions, chosen: Rules): Group {
  const n = within('n', options.n, 1, membersLimit);
  const members = range(n);
  const quorums = options.quorums ?? majorities;
  const first = firstGroup(options, members, quorums);
  const electionTimeout = within('electionTimeout', options.electionTimeout ?? 300_000, 10);
  const pause = options.heartbeat ?? Math.floor(electionTimeout / 10);
  if (within('heartbeat', pause, 1) * 2 > electionTimeout)
    throw new OptionsError(
      `a heartbeat every ${pause} µs comes too late for an election timeout of ` +
        `${electionTimeout} µs: one that is lost ends a reign; use a tenth of it`,
    );
  const alpha = within('alpha', options.alpha ?? 16, 1, 1024);
  const commands = options.maxCommandsPerSlot ?? commandsLimit;
  within('snapshotEvery', options.snapshotEvery ?? 0, 0);
  const known = new WeakMap<Configuration, Phases>();
  return {
    members,
    initial: Object.freeze([first]),
    quorums,
    alpha,
    governs: (slot, window) => chosen.governs(slot, window),
    electionTimeout,
    heartbeat: pause,
    pipeline: within('pipeline', options.pipeline ?? Math.min(4, alpha), 1, alpha),
    maxCommandsPerSlot: within('maxCommandsPerSlot', commands, 1, commandsLimit),
    maxBytesPerSlot: within(
      'maxBytesPerSlot',
      options.maxBytesPerSlot ?? 1 << 20,
      leastBytesPerSlot,
    ),
    maxWaiting: within('maxWaiting', options.maxWaiting ?? 65_536, 1),
    maxReads: within('maxReads', options.maxReads ?? 65_536, 1),
    keepSlots: within('keepSlots', options.keepSlots ?? 1_000, 0),
    reach: 4 * alpha,
    rules: chosen,
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

/** The configuration that governs slot 0. */
function firstGroup(
  { initialMembers, f, unsafe = false }: MultiPaxosOptions,
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
  const faults = within('f', f ?? most, 0);
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

function within(
  name: string,
  value: number,
  least: number,
  most = Number.MAX_SAFE_INTEGER,
): number {
  if (!(Number.isInteger(value) && value >= least && value <= most))
    throw new OptionsError(
      `${name} is ${value}; use an integer of ${least} or more` +
        (most === Number.MAX_SAFE_INTEGER ? '' : ` and ${most} or less`),
    );
  return value;
}
