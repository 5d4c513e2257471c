/**
 * Basic Paxos as one table: its options, and everything about it that is data. What it does is in
 * `synod.ts`.
 */
import {
  ballotOwner,
  majority,
  OptionsError,
  type Phases,
  type Protocol,
  range,
  requireOverlap,
  type Status,
} from '@quorumlab/core';
import { guards } from './admits.ts';
import { type BasicPaxosMessage, codec } from './messages.ts';
import { type Rules, rules } from './rules.ts';
import {
  type BasicPaxos,
  type BasicPaxosReplica,
  type Group,
  invariant,
  stable,
  stored,
  volatile,
} from './state.ts';
import { synod } from './synod.ts';
import { conflict, vows } from './vows.ts';

/** How a group runs Basic Paxos, the same for all members. Times are integer microseconds. */
export interface BasicPaxosOptions {
  /** How many replicas the group has. */
  readonly n: number;
  /** How many of them may crash; as many as n allows unless told. */
  readonly f?: number;
  /** Allow an n that is too small for f, or quorums that do not meet. For experiments only. */
  readonly unsafe?: boolean;
  /** Who must promise and who must accept; more than half for both unless told. */
  readonly quorums?: Phases;
  /** A first attempt is given from this to twice this; doubled after each vain one. 50 ms. */
  readonly retry?: number;
  /** The doubling of `retry` ends here. 1 s unless told. */
  readonly maxRetry?: number;
}

/**
 * Basic Paxos for a group of `n`: a log of one slot. Throws {@link OptionsError} if the
 * group is too small for `f`, and core's QuorumError if a phase 1 quorum need not meet a phase 2
 * quorum; both can be forced with `unsafe`. The second argument exists for tests of what happens
 * when a rule is wrong.
 */
export function basicPaxos(
  options: BasicPaxosOptions,
  chosen: Partial<Rules> = {},
): Protocol<BasicPaxos> {
  const group = groupOf(options, { ...rules, ...chosen });
  return {
    name: 'basic-paxos',
    version: 3,
    claims: { faults: 'crash', replicas: (faults) => 2 * faults + 1, order: 'total' },
    members: group.members,
    f: options.f ?? Math.floor((group.n - 1) / 2),
    length: 1,
    client: { matching: 1, ask: 'any', signed: false },
    messages: codec,
    stored,
    stable,
    volatile,
    ...synod(group),
    admits: guards(group),
    termWord: 'ballot',
    counter: {
      name: 'ballot',
      said: highestBallot,
      known: ({ promised, ballot, heard }) => Math.max(promised, ballot, heard),
    },
    status: (replica) => statusOf(replica, group.n),
    vows,
    conflict,
    invariant,
  };
}

/** The highest ballot that a message would have its receiver take over. */
function highestBallot(message: BasicPaxosMessage): number {
  const ballot = 'ballot' in message ? message.ballot : 0;
  if (message.kind === 'promise') return Math.max(ballot, message.accepted?.ballot ?? 0);
  return message.kind === 'nack' ? message.promised : ballot;
}

/** There is no leader; whoever's ballot was promised last comes nearest to one. */
function statusOf({ promised, ballot, phase, rejoined }: BasicPaxosReplica, n: number): Status {
  const role = rejoined ? 'learner' : phase === 'idle' ? 'acceptor' : 'proposer';
  const term = phase === 'idle' ? promised : ballot;
  return term === 0 ? { term, role } : { leader: ballotOwner(term, n), term, role };
}

/** The options with every default, checked. */
function groupOf(options: BasicPaxosOptions, chosen: Rules): Group {
  const { n, unsafe = false } = options;
  atLeast('n', n, 1);
  const f = atLeast('f', options.f ?? Math.floor((n - 1) / 2), 0);
  if (n < 2 * f + 1 && !unsafe)
    throw new OptionsError(
      `${n} replicas cannot survive ${f} crashes: the ${n - f} left are no majority of ${n}, ` +
        `so use n = ${2 * f + 1} or more, or f = ${Math.floor((n - 1) / 2)} or less`,
    );
  const quorums = options.quorums ?? { phase1: majority(n), phase2: majority(n) };
  if (!unsafe) requireOverlap(quorums);
  const retry = atLeast('retry', options.retry ?? 50_000, 1);
  const maxRetry = atLeast('maxRetry', options.maxRetry ?? Math.max(retry, 1_000_000), retry);
  return { n, members: range(n), quorums, retry, maxRetry, rules: chosen };
}

function atLeast(name: string, value: number, least: number): number {
  if (!(Number.isInteger(value) && value >= least))
    throw new OptionsError(`${name} is ${value}; use an integer of ${least} or more`);
  return value;
}
