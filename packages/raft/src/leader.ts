/**
 * What a leader does of its own accord: "Rules for Servers, Leaders" in Figure 2, §5.3 and §7.
 * The answers come back to `replication.ts` and `snapshot.ts`.
 */
import {
  assert,
  type Instant,
  type ReplicaId,
  type Request,
  requestKey,
  type Signed,
  uncommittedBytes,
} from '@quorumlab/core';
import type { Group } from './group.ts';
import { noteRound } from './lease.ts';
import { lastIndex, termAt } from './log.ts';
import { audience, newPipeline, noteEntry } from './members.ts';
import { type AppendEntries, type Entry, entryBytes, entrySize, type Index } from './messages.ts';
import type { Context, Pipeline, Raft, Replica } from './state.ts';

/** Most that is kept behind a snapshot for followers that need it. */
const mostKept = { entries: 65_536, bytes: 64 << 20 };

const noEntries: readonly Entry[] = Object.freeze([]);

/** Upon election (§5.2): take up the volatile state on leaders, and announce it with a no-op. */
export function becomeLeader(leader: Replica, ctx: Context): void {
  const { group } = ctx;
  leader.role = 'leader';
  leader.leader = ctx.self;
  leader.writing = false;
  leader.round = 0;
  leader.roundsSent = [];
  leader.settled = -1;
  // Its clients ask again, and are answered by itself.
  leader.question = null;
  leader.unasked = [];
  noteRound(leader, ctx);
  const next = lastIndex(leader) + 1;
  for (let index = leader.commitIndex + 1; index < next; index++)
    note(leader, leader.log.get(index)?.command ?? null);
  leader.matchIndex.set(ctx.self, 0);
  noteAudience(leader, next, ctx);
  ctx.clearTimer('election');
  ctx.setTimer('heartbeat', group.heartbeat);
  if (group.checkQuorum) ctx.setTimer('check-quorum', group.electionTimeout);
  // §8: with an entry of its own term it learns which entries are committed.
  ctx.line('leaders-1');
  append(leader, { command: null }, ctx);
}

/**
 * Who is in the group has changed, or may: whom it sends to, and what it knows of them. Who is new
 * is sent what begins at `next`, and then what it lacks.
 */
export function noteAudience(leader: Replica, next: Index, ctx: Context): void {
  const followers = audience(ctx.group, leader, ctx.self);
  for (const id of leader.followers)
    if (!followers.includes(id)) {
      leader.matchIndex.delete(id);
      leader.nextIndex.delete(id);
      leader.pipelines.delete(id);
    }
  for (const id of followers) {
    if (leader.pipelines.has(id)) continue;
    leader.matchIndex.set(id, 0);
    leader.nextIndex.set(id, next);
    leader.pipelines.set(id, newPipeline());
  }
  leader.followers = followers;
}

/**
 * Whether there is room for the command among what is not committed, and it is not there already:
 * a client that is tired of waiting asks again, and its answer comes with the first entry.
 */
export function mayAppend(group: Group, leader: Replica, command: Raft['Command']): boolean {
  if (lastIndex(leader) - leader.commitIndex >= group.maxUncommitted) return false;
  if (leader.uncommitted.has(requestKey(command))) return false;
  return leader.uncommittedBytes + entryBytes(command) <= uncommittedBytes;
}

/** Notes the entry of `command` among those that are not committed. */
function note(leader: Replica, command: Raft['Command'] | null): void {
  if (command === null) return;
  leader.uncommitted.add(requestKey(command));
  leader.uncommittedBytes += entryBytes(command);
}

/** The entry of `command` is committed. */
export function forget(leader: Replica, command: Raft['Command'] | null): void {
  // Leaders before this one may have appended it twice.
  if (command !== null) leader.uncommitted.delete(requestKey(command));
  leader.uncommittedBytes = Math.max(0, leader.uncommittedBytes - entryBytes(command));
}

/** §5.3: it becomes an entry of the leader's log, and is sent to all in parallel. */
export function append(leader: Replica, about: Omit<Entry, 'term'>, ctx: Context): void {
  const index = lastIndex(leader) + 1;
  const entry: Entry = { term: leader.currentTerm, ...about };
  ctx.put('log', index, entry);
  note(leader, entry.command);
  if (entry.configuration !== undefined) {
    noteEntry(leader, index, entry, ctx);
    noteAudience(leader, index, ctx);
  }
  countOwn(leader, ctx);
  replicate(leader, ctx);
}

/**
 * The leader's own log counts only as far as it is durable. It learns that as it learns it of
 * others: by a reply, which the journal holds back until what was written before it is on disk.
 * One such message at a time suffices, so many commands share one, as they share one sync.
 */
export function countOwn(leader: Replica, ctx: Context): void {
  if (leader.writing || leader.matchIndex.get(ctx.self) === lastIndex(leader)) return;
  leader.writing = true;
  ctx.send(ctx.self, {
    kind: 'append-reply',
    term: leader.currentTerm,
    success: true,
    index: lastIndex(leader),
    conflictTerm: 0,
    conflictIndex: 0,
    round: leader.round,
  });
}

/** Sends each follower what it lacks, as far as its window is open. */
function replicate(leader: Replica, ctx: Context): void {
  let sent: AppendEntries | undefined;
  for (const follower of leader.followers) sent = replicateTo(leader, follower, ctx, sent);
}

/**
 * Sends `follower` the entries from nextIndex on. What does not fit into the window waits for an
 * acknowledgement and then goes out as one message: batches form by themselves under load.
 * `sent` is the message that another follower just got: equal messages are one object.
 */
export function replicateTo(
  leader: Replica,
  follower: ReplicaId,
  ctx: Context,
  sent?: AppendEntries,
): AppendEntries | undefined {
  const { group } = ctx;
  const pipeline = pipelineOf(leader, follower);
  let message = sent;
  while (pipeline.inFlight.length < (pipeline.probing ? 1 : group.maxInFlight)) {
    const next = leader.nextIndex.get(follower) as Index;
    if (next > lastIndex(leader)) break;
    if (next <= leader.compacted.index) {
      sendSnapshot(leader, follower, pipeline, ctx);
      break;
    }
    ctx.line('leaders-3');
    if (message?.prevIndex !== next - 1) message = entriesFrom(group, leader, next);
    // May overtake the leader's own disk (thesis 10.2.1): the message promises nothing about it.
    // The leader does not count itself before its write is durable, and if a crash takes that
    // write, it cannot lead this term again: its term and vote are durable since the election.
    ctx.sendEarly(follower, message);
    const last = next - 1 + message.entries.length;
    pipeline.inFlight.push({ lastIndex: last, round: leader.round });
    // While probing, nextIndex stays what is being asked about.
    if (!pipeline.probing) leader.nextIndex.set(follower, last + 1);
  }
  return message;
}

/** The state of what `leader` sends to `follower`. */
export function pipelineOf(leader: Replica, follower: ReplicaId): Pipeline {
  const pipeline = leader.pipelines.get(follower);
  assert(pipeline !== undefined, 'only a leader has pipelines, one for each that it sends to');
  return pipeline;
}

function entriesFrom(group: Group, leader: Replica, next: Index): AppendEntries {
  const entries: Entry[] = [];
  const end = Math.min(lastIndex(leader) + 1, next + group.maxEntriesPerAppend);
  let size = 0;
  for (let index = next; index < end; index++) {
    const entry = leader.log.get(index) as Entry;
    size += entrySize(entry);
    if (size > group.maxBytesPerAppend && entries.length > 0) break;
    entries.push(entry);
  }
  return appendEntries(leader, next - 1, entries);
}

function appendEntries(
  leader: Replica,
  prevIndex: Index,
  entries: readonly Entry[],
): AppendEntries {
  const prevTerm = termAt(leader, prevIndex) ?? 0;
  const { currentTerm: term, commitIndex: leaderCommit, round } = leader;
  return {
    kind: 'append-entries',
    term,
    prevIndex,
    prevTerm,
    entries,
    leaderCommit,
    round,
  };
}

/** §7: the follower lacks what this log no longer holds, so it gets the application's state. */
function sendSnapshot(
  leader: Replica,
  follower: ReplicaId,
  pipeline: Pipeline,
  ctx: Context,
): void {
  const { snapshot, currentTerm: term } = leader;
  assert(snapshot !== null, 'entries were dropped without a snapshot');
  ctx.line('leaders-snapshot');
  const { index, term: lastTerm, digest } = snapshot;
  ctx.send(follower, { kind: 'install-snapshot', term, lastIndex: index, lastTerm, digest });
  if (pipeline.told === 0) pipeline.told = index;
  pipeline.probing = true;
  pipeline.inFlight.length = 0;
  pipeline.inFlight.push({ lastIndex: index, round: leader.round });
}

/**
 * The last entry that may be dropped, up to `index`: what followers that answer still need stays,
 * in particular what comes after a snapshot that one of them is fetching. Without it each snapshot
 * would be too old when it has come, and the next one too. What would be too much does not stay.
 */
export function mayDropTo(group: Group, leader: Replica, index: Index, now: Instant): Index {
  let last = index;
  for (const [follower, pipeline] of leader.pipelines) {
    const { told, heardAt } = pipeline;
    const match = leader.matchIndex.get(follower) as Index;
    if (heardAt === null || now - heardAt >= group.electionTimeout) continue;
    // A follower that needs a snapshot, and was told of none, is told of one that is still to come.
    const needed = Math.max(match, told);
    if (needed < leader.compacted.index || needed >= last) continue;
    if (isTooMuch(leader, needed)) pipeline.told = 0;
    else last = needed;
  }
  return last;
}

/** Whether the entries behind `index` are too many to keep for one follower. */
function isTooMuch(leader: Replica, index: Index): boolean {
  if (lastIndex(leader) - index > mostKept.entries) return true;
  let bytes = 0;
  for (let each = index + 1; each <= lastIndex(leader) && bytes <= mostKept.bytes; each++)
    bytes += entryBytes(leader.log.get(each)?.command ?? null);
  return bytes > mostKept.bytes;
}

/**
 * A new round of heartbeats. Each ends at matchIndex, where the follower is known to agree: it
 * succeeds whatever is in flight, tells how much is committed, and asks "do you still follow me?".
 */
export function sendHeartbeats(leader: Replica, ctx: Context): void {
  ctx.line('leaders-heartbeat');
  leader.round += 1;
  noteRound(leader, ctx);
  let message: AppendEntries | undefined;
  for (const follower of leader.followers) {
    const match = leader.matchIndex.get(follower) as Index;
    const prevIndex = match < leader.compacted.index ? 0 : match;
    if (message?.prevIndex !== prevIndex) message = appendEntries(leader, prevIndex, noEntries);
    ctx.sendEarly(follower, message); // It carries nothing that a disk must hold.
  }
}

/** `upon heartbeat timeout`: a sign of life, and once more what seems to be lost. */
export function heartbeat(leader: Replica, ctx: Context): void {
  if (leader.role !== 'leader') return;
  ctx.setTimer('heartbeat', ctx.group.heartbeat);
  leader.writing = false;
  countOwn(leader, ctx);
  for (const [follower, pipeline] of leader.pipelines) backUpIfLost(leader, follower, pipeline);
  sendHeartbeats(leader, ctx);
  replicate(leader, ctx);
}

/**
 * A follower that has answered a later round but not this message has lost it, whatever the delay
 * of the network. One that answers nothing gets heartbeats only, until it does.
 */
function backUpIfLost(leader: Replica, follower: ReplicaId, pipeline: Pipeline): void {
  const oldest = pipeline.inFlight[0];
  if (oldest === undefined || oldest.round >= pipeline.ackedRound) return;
  leader.nextIndex.set(follower, (leader.matchIndex.get(follower) as Index) + 1);
  pipeline.probing = true;
  pipeline.inFlight.length = 0;
}

/** Figure 2, Leaders: a command from a client is appended to the local log. */
export function propose(leader: Replica, command: Signed<Request>, ctx: Context): void {
  if (leader.role !== 'leader' || leader.transfer !== null) return;
  if (!mayAppend(ctx.group, leader, command)) return;
  ctx.line('leaders-2');
  append(leader, { command }, ctx);
}
