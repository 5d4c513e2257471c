/**
 * Raft: Ongaro and Ousterhout, "In Search of an Understandable Consensus Algorithm" (2014).
 * Elections (§5.2) are in `election.ts`, what a leader sends in `leader.ts`, replication (§5.3) in
 * `replication.ts`, compaction (§7) in `snapshot.ts`; what a replica does that has lost its disk,
 * which is not in the paper, in `rejoin.ts`.
 */
import type { Protocol } from '@quorumlab/core';
import { guards } from './admits.ts';
import {
  checkQuorum,
  electionTimeout,
  preVote,
  preVoteReply,
  requestVote,
  vote,
} from './election.ts';
import { type Group, groupOf, type Options } from './group.ts';
import { invariant } from './invariant.ts';
import { heartbeat, propose } from './leader.ts';
import { read } from './read-index.ts';
import { ask, isWaiting, onRejoin, rejoin, rejoinReply, start } from './rejoin.ts';
import { appendEntries, appendReply } from './replication.ts';
import { type Rules, rules } from './rules.ts';
import { installSnapshot, snapshotInstalled, snapshotReply, snapshotTaken } from './snapshot.ts';
import {
  type Context,
  firstStable,
  firstVolatile,
  type Raft,
  type Replica,
  stored,
} from './state.ts';
import { counter } from './term.ts';
import { conflict, vows } from './vows.ts';

/**
 * Raft for a group of `n`. Throws `OptionsError` if the group is too small for `f`, and core's
 * QuorumError if two quorums need not meet; both can be forced with `unsafe`. The second argument
 * exists for tests of what happens when a rule is wrong.
 *
 * @example
 * ```ts
 * import { simulateService } from '@quorumlab/harness';
 * import { keyValueStore, kv } from '@quorumlab/log';
 * import { raft } from '@quorumlab/raft';
 *
 * const group = raft({ n: 3 });
 * const { submit } = simulateService(group, { stateMachine: keyValueStore });
 * submit(kv.put('greeting', 'hello'));
 * console.log(kv.result(submit(kv.get('greeting')))); // { kind: 'value', value: the five bytes }
 * ```
 */
export function raft(options: Options, chosen: Partial<Rules> = {}): Protocol<Raft> {
  const group = groupOf(options, { ...rules, ...chosen });
  const { n, f = Math.floor((n - 1) / 2), snapshotEvery = 10_000 } = options;
  const told =
    <M>(handle: (group: Group, replica: Replica, message: M, ctx: Context) => void) =>
    (replica: Replica, message: M, ctx: Context): void =>
      handle(group, replica, message, ctx);
  /** As `told`, but deaf while its replica waits: it may have promised what it would break. */
  const awake =
    <M>(handle: (group: Group, replica: Replica, message: M, ctx: Context) => void) =>
    (replica: Replica, message: M, ctx: Context): void => {
      if (!isWaiting(replica)) handle(group, replica, message, ctx);
    };
  return {
    name: 'raft',
    version: 4,
    claims: { faults: 'crash', replicas: (faults) => 2 * faults + 1, order: 'total' },
    members: group.members,
    f,
    client: { matching: 1, ask: 'leader', signed: false },
    messages: group.schemas.messages,
    limitedBy: { 'append-entries': 'maxBytesPerAppend' },
    stored: stored(group.schemas),
    stable: firstStable,
    volatile: firstVolatile,
    start: (replica, ctx) => start(group, replica, ctx),
    rejoin: (replica, ctx, incarnation) => rejoin(group, replica, ctx, incarnation),
    propose: (leader, command, ctx) => propose(group, leader, command, ctx),
    read: (leader, id, ctx) => read(group, leader, id, ctx),
    on: {
      'pre-vote': awake(preVote),
      'pre-vote-reply': awake(preVoteReply),
      'request-vote': awake(requestVote),
      vote: awake(vote),
      'append-entries': awake(appendEntries),
      'append-reply': awake(appendReply),
      'install-snapshot': awake(installSnapshot),
      'snapshot-reply': awake(snapshotReply),
      rejoin: told(onRejoin),
      'rejoin-reply': told(rejoinReply),
    },
    admits: guards(group),
    timeout(replica, timer, ctx) {
      switch (timer) {
        case 'election':
          return electionTimeout(group, replica, ctx);
        case 'heartbeat':
          return heartbeat(group, replica, ctx);
        case 'check-quorum':
          return checkQuorum(group, replica, ctx);
        case 'rejoin':
          return ask(group, replica, ctx);
      }
    },
    snapshotEvery,
    snapshotTaken: (replica, slot, digest, ctx) => snapshotTaken(group, replica, slot, digest, ctx),
    snapshotInstalled,
    status(replica) {
      const { leader, currentTerm: term } = replica;
      const role = isWaiting(replica) ? 'rejoining' : replica.role;
      return leader === null ? { term, role } : { leader, term, role };
    },
    counter,
    vows,
    conflict: (message, fork, known) => conflict(group, message, fork, known),
    invariant,
  };
}
