/**
 * The gossip property, where links lose messages: whoever misses something says where it stands, or
 * what it wants, and the others say again what they have said, and pass on what proves decisions
 * and valid values. The same reports bring a restarted replica back.
 */
import {
  acceptable,
  bytesOf,
  isChangeAlone,
  maxBatchBytes,
  type ReplicaId,
  type Signed,
} from '@quorumlab/core';
import { fetchState, isCatchingUp, ownCheckpoint, statusOf } from './checkpoint.ts';
import { execute, passOn } from './decisions.ts';
import { type Group, isMember, proposerOf } from './group.ts';
import { acquaintances, isNewSet, learnSet } from './membership.ts';
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
import { heightsUntilVote, nameAt } from './validators.ts';
import { isCommit, powerAt, weightOf } from './votes.ts';

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
  for (const [height, state] of replica.checkpoints) {
    const own = ownCheckpoint(ctx.group, replica, height, state);
    if (own !== undefined) ctx.broadcast(own);
  }
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
  const proposer = proposerOf(ctx.group, replica.validators, height, round);
  if (proposed?.round !== round || proposer !== ctx.self) return undefined;
  const { value, validRound } = proposed;
  const batch = bodyOf(replica, value);
  if (batch === undefined) return undefined;
  const shows = ctx.group.rules.passesPolkasOn && validRound !== null;
  const polka = shows && validRoundOf(replica) === validRound ? replica.valid : null;
  const set = nameAt(replica.validators, height);
  return { kind: 'proposal', height, round, set, batch, validRound, polka };
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
  const others = acquaintances(group, replica).filter((each) => each !== ctx.self);
  for (let i = 0; i < Math.min(group.first.matching, others.length); i++) {
    replica.told = others.find((each) => each > replica.told) ?? (others[0] as ReplicaId);
    ctx.send(replica.told, statusOf(replica));
  }
}

/** Since when something has been missing here; nothing: a replica that needs nobody's help. */
export function missingSince(group: Group, replica: Replica): number | undefined {
  const { height, heightSince, roundSince, checkpointSince } = replica;
  let oldest = Number.POSITIVE_INFINITY;
  // It lacks the state, or others are further.
  const isBehind = replica.fetching > 0 || stableHeight(replica) >= height;
  const areAhead = [replica.above, replica.early.keys()];
  if (isBehind || areAhead.some((members) => isHeavy(group, replica, members)))
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
function isHeavy(group: Group, replica: Replica, members: Iterable<number>): boolean {
  const power = powerAt(group, replica, replica.height);
  let sum = 0;
  for (const member of members) sum += weightOf(power, member);
  return sum >= power.weak;
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
  explainSets(replica, message, ctx);
  if (stable < stableHeight(replica) && replica.stableCheckpoint !== null)
    ctx.send(from, { kind: 'stable-checkpoint', checkpoint: replica.stableCheckpoint });
  for (const [at, state] of replica.checkpoints) {
    const own = at > stable ? ownCheckpoint(ctx.group, replica, at, state) : undefined;
    if (own !== undefined) ctx.send(from, own);
  }
  const upTo = explainDecisions(replica, message, ctx);
  replica.answered.set(from, { at: ctx.now, upTo, bodies: 0 });
  if (height === replica.height) repeat(replica, message, ctx);
  if (height > replica.height || stable > stableHeight(replica)) ctx.send(from, statusOf(replica));
}

/**
 * For one that knows fewer sets of validators: the decisions that led from its newest one to the
 * next, and on. Each is signed by a quorum of the set before, so it believes them whoever sends
 * them, and then what later sets have signed, such as the stable checkpoint.
 */
function explainSets(replica: Replica, { from, set }: Signed<StatusReport>, ctx: Context): void {
  const missing = replica.validators.filter(({ since }) => since > set);
  if (missing.length === 0) return;
  ctx.line('show-sets');
  for (const { since } of missing.slice(0, answeredAtMost)) {
    const decided = replica.changes.get(since - heightsUntilVote);
    if (decided === undefined) return;
    ctx.send(from, { kind: 'decision', ...decided });
  }
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

/**
 * Whether a decision is of use: it leads to a set that is not known, or it is of this height or of
 * the window above it, and not here yet.
 */
export const isUseful = (group: Group, replica: Replica, message: Decision): boolean =>
  (leadsToSet(group, replica, message) || isNext(group, replica, message)) &&
  isCommit(group, replica, message.commit);

const leadsToSet = (group: Group, replica: Replica, { commit, batch }: Decision): boolean =>
  isChangeAlone(group, batch) && isNewSet(replica, commit.body.height);

const isNext = ({ window }: Group, { height, later }: Replica, { commit }: Decision): boolean =>
  commit.body.height >= height &&
  commit.body.height <= height + window &&
  !later.has(commit.body.height);

/** A decision with its proof, for a replica that missed it. */
export function decision(replica: Replica, message: Signed<Decision>, ctx: Context): void {
  const { commit, batch, from } = message;
  if (!isUseful(ctx.group, replica, message) || !acceptable(batch)) return;
  if (idOf(ctx.group, batch, ctx) !== commit.body.value) return;
  learnSet(replica, commit, batch, ctx);
  if (!isNext(ctx.group, replica, message)) return;
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
