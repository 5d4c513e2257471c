/** Log replication: §5.3, and §5.4.2 on when an entry is committed. */
import {
  assert,
  type Configured,
  committedIndex,
  type ReplicaId,
  type Signed,
} from '@quorumlab/core';
import { mayRefuse } from './answers.ts';
import { goOn, settleGroup } from './change.ts';
import { encodeConfiguration } from './configuration.ts';
import { electorate } from './group.ts';
import { countOwn, forget, pipelineOf, replicateTo } from './leader.ts';
import { noteGrant } from './lease.ts';
import { firstOfTerm, lastIndex, termAt } from './log.ts';
import { configurationAt, isPeer, noteCommitted, noteCut, noteEntry } from './members.ts';
import type { AppendEntries, AppendReply, Entry, Index } from './messages.ts';
import { maybeAllowReads, maybeStartReadRound } from './read-index.ts';
import { caughtUp } from './rejoin.ts';
import type { Context, Replica } from './state.ts';
import { becomeFollower, updateTerm } from './term.ts';
import { tellSuccessor } from './transfer.ts';

/** Whether the follower's log holds the leader's entry before the new ones. */
const matches = (follower: Replica, { prevIndex, prevTerm }: AppendEntries): boolean =>
  // What was dropped was committed, and every leader has what is committed (§5.4.3).
  prevIndex <= follower.compacted.index || termAt(follower, prevIndex) === prevTerm;

/** Takes over the new entries. False if that would undo a committed one: then the sender lies. */
function store(follower: Replica, message: AppendEntries, ctx: Context): boolean {
  let index = message.prevIndex;
  for (const entry of message.entries) {
    index += 1;
    if (index <= follower.compacted.index) continue;
    const term = termAt(follower, index);
    // Never cut what merely goes on after this message: it may be late, and the rest acknowledged.
    if (term === entry.term) continue;
    if (term !== undefined) {
      if (index <= follower.commitIndex) return false;
      ctx.line('append-3');
      ctx.drop('log', { from: index });
      noteCut(follower, index);
    }
    ctx.line('append-4');
    assert(index === lastIndex(follower) + 1, 'an entry would leave a gap in the log');
    ctx.put('log', index, entry);
    noteEntry(follower, index, entry, ctx);
  }
  return true;
}

/** Figure 2, All servers: what is committed is applied, in order and once. */
function commit(replica: Replica, index: Index, ctx: Context): void {
  assert(index <= lastIndex(replica), 'an entry is committed that is not in the log');
  replica.commitIndex = index;
  while (replica.lastApplied < index) {
    replica.lastApplied += 1;
    const entry = replica.log.get(replica.lastApplied);
    assert(entry !== undefined, 'a committed entry is missing in the log');
    ctx.line('servers-1');
    if (replica.role === 'leader') forget(replica, entry.command);
    // The paper counts entries from 1, slots count from 0.
    const commands = entry.command === null ? [] : [entry.command];
    const configured = outcomeOf(replica, entry);
    if (configured === undefined) ctx.decide(replica.lastApplied - 1, commands);
    else ctx.decide(replica.lastApplied - 1, commands, undefined, configured);
  }
  if (replica.configurations.length > 1) noteCommitted(replica);
}

/** What an entry about the group came to; nothing for all others. */
function outcomeOf(replica: Replica, { configuration, refusal }: Entry): Configured | undefined {
  if (configuration === undefined && refusal === undefined) return undefined;
  const state = encodeConfiguration(configurationAt(replica, replica.lastApplied));
  return refusal === undefined || refusal === '' ? { state } : { state, refusal };
}

/** The refusal of Figure 2, with the hint of §5.3: skip back over a whole term at once. */
function refuse(follower: Replica, { prevIndex, round }: AppendEntries): AppendReply {
  const conflictTerm = termAt(follower, prevIndex) ?? 0;
  const conflictIndex =
    conflictTerm === 0
      ? lastIndex(follower) + 1
      : firstOfTerm(follower, conflictTerm, follower.commitIndex, prevIndex);
  const term = follower.currentTerm;
  return {
    kind: 'append-reply',
    term,
    success: false,
    index: prevIndex,
    conflictTerm,
    conflictIndex,
    round,
  };
}

/** Figure 2, Leaders: the highest N that a quorum holds becomes commitIndex. */
function maybeCommit(leader: Replica, ctx: Context): void {
  const { group } = ctx;
  const highest = committedIndex(electorate(group, leader).quorum, leader.matchIndex) ?? 0;
  if (highest <= leader.commitIndex || !group.rules.mayCommit(leader, highest)) return;
  ctx.line('leaders-4');
  const holds = (id: ReplicaId): boolean => (leader.matchIndex.get(id) ?? 0) >= highest;
  ctx.voters(electorate(group, leader).voters.filter(holds));
  commit(leader, highest, ctx);
  settleGroup(leader, ctx);
  maybeStartReadRound(leader, ctx);
}

/** `member`'s log is durable and equal to the leader's up to `index`. */
export function acknowledge(leader: Replica, member: ReplicaId, index: Index, ctx: Context): void {
  if (index > lastIndex(leader)) return; // Nobody can have more of this log than its leader.
  if (member !== ctx.self) openWindow(leader, member, index, ctx);
  if (index <= (leader.matchIndex.get(member) as Index)) return;
  leader.matchIndex.set(member, index);
  if (index > leader.commitIndex) maybeCommit(leader, ctx);
  if (leader.catchUp !== null) goOn(leader, ctx);
  if (leader.transfer !== null) tellSuccessor(leader, ctx);
}

/** Whether the follower answers a later round, or has more of the log, or less than thought. */
export function isNews(leader: Replica, reply: Signed<AppendReply>): boolean {
  const { success, index, round, from } = reply;
  if (round > leader.round || !leader.pipelines.has(from)) return false;
  if (round > pipelineOf(leader, from).ackedRound) return true;
  return success ? movesWindow(leader, from, index) : isRefusal(leader, reply);
}

/** Whether it changes what may be sent to `follower` that its log is equal up to `index`. */
export function movesWindow(leader: Replica, follower: ReplicaId, index: Index): boolean {
  if (!leader.pipelines.has(follower)) return false;
  const { inFlight, probing, told } = pipelineOf(leader, follower);
  if (index > lastIndex(leader)) return false; // Nobody can have more of this log than its leader.
  if (index > (leader.matchIndex.get(follower) as Index)) return true;
  if (told > 0 && index >= told) return true;
  if (inFlight[0] !== undefined && inFlight[0].lastIndex <= index) return true;
  return probing && index >= (leader.nextIndex.get(follower) as Index) - 1;
}

/** Whether the follower may really have refused what it was asked last. */
function isRefusal(leader: Replica, { index, from }: Signed<AppendReply>): boolean {
  const match = leader.matchIndex.get(from) as Index;
  const next = leader.nextIndex.get(from) as Index;
  if (index <= match || index > lastIndex(leader)) return false; // Late, or a lie.
  return !pipelineOf(leader, from).probing || index === next - 1; // Else to an older question.
}

function openWindow(leader: Replica, follower: ReplicaId, index: Index, ctx: Context): void {
  ctx.line('leaders-3-success');
  const pipeline = pipelineOf(leader, follower);
  const { inFlight } = pipeline;
  const next = leader.nextIndex.get(follower) as Index;
  if (index >= pipeline.told) pipeline.told = 0;
  if (index >= next - 1) {
    leader.nextIndex.set(follower, index + 1);
    pipeline.probing = false;
  }
  while (inFlight[0] !== undefined && inFlight[0].lastIndex <= index) inFlight.shift();
}

/** Figure 2, Leaders: the logs differ at nextIndex - 1, so try further back. */
function backUp(leader: Replica, reply: Signed<AppendReply>, ctx: Context): void {
  if (!isRefusal(leader, reply)) return;
  const { from } = reply;
  const pipeline = pipelineOf(leader, from);
  const match = leader.matchIndex.get(from) as Index;
  ctx.line('leaders-3-failure');
  // The last entry that the leader has of the follower's term is the last that both can share.
  const after = firstOfTerm(leader, reply.conflictTerm + 1, match, reply.index - 1);
  const shared = reply.conflictTerm > 0 && termAt(leader, after - 1) === reply.conflictTerm;
  const hint = shared ? after : reply.conflictIndex;
  leader.nextIndex.set(from, Math.max(match + 1, Math.min(hint, reply.index)));
  pipeline.probing = true;
  pipeline.inFlight.length = 0;
}

/** AppendEntries of Figure 2, receiver implementation. */
export function appendEntries(
  follower: Replica,
  message: Signed<AppendEntries>,
  ctx: Context,
): void {
  const { group } = ctx;
  const { term, entries, leaderCommit, prevIndex, round, from } = message;
  if (!isPeer(from, ctx)) return;
  updateTerm(follower, term, ctx);
  if (term < follower.currentTerm) {
    if (!mayRefuse(group, follower, from, ctx.now)) return;
    follower.refusedAt.set(from, ctx.now);
    // The leader of an old term must hear of the new one, or its term never ends.
    ctx.line('append-1');
    return ctx.send(from, refuse(follower, message));
  }
  if (follower.role === 'leader') return; // A term has one leader (§5.2); the sender lies.
  if (follower.role !== 'follower') ctx.line('candidates-3');
  becomeFollower(follower, from, ctx);
  follower.lastContact = ctx.now;
  if (!matches(follower, message)) {
    ctx.line('append-2');
    return ctx.send(from, refuse(follower, message));
  }
  if (!store(follower, message, ctx)) return;
  caughtUp(follower, ctx);
  const safe = Math.min(leaderCommit, group.rules.verified(follower, message));
  if (safe > follower.commitIndex) {
    ctx.line('append-5');
    commit(follower, safe, ctx);
  }
  ctx.send(from, {
    kind: 'append-reply',
    term,
    success: true,
    index: prevIndex + entries.length,
    conflictTerm: 0,
    conflictIndex: 0,
    round,
  });
}

/** Figure 2, Leaders: what the answers of followers change. */
export function appendReply(leader: Replica, reply: Signed<AppendReply>, ctx: Context): void {
  const { term, success, index, round, from } = reply;
  if (from === ctx.self) {
    if (leader.role !== 'leader' || term !== leader.currentTerm) return;
    leader.writing = false;
    acknowledge(leader, from, index, ctx);
    if (leader.role === 'leader') countOwn(leader, ctx);
    return;
  }
  if (!isPeer(from, ctx)) return;
  updateTerm(leader, term, ctx);
  if (leader.role !== 'leader' || term !== leader.currentTerm) return;
  if (!isNews(leader, reply)) return; // It may be said again and again.
  const pipeline = pipelineOf(leader, from);
  pipeline.heardAt = ctx.now;
  pipeline.ackedRound = Math.max(pipeline.ackedRound, round);
  noteGrant(ctx.group, leader, pipeline);
  if (success) acknowledge(leader, from, index, ctx);
  else backUp(leader, reply, ctx);
  if (!leader.pipelines.has(from)) return; // It has left the group, or the leader has.
  replicateTo(leader, from, ctx);
  maybeAllowReads(leader, ctx);
}
