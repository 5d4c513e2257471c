/**
 * Losses, laggards and restarts: replicas that miss something say where they stand or what they
 * want, and the others send it. Blocks are checked by their digests, oldest executed first.
 */
import {
  acceptable,
  bytesOf,
  type Digest,
  maxBatchBytes,
  type ReplicaId,
  type Signed,
} from '@quorumlab/core';
import { certifies, sayVote } from './certificates.ts';
import { adopt, fetchState, isOwn } from './checkpoint.ts';
import { explainSets } from './epochs.ts';
import { type Group, isMember, leaderOf, voteFor } from './group.ts';
import { acquaintances } from './membership.ts';
import { keepWaiting, nextLeader, relayOldest } from './mempool.ts';
import {
  type Blocks,
  type Checkpoint,
  type FetchBlocks,
  type Link,
  maxBlocks,
  type StatusReport,
  type Vote,
} from './messages.ts';
import { mayAnswer, statusOf, watch } from './missing.ts';
import { explain, ownWord, sayTimeout } from './pacemaker.ts';
import { countedTime, longer } from './patience.ts';
import { nextVote } from './phases.ts';
import {
  type Context,
  hasLeft,
  highViewOf,
  maxUncommitted,
  type Replica,
  stableHeight,
  viewOf,
} from './state.ts';
import { add, hashOf, parentOf } from './tree.ts';

/** Most blocks that one tick asks for. */
const askedAtOnce = 16;

/**
 * A replica begins again with what was on its disk. One that has never run, or has lost its disk,
 * has nothing to repeat: its first report of its own accord shows the others what it lacks.
 */
export function start(replica: Replica, ctx: Context): void {
  const { group } = ctx;
  ctx.setTimer('idle', group.statusPeriod);
  replica.relaysTo = nextLeader(group, replica);
  const { high, timeouts, lastTimeout, lastVoted, lastProposed, stableCheckpoint } = replica;
  const isFirst = [high, timeouts, lastTimeout, stableCheckpoint].every((each) => each === null);
  if (isFirst && replica.sets.size === 0 && lastVoted === 0 && lastProposed === 0) {
    // It was not away, as far as it knows.
    for (const member of group.members) replica.heard.add(member);
    return;
  }
  ctx.line('restart');
  replica.news = true;
  replica.reignSince = countedTime(replica, ctx.now);
  replica.checkpointSince = ctx.now;
  fetchState(replica, ctx);
  if (group.rules.waits && leaderOf(group, replica, replica.view) === ctx.self)
    ctx.setTimer('propose', group.delta * longer(group, replica));
  waitForBlocks(replica, ctx);
  say(replica, ctx);
  watch(replica, ctx);
}

/**
 * What was committed before a crash is executed once that is seen again. Nobody else may wait for
 * it: its client may have its answer.
 */
function waitForBlocks(replica: Replica, ctx: Context): void {
  for (const { hash, block } of replica.tree.values())
    for (const request of block?.batch ?? []) keepWaiting(replica, request, hash, ctx);
}

/** What this replica has said and may have to say again, and where it stands. */
function say(replica: Replica, ctx: Context): void {
  if (hasLeft(replica, replica.view)) sayTimeout(replica, ctx);
  const word = ownWord(ctx.group, replica, ctx.self);
  if (word !== undefined) ctx.broadcast(word);
  const vote = ownVote(ctx.group, replica);
  if (vote !== undefined) sayVote(replica, vote, ctx);
  for (const checkpoint of latestCheckpoints(replica))
    if (isOwn(replica, checkpoint, ctx)) ctx.broadcast(checkpoint);
  ctx.broadcast(statusOf(replica));
}

/** The highest own checkpoints: once they are stable, older ones do not matter. */
const latestCheckpoints = ({ checkpoints }: Replica): readonly Checkpoint[] =>
  [...checkpoints.values()].sort((one, other) => other.height - one.height).slice(0, 3);

/** The vote of this view, if there was one, word for word: the row of a view is what it was for. */
function ownVote(group: Group, replica: Replica): Vote | undefined {
  const { view, lastVoted, blocks } = replica;
  const later = nextVote(replica);
  if (later !== undefined) return later;
  const row = blocks.get(view);
  if (lastVoted !== view || !row) return undefined;
  return voteFor(group, replica, view, row.hash, viewOf(replica, row.justify));
}

/** The timer 'status': while something is missing, ask for it, but not before it is late. */
export function statusTimeout(replica: Replica, ctx: Context): void {
  replica.statusTimer = false;
  const since = missingSince(replica);
  if (since === undefined) return;
  watch(replica, ctx);
  const late = ctx.now - ctx.group.statusPeriod;
  if (since > late) return;
  ctx.line('status');
  if (replica.ahead !== null && replica.checkpointSince <= late) adopt(replica, ctx);
  askAgain(replica, ctx);
  relayOldest(replica, late, ctx);
  say(replica, ctx);
}

/**
 * The timer 'idle': what a replica does not know that it lacks, it cannot miss. So each says where
 * it stands to f+1 others, each time others: whoever is behind hears of it from an honest one, also
 * where nothing is asked for any more, after a cut or a lost last message.
 */
export function idleTimeout(replica: Replica, ctx: Context): void {
  const { group } = ctx;
  ctx.setTimer('idle', group.requestTimeout);
  ctx.line('idle');
  const others = othersOf(replica, ctx);
  for (let i = 0; i < Math.min(group.weak, others.length); i++) {
    replica.told = nextOf(others, replica.told);
    ctx.send(replica.told, statusOf(replica));
  }
}

/** Everybody else in the group. */
const othersOf = (replica: Replica, { group, self }: Context): readonly ReplicaId[] =>
  acquaintances(group, replica).filter((each) => each !== self);

/** Whose turn it is after `last`. */
const nextOf = (others: readonly ReplicaId[], last: ReplicaId): ReplicaId =>
  others.find((each) => each > last) ?? (others[0] as ReplicaId);

/** Asks f+1 others, each time others, for blocks that have not come. */
function askAgain(replica: Replica, ctx: Context): void {
  const above = replica.committed.height;
  const others = othersOf(replica, ctx);
  let left = askedAtOnce;
  for (const block of replica.wanted.keys()) {
    if (left-- === 0) return;
    for (let i = 0; i < Math.min(ctx.group.weak, others.length); i++) {
      replica.asked = nextOf(others, replica.asked);
      ctx.send(replica.asked, { kind: 'fetch-blocks', block, above });
    }
  }
}

/** Since when something has been missing here; nothing: a replica that needs nobody's help. */
function missingSince(replica: Replica): number | undefined {
  let oldest = Number.POSITIVE_INFINITY;
  if (replica.fetching > 0 || replica.ahead !== null || replica.checkpoints.size > 0)
    oldest = Math.min(oldest, replica.checkpointSince);
  for (const { since } of replica.waiting.values()) {
    oldest = Math.min(oldest, since);
    break;
  }
  for (const since of replica.wanted.values()) {
    oldest = Math.min(oldest, since);
    break;
  }
  return oldest === Number.POSITIVE_INFINITY ? undefined : oldest;
}

/** A replica says where it stands: send it what it lacks, once in half a period at most. */
export function status(replica: Replica, message: Signed<StatusReport>, ctx: Context): void {
  const { from, set, view, highView, stable, height } = message;
  if (!isMember(ctx.group, from) || from === ctx.self) return;
  if (!mayAnswer(replica, from, ctx)) return;
  explainSets(replica, from, set, ctx);
  if (stable < stableHeight(replica) && replica.stableCheckpoint !== null)
    ctx.send(from, { kind: 'stable-checkpoint', checkpoint: replica.stableCheckpoint });
  for (const checkpoint of latestCheckpoints(replica))
    if (checkpoint.height > stable && isOwn(replica, checkpoint, ctx)) ctx.send(from, checkpoint);
  const there = [set, view, highView];
  const here = [replica.voters.set, replica.view, highViewOf(replica)];
  if (isBehind(there, here) || height < replica.committed.height) explain(replica, from, ctx);
  if (isBehind(here, there) || height > replica.committed.height) ctx.send(from, statusOf(replica));
}

/** Whether one set, view and highest view are below others: views are those of one epoch. */
const isBehind = (one: readonly number[], other: readonly number[]): boolean =>
  one[0] === other[0]
    ? one.some((each, i) => each < (other[i] as number))
    : (one[0] as number) < (other[0] as number);

/** Block sync: sends a block and its ancestors, newest first. */
export function fetchBlocks(replica: Replica, message: Signed<FetchBlocks>, ctx: Context): void {
  const { group } = ctx;
  const { from, block: hash, above } = message;
  if (!isMember(group, from) || from === ctx.self) return;
  const answered = replica.answered.get(from) ?? { at: ctx.now - group.statusPeriod, fetched: 0 };
  // Nobody needs a block twice: a window of answers, then it waits for the next report.
  if (answered.fetched >= group.window) return;
  replica.answered.set(from, { at: answered.at, fetched: answered.fetched + 1 });
  const blocks = branchOf(group, replica, hash, above);
  if (blocks.length > 0) ctx.send(from, { kind: 'blocks', blocks });
  const checkpoint = replica.stableCheckpoint;
  if (checkpoint !== null && above < checkpoint.body.height)
    ctx.send(from, { kind: 'stable-checkpoint', checkpoint });
}

function branchOf(group: Group, replica: Replica, hash: string, above: number): Link[] {
  const blocks: Link[] = [];
  let requests = 0;
  let bytes = 0;
  let node = replica.tree.get(hash);
  while (node !== undefined && node.block !== null && node.height > above) {
    const { block, justify } = node;
    requests += block.batch.length;
    for (const request of block.batch) bytes += bytesOf(request);
    const full = requests > group.maxBatch || bytes > maxBatchBytes || blocks.length === maxBlocks;
    if (full && blocks.length > 0) break;
    blocks.push({ block, justify });
    node = parentOf(replica, node);
  }
  return blocks;
}

/** Blocks that were asked for: the digest of the first is known, and each names the next one's. */
export function blocks(replica: Replica, message: Signed<Blocks>, ctx: Context): void {
  const { group } = ctx;
  if (!isMember(group, message.from)) return;
  if (replica.tree.size > 4 * group.window + 2 * maxUncommitted) return;
  let next: Digest | undefined;
  for (const { block, justify } of message.blocks) {
    const hash = hashOf(block, ctx);
    const asked = replica.wanted.has(hash);
    if (!asked || !acceptable(block.batch) || !certifies(group, replica, { block, justify }))
      return;
    if (block.height <= replica.committed.height) return void replica.wanted.delete(hash);
    ctx.line('sync-block');
    add(replica, hash, { block, justify }, ctx);
    next = replica.tree.has(block.parent) ? undefined : block.parent;
    // Its parent may come in the same answer.
    if (next !== undefined) replica.wanted.set(next, ctx.now);
  }
  if (next === undefined) return;
  // Whoever had these has those before them; if it does not answer, the status timer asks others.
  ctx.send(message.from, { kind: 'fetch-blocks', block: next, above: replica.committed.height });
}
