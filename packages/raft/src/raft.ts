/**
 * Raft: Ongaro and Ousterhout, "In Search of an Understandable Consensus Algorithm" (2014).
 * The state of Figure 2 is in `state.ts`, elections (§5.2) in `election.ts`, what a leader sends
 * in `leader.ts`, replication (§5.3) in `replication.ts`, compaction (§7) in `snapshot.ts`; what a
 * replica does that has lost its disk, which is not in the paper, in `rejoin.ts`.
 */
import {
  majority,
  OptionsError,
  type Protocol,
  type QuorumSystem,
  range,
  requireOverlap,
  type Status,
} from '@quorumlab/core';
import { guards } from './admits.ts';
import { checkQuorum, electionHandlers, electionTimeout } from './election.ts';
import { append, heartbeat, mayAppend } from './leader.ts';
import { entriesLimit, leastBytesPerAppend, type RaftMessage, raftMessages } from './messages.ts';
import { read } from './read-index.ts';
import { ask, deafWhileWaiting, isWaiting, rejoin, rejoinHandlers } from './rejoin.ts';
import { replicationHandlers } from './replication.ts';
import { type Rules, rules } from './rules.ts';
import { snapshotHandlers, snapshotInstalled, snapshotTaken } from './snapshot.ts';
import {
  type Group,
  invariant,
  type Raft,
  type RaftReplica,
  stable,
  stored,
  volatile,
} from './state.ts';
import { setElectionTimer } from './term.ts';
import { conflict, vows } from './vows.ts';

/** How a group runs Raft, the same for all members. Times are integer microseconds. */
export interface RaftOptions {
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

/**
 * Raft for a group of `n`. Throws {@link OptionsError} if the group is too small for `f`, and
 * core's QuorumError if two quorums need not meet; both can be forced with `unsafe`.
 * The second argument exists for tests of what happens when a rule is wrong.
 */
export function raft(options: RaftOptions, chosen: Partial<Rules> = {}): Protocol<Raft> {
  const group = groupOf(options, { ...rules, ...chosen });
  const { n, f = Math.floor((n - 1) / 2), snapshotEvery = 10_000 } = options;
  return {
    name: 'raft',
    version: 4,
    claims: { faults: 'crash', replicas: (faults) => 2 * faults + 1, order: 'total' },
    members: group.members,
    f,
    client: { matching: 1, ask: 'leader', signed: false },
    messages: raftMessages(group.maxBytesPerAppend),
    limitedBy: { 'append-entries': 'maxBytesPerAppend' },
    stored,
    stable,
    volatile,
    snapshotEvery,

    start(replica, ctx) {
      if (!isWaiting(replica)) setElectionTimer(group, ctx);
      ask(group, replica, ctx);
    },

    rejoin: (replica, ctx, incarnation) => rejoin(group, replica, ctx, incarnation),

    propose(leader, command, ctx) {
      if (leader.role !== 'leader') return;
      if (!mayAppend(group, leader, command)) return;
      ctx.line('leaders-2');
      append(group, leader, command, ctx);
    },

    read: (leader, id, ctx) => read(group, leader, id, ctx),

    on: {
      ...deafWhileWaiting({
        ...electionHandlers(group),
        ...replicationHandlers(group),
        ...snapshotHandlers(group),
      }),
      ...rejoinHandlers(group),
    },

    admits: guards(group),

    timeout(replica, timer, ctx) {
      if (timer === 'election') electionTimeout(group, replica, ctx);
      if (timer === 'heartbeat') heartbeat(group, replica, ctx);
      if (timer === 'check-quorum') checkQuorum(group, replica, ctx);
      if (timer === 'rejoin') ask(group, replica, ctx);
    },

    snapshotTaken: (replica, slot, digest, ctx) => snapshotTaken(group, replica, slot, digest, ctx),
    snapshotInstalled,

    status: statusOf,
    counter: { name: 'term', said: highestTerm, known: ({ currentTerm }) => currentTerm },
    vows,
    conflict: (message, fork, known) => conflict(message, fork, known, n),
    invariant,
  };
}

/** The highest term that a message would have its receiver take over, into its log as well. */
function highestTerm(message: RaftMessage): number {
  const term = 'term' in message ? message.term : 0;
  if (message.kind === 'append-entries') return Math.max(term, message.entries.at(-1)?.term ?? 0);
  if (message.kind === 'rejoin-reply') return Math.max(term, message.lastTerm, message.ownTerm);
  return message.kind === 'install-snapshot' ? Math.max(term, message.lastTerm) : term;
}

function statusOf(replica: RaftReplica): Status {
  const { leader, currentTerm: term } = replica;
  const role = isWaiting(replica) ? 'rejoining' : replica.role;
  return leader === null ? { term, role } : { leader, term, role };
}

/** The options with every default, checked. */
function groupOf(options: RaftOptions, chosen: Rules): Group {
  const { n, unsafe = false } = options;
  atLeast('n', n, 1);
  const f = options.f ?? Math.floor((n - 1) / 2);
  atLeast('f', f, 0);
  if (n < 2 * f + 1 && !unsafe)
    throw new OptionsError(
      `${n} replicas cannot survive ${f} crashes: the ${n - f} left are no majority of ${n}, ` +
        `so use n = ${2 * f + 1} or more, or f = ${Math.floor((n - 1) / 2)} or less`,
    );
  const quorum = options.quorum ?? majority(n);
  if (!unsafe) requireOverlap({ phase1: quorum, phase2: quorum });
  const electionTimeout = atLeast('electionTimeout', options.electionTimeout ?? 300_000, 10);
  const pause = options.heartbeat ?? Math.floor(electionTimeout / 10);
  if (atLeast('heartbeat', pause, 1) * 2 > electionTimeout)
    throw new OptionsError(
      `a heartbeat every ${pause} µs comes too late for an election timeout of ` +
        `${electionTimeout} µs: one that is lost ends a reign; use a tenth of it`,
    );
  const entries = atLeast('maxEntriesPerAppend', options.maxEntriesPerAppend ?? entriesLimit, 1);
  if (entries > entriesLimit)
    throw new OptionsError(`maxEntriesPerAppend is ${entries}; use ${entriesLimit} or less`);
  const bytes = options.maxBytesPerAppend ?? 1_048_576;
  atLeast('snapshotEvery', options.snapshotEvery ?? 0, 0);
  return {
    members: range(n),
    quorum,
    electionTimeout,
    heartbeat: pause,
    preVote: options.preVote ?? true,
    checkQuorum: options.checkQuorum ?? true,
    maxEntriesPerAppend: entries,
    maxBytesPerAppend: atLeast('maxBytesPerAppend', bytes, leastBytesPerAppend),
    maxInFlight: atLeast('maxInFlight', options.maxInFlight ?? 4, 1),
    maxUncommitted: atLeast('maxUncommitted', options.maxUncommitted ?? 65_536, 1),
    maxReads: atLeast('maxReads', options.maxReads ?? 65_536, 1),
    keepEntries: atLeast('keepEntries', options.keepEntries ?? 1_000, 0),
    rules: chosen,
  };
}

function atLeast(name: string, value: number, least: number): number {
  if (!(Number.isInteger(value) && value >= least))
    throw new OptionsError(`${name} is ${value}; use an integer of ${least} or more`);
  return value;
}
