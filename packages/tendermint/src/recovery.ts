/**
 * The gossip property, where links lose messages: whoever misses something says where it stands, or
 * what it wants, and the others say again what they have said, and pass on what proves decisions
 * and valid values. The same reports bring a restarted replica back.
 */
import { acceptable, bytesOf, maxBatchBytes, type Signed } from '@quorumlab/core';
import { fetchState, isCatchingUp, statusOf } from './checkpoint.ts';
import { execute, passOn } from './decisions.ts';
import { type Group, isMember, proposerOf } from './group.ts';
import { relayOldest } from './mempool.ts';
import type {
  BatchBody,
  Decision,
  FetchBatch,
  Message,
  Proposal,
  StatusReport,
} from './messages.ts';
import { watch } from './missing.ts';
import { idOf } from './proposals.ts';
import { bodyOf } from './rounds.ts';
import { type Context, type Replica, stableHeight, validRoundOf } from './state.ts';
import { isCommit, weightOf } from './votes.ts';

/** Most decisions in answer to one report. */
const answeredAtMost = 64;

/**
 * A replica begins again with what was on its disk: it executes again what it knows to be decided
 * and says again what it has said, word for word. One that has never run, or has lost its disk, has
 * nothing to repeat: its first report of its own accord shows the others what it lacks.
 */
export function start(replica: Replica, ctx: Context): void {
  ctx.setTimer('idle', ctx.group.statusPeriod);
  for (let height = replica.snapshot + 1; height < replica.height; height++) {
    const commit = replica.commits.get(height);
    const block = replica.blocks.get(height);
    if (commit !== undefined && block !== undefined)
      execute(replica, height, commit, block.batch, ctx);
  }
  const isFirst = replica.height === 1 && replica.said.size === 0 && replica.proposed === null;
  if (isFirst && replica.stableCheckpoint === null) return;
  ctx.line('restart');
  replica.heightSince = ctx.now;
  replica.roundSince = ctx.now;
  replica.checkpointSince = ctx.now;
  fetchState(replica, ctx);
  for (const [height, state] of replica.checkpoints)
    ctx.broadcast({ kind: 'checkpoint', height, state });
  for (const message of ownWords(replica, replica.round, ctx)) ctx.broadcast(message);
  // It counts by the votes of a quorum again, which others may not repeat.
  if (replica.valid !== null) ctx.send(ctx.self, { kind: 'polka', polka: replica.valid });
  ctx.broadcast(statusOf(replica));
  watch(replica, ctx);
}

/** What this replica has said in `round` of its height, to be said again word for word. */
function ownWords(replica: Replica, round: number, ctx: Context): Message[] {
  const words: Message[] = [];
  const proposal = ownProposal(replica, round, ctx);
  if (proposal !== undefined) words.push(proposal);
  const said = replica.said.get(round);
  if (said !== undefined) words.push(said.prevote);
  if (said?.precommit) words.push(said.precommit);
  return words;
}

function ownProposal(replica: Replica, round: number, ctx: Context): Proposal | undefined {
  const { height, proposed } = replica;
  if (proposed?.round !== round || proposerOf(ctx.group, height, round) !== ctx.self)
    return undefined;
  const { value, validRound } = proposed;
  const batch = bodyOf(replica, value);
  if (batch === undefined) return undefined;
  const shows = ctx.group.rules.passesPolkasOn && validRound !== null;
  const polka = shows && validRoundOf(replica) === validRound ? replica.valid : null;
  return { kind: 'proposal', height, round, batch, validRound, polka };
}

/** The timer 'status': while something is missing, ask for it, but not before it is late. */
export function statusTimeout(replica: Replica, ctx: Context): void {
  replica.statusTimer = false;
  const since = missingSince(ctx.group, replica);
  if (since === undefined) return;
  watch(replica, ctx);
  const late = ctx.now - ctx.group.statusPeriod;
  if (since > late) return;
  ctx.line('status');
  if (!isCatchingUp(replica, ctx)) fetchState(replica, ctx);
  for (const message of ownWords(replica, replica.round, ctx)) ctx.broadcast(message);
  passOn(replica, ctx);
  for (const [value, batch] of replica.wanted)
    if (batch === null) ctx.broadcast({ kind: 'fetch-batch', height: replica.height, value });
  relayOldest(replica, late, ctx);
  ctx.broadcast(statusOf(replica));
}

/**
 * The timer 'idle': what a replica does not know that it lacks, it cannot miss. So each says where
 * it stands to f+1 others, each time others: whoever is behind hears of it from an honest one, also
 * where nothing is asked for any more, after a cut or a lost last message.
 */
export function idleTimeout(replica: Replica, ctx: Context): void {
  const { group } = ctx;
  ctx.setTimer('idle', 2 * group.proposeTimeout);
  ctx.line('idle');
  for (let i = 0; i < group.matching; i++) {
    replica.told = (replica.told + 1) % group.n;
    if (replica.told === ctx.self) replica.told = (replica.told + 1) % group.n;
    if (replica.told !== ctx.self) ctx.send(replica.told, statusOf(replica));
  }
}

/** Since when something has been missing here; nothing: a replica that needs nobody's help. */
export function missingSince(group: Group, replica: Replica): number | undefined {
  const { height, heightSince, roundSince, checkpointSince } = replica;
  let oldest = Number.POSITIVE_INFINITY;
  // It lacks the state, or others are further.
  const isBehind = replica.fetching > 0 || stableHeight(replica) >= height;
  if (isBehind || isHeavy(group, replica.above) || isHeavy(group, replica.early.keys()))
    oldest = Math.min(oldest, replica.decidedAt ?? heightSince);
  if (replica.round > 0 || replica.step !== 'propose') oldest = Math.min(oldest, roundSince);
  if (replica.checkpoints.size > 0 || replica.behind >= height)
    oldest = Math.min(oldest, checkpointSince);
  for (const { since } of replica.waiting.values()) {
    oldest = Math.min(oldest, since);
    break;
  }
  return oldest === Number.POSITIVE_INFINITY ? undefined : oldest;
}

/** Whether an honest member is among these. */
function isHeavy(group: Group, members: Iterable<number>): boolean {
  let sum = 0;
  for (const member of members) sum += weightOf(group, member);
  return sum >= group.weak;
}

/** Whether it is time to answer: whoever has used the last answer gets the next one at once. */
export function mayAnswer(
  group: Group,
  replica: Replica,
  { from, height }: Signed<StatusReport>,
  now: number,
): boolean {
  const last = replica.answered.get(from);
  if (last === undefined || (height > last.upTo && height < replica.height)) return true;
  return now - last.at >= group.statusPeriod / 2;
}

/** A replica says where it stands: send it what it lacks, once in half a period at most. */
export function status(replica: Replica, message: Signed<StatusReport>, ctx: Context): void {
  const { from, height, stable } = message;
  if (!isMember(ctx.group, from) || from === ctx.self) return;
  if (!mayAnswer(ctx.group, replica, message, ctx.now)) return;
  if (stable < stableHeight(replica) && replica.stableCheckpoint !== null)
    ctx.send(from, { kind: 'stable-checkpoint', checkpoint: replica.stableCheckpoint });
  for (const [at, state] of replica.checkpoints)
    if (at > stable) ctx.send(from, { kind: 'checkpoint', height: at, state });
  const upTo = explainDecisions(replica, message, ctx);
  replica.answered.set(from, { at: ctx.now, upTo, bodies: 0 });
  if (height === replica.height) repeat(replica, message, ctx);
  if (height > replica.height || stable > stableHeight(replica)) ctx.send(from, statusOf(replica));
}

/** For one that has decided less: what was decided, with the proofs. Up to which height. */
function explainDecisions(
  replica: Replica,
  { from, height }: Signed<StatusReport>,
  ctx: Context,
): number {
  let bytes = 0;
  const end = Math.min(height + answeredAtMost, replica.height);
  for (let h = height; h < end; h++) {
    const commit = replica.commits.get(h);
    const block = replica.blocks.get(h);
    if (commit === undefined || block === undefined) return h - 1;
    for (const request of block.batch) bytes += bytesOf(request);
    ctx.send(from, { kind: 'decision', commit, batch: block.batch });
    if (bytes > maxBatchBytes) return h;
  }
  return end - 1;
}

/** For one at the same height: what this replica has said in both rounds, and its valid value. */
function repeat(
  replica: Replica,
  { from, round, validRound }: Signed<StatusReport>,
  ctx: Context,
): void {
  const rounds = round < replica.round ? [round, replica.round] : [replica.round];
  for (const each of rounds) for (const word of ownWords(replica, each, ctx)) ctx.send(from, word);
  const { valid } = replica;
  if (valid !== null && valid.body.round > (validRound ?? -1) && ctx.group.rules.passesPolkasOn)
    ctx.send(from, { kind: 'polka', polka: valid });
}

/** Whether a decision is of use: of this height or of the window above it, and not here yet. */
export const isUseful = (group: Group, replica: Replica, { commit }: Decision): boolean =>
  commit.body.height >= replica.height &&
  commit.body.height <= replica.height + group.window &&
  !replica.later.has(commit.body.height) &&
  isCommit(group, commit);

/** A decision with its proof, for a replica that missed it. */
export function decision(replica: Replica, message: Signed<Decision>, ctx: Context): void {
  const { commit, batch, from } = message;
  if (!isUseful(ctx.group, replica, message) || !acceptable(batch)) return;
  if (idOf(ctx.group, batch, ctx) !== commit.body.value) return;
  replica.later.set(commit.body.height, message);
  if (!isMember(ctx.group, from)) return;
  // Once all of an answer is here the next one is asked for.
  let next = replica.height;
  while (replica.later.has(next)) next += 1;
  if (commit.body.height === next - 1 && next > replica.height)
    ctx.send(from, { ...statusOf(replica), height: next, round: 0, validRound: null });
}

/** Somebody has the proof that a value is good, and not the batch. */
export function fetchBatch(replica: Replica, message: Signed<FetchBatch>, ctx: Context): void {
  const { from, height, value } = message;
  if (!isMember(ctx.group, from) || from === ctx.self) return;
  const answered = replica.answered.get(from) ?? {
    at: ctx.now - ctx.group.statusPeriod,
    upTo: 0,
    bodies: 0,
  };
  // Nobody needs a batch twice: a few of them, then it waits for the next report.
  if (answered.bodies >= bodiesAtMost) return;
  const found = batchAt(replica, height, value);
  if (found === undefined) return;
  replica.answered.set(from, { ...answered, bodies: answered.bodies + 1 });
  ctx.send(from, { kind: 'batch', height, batch: found });
}

/** Most batches that a member may fetch between two reports. */
export const bodiesAtMost = 16;

function batchAt(replica: Replica, height: number, value: string) {
  if (height === replica.height) return bodyOf(replica, value);
  const block = height < replica.height ? replica.blocks.get(height) : undefined;
  return block?.value === value ? block.batch : undefined;
}

/** A batch that was asked for: its digest proves it. */
export function batch(replica: Replica, message: Signed<BatchBody>, ctx: Context): void {
  if (message.height !== replica.height || !acceptable(message.batch)) return;
  const value = idOf(ctx.group, message.batch, ctx);
  if (replica.wanted.get(value) !== null) return;
  ctx.line('batch');
  replica.wanted.set(value, message.batch);
}
