/**
 * Raft: Ongaro and Ousterhout, "In Search of an Understandable Consensus Algorithm" (2014).
 * Elections (§5.2) are in `election.ts`, what a leader sends in `leader.ts`, replication (§5.3) in
 * `replication.ts`, compaction (§7) in `snapshot.ts`, reads in `read-index.ts`, `lease.ts` and
 * `follower-read.ts`, changes of the group (§6) in `change.ts`, of who leads it in `transfer.ts`;
 * what a replica does that has lost its disk, which is not in the paper, in `rejoin.ts`.
 *
 * ```text
 *                    on disk: currentTerm, votedFor, log[]      in memory: commitIndex, lastApplied
 *                    a leader: nextIndex[i] and matchIndex[i] for each server i
 * servers-2          upon any message of a term > currentTerm:
 *                      currentTerm ← that term; votedFor ← null; become follower
 * servers-1          while commitIndex > lastApplied: lastApplied++; apply log[lastApplied]
 *
 *                    Leader election (§5.2, §5.4.1)
 * followers-2        upon an election timeout without a word of a leader:
 * pre-vote-1           become pre-candidate; send PreVote(currentTerm + 1, last entry) to all
 *                    upon PreVote: ignore it as RequestVote is ignored;
 * pre-vote-2           grant if the term is new and the log at least as up-to-date as the own
 * candidates-1       upon pre-votes of a majority:
 *                      become candidate; currentTerm++; votedFor ← self
 *                      send RequestVote(currentTerm, last entry) to all
 * loyal              upon RequestVote: ignore it if a leader was heard within a timeout
 * request-vote-1       refuse if term < currentTerm
 * request-vote-2       if votedFor is null or the candidate, whose log is as up-to-date:
 *                        votedFor ← candidate; grant
 * candidates-2       upon votes of a majority at a candidate: become leader
 *                      nextIndex[] ← last index + 1; matchIndex[] ← 0
 * leaders-1            append a no-op of currentTerm to log (§8)
 * check-quorum       upon an election timeout in which no majority answered the leader:
 *                      become follower
 *
 *                    Log replication (§5.3, §5.4.2)
 * leaders-2          upon a command of a client at the leader: append it to log
 * leaders-3          while last index ≥ nextIndex[i]:
 *                      send AppendEntries(currentTerm, prevIndex ← nextIndex[i] - 1,
 *                        prevTerm, entries, leaderCommit ← commitIndex) to i
 * leaders-heartbeat  each heartbeat: send AppendEntries without entries to all
 * append-1           upon AppendEntries: refuse if term < currentTerm
 * candidates-3         if candidate: become follower
 * append-2             refuse if log[prevIndex].term ≠ prevTerm
 * append-3             if an entry has another term than the new one: delete it and all after it
 * append-4             append entries that are not in log
 * append-5             commitIndex ← max(commitIndex, min(leaderCommit, last new index))
 *                      answer success up to the last new index
 *                    upon an answer of i in currentTerm at the leader:
 * leaders-3-success    success: raise matchIndex[i] and nextIndex[i]
 * leaders-3-failure    refused: lower nextIndex[i]
 * leaders-4            if a majority has matchIndex ≥ N > commitIndex and
 *                      log[N].term = currentTerm: commitIndex ← N
 *
 * read-1             upon a read at the leader, once log[commitIndex].term = currentTerm (§8):
 *                      readIndex ← commitIndex
 * read-2               send a round of heartbeats
 * read-3               upon answers of a majority to it: the read may go at readIndex
 *
 *                    With leases (thesis 6.4.1)
 * lease-1            upon start: ignore elections for an election timeout, as if a leader was heard
 * lease-2            upon a read at the leader, while grants of a majority last: it may go
 *
 *                    Compaction (§7)
 * snapshot-take      upon a durable snapshot: remember its last index and term; drop the log below
 * leaders-snapshot   if log begins after nextIndex[i]: send InstallSnapshot instead
 * install-1          upon InstallSnapshot: refuse if term < currentTerm
 * install-5            get the snapshot and make it durable
 * install-6            if log has its last entry: keep what follows
 * install-7            else: drop the log;
 *                      commitIndex ← lastApplied ← the last index of the snapshot
 * ```
 *
 * Beyond this page: `rejoin-1` to come back without a disk, and `rejoin-2`, `rejoin-3`, `rejoin-4`
 * (`rejoin.ts`); the group is changed by `latest`, `change-wait`, `change-refuse`, `catch-up-1`,
 * `catch-up-2`, `catch-up-3`, `single`, `joint-1`, `joint-2`, `leave` and `snapshot-configuration`
 * (`change.ts`); the lead is handed over by `transfer-1`, `transfer-2`, `transfer-3`, `transfer-4`
 * (`transfer.ts`); and followers read by `follower-read-1`, `follower-read-2`, `follower-read-3`
 * (`follower-read.ts`). These files have a page of their own. "Majority" is one of the latest
 * configuration in the log, and of both groups while that is joint.
 *
 * The roles (Figure 4), with the pre-candidates of the thesis (9.6) and whoever lost its disk:
 *
 * | from | to | when |
 * |---|---|---|
 * | | follower | it starts, with a disk |
 * | follower | pre-candidate | an election timeout, with PreVote |
 * | follower | candidate | an election timeout, without PreVote; or its leader wants it so |
 * | pre-candidate | candidate | pre-votes of a majority |
 * | pre-candidate | follower | a leader, a vote for another one, or a higher term |
 * | candidate | pre-candidate | an election timeout: nobody has won |
 * | candidate | leader | votes of a majority |
 * | candidate | follower | a leader of its term, or a higher term |
 * | leader | follower | a higher term, no majority answers, or it has left the group |
 * | | rejoining | it starts, and its disk was lost |
 * | rejoining | follower | all others have answered |
 */
import type { Protocol } from '@quorumlab/core';
import { guards } from './admits.ts';
import { catchUpTimeout, changeGroup } from './change.ts';
import {
  checkQuorum,
  electionTimeout,
  preVote,
  preVoteReply,
  requestVote,
  vote,
} from './election.ts';
import { readAtFollower, readIndex, readIndexReply } from './follower-read.ts';
import { groupOf, type Options } from './group.ts';
import { invariant } from './invariant.ts';
import { heartbeat, propose } from './leader.ts';
import { roster } from './members.ts';
import { read } from './read-index.ts';
import { askToRejoin, isWaiting, onRejoin, rejoin, rejoinReply, start } from './rejoin.ts';
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
import { timeoutNow, transferTimeout } from './transfer.ts';
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
  const { snapshotEvery = 10_000, followerReads: readsAnywhere = false } = options;
  const { f = Math.floor((group.initial.voters.length - 1) / 2) } = options;
  return {
    name: 'raft',
    version: 5,
    claims: { faults: 'crash', replicas: (faults) => 2 * faults + 1, order: 'total' },
    members: group.members,
    group,
    f,
    client: {
      matching: 1,
      ask: 'leader',
      signed: false,
      ...(readsAnywhere ? { readsAnywhere } : {}),
    },
    messages: group.schemas.messages,
    limitedBy: { 'append-entries': 'maxBytesPerAppend' },
    stored: stored(group.schemas),
    stable: firstStable,
    volatile: (stable) => firstVolatile(stable, group.initial),
    start,
    rejoin,
    propose: (leader, command, ctx) =>
      command.configuration === undefined
        ? propose(leader, command, ctx)
        : changeGroup(leader, command, ctx),
    read: (replica, id, ctx) =>
      replica.role === 'leader' ? read(replica, id, ctx) : readAtFollower(replica, id, ctx),
    on: {
      'pre-vote': awake(preVote),
      'pre-vote-reply': awake(preVoteReply),
      'request-vote': awake(requestVote),
      vote: awake(vote),
      'append-entries': awake(appendEntries),
      'append-reply': awake(appendReply),
      'install-snapshot': awake(installSnapshot),
      'snapshot-reply': awake(snapshotReply),
      rejoin: onRejoin,
      'rejoin-reply': rejoinReply,
      'timeout-now': awake(timeoutNow),
      'read-index': awake(readIndex),
      'read-index-reply': awake(readIndexReply),
    },
    admits: guards(group),
    timeout(replica, timer, ctx) {
      switch (timer) {
        case 'election':
          return electionTimeout(replica, ctx);
        case 'heartbeat':
          return heartbeat(replica, ctx);
        case 'check-quorum':
          return checkQuorum(replica, ctx);
        case 'rejoin':
          return askToRejoin(replica, ctx);
        case 'catch-up':
          return catchUpTimeout(replica, ctx);
        case 'transfer':
          return transferTimeout(replica, ctx);
      }
    },
    snapshotEvery,
    snapshotTaken,
    snapshotInstalled,
    status(replica) {
      const { leader, currentTerm: term } = replica;
      const role = isWaiting(replica) ? 'rejoining' : replica.role;
      return leader === null ? { term, role } : { leader, term, role };
    },
    roster: (replica) => roster(group, replica),
    counter,
    vows,
    conflict: (message, fork, known) => conflict(group, message, fork, known),
    invariant,
  };
}

/** A handler that is deaf while its replica waits: it may have promised what it would break. */
const awake =
  <M>(handle: (replica: Replica, message: M, ctx: Context) => void) =>
  (replica: Replica, message: M, ctx: Context): void => {
    if (!isWaiting(replica)) handle(replica, message, ctx);
  };
