/**
 * Echo: what one has seen all see. Reports carry the end of the longest notarized chain, and
 * whoever has seen less is sent the blocks of it, each with its votes. So does one come back that
 * was away.
 */
import { acceptable, bytesOf, maxBatchBytes, type ReplicaId, type Signed } from '@quorumlab/core';
import { blockOf, hasGap, idOf, isQuorum, notarizedAs, wholeTip } from './chain.ts';
import { explainCheckpoints, fetchState, lacksCheckpoint } from './checkpoint.ts';
import { clockOf } from './epochs.ts';
import { type Group, isMember } from './group.ts';
import type { ClockReport, Notarized } from './messages.ts';
import { finalizeAll, learn } from './notarized.ts';
import { type Context, longestOf, type Replica } from './state.ts';

/** Most blocks in answer to one report. */
const answeredAtMost = 64;

/** A replica begins again with what was on its disk, and says where it stands. */
export function start(replica: Replica, ctx: Context): void {
  ctx.setTimer('idle', Math.ceil(ctx.group.idlePeriod / 2));
  finalizeAll(replica, ctx);
  for (const { block } of replica.blocks.values())
    if (block.batch.length > 0) replica.filledIn = Math.max(replica.filledIn, block.epoch);
  if (replica.voted === 0 && replica.notarized.size === 0 && replica.stableCheckpoint === null)
    return;
  ctx.line('restart');
  fetchState(replica, ctx);
  for (const { ref, state } of replica.checkpoints.values())
    ctx.broadcast({ kind: 'checkpoint', ...ref, state });
  ctx.broadcast(clockOf(replica));
}

/**
 * The timer 'idle': what a replica does not know that it lacks, it cannot miss. So each says where
 * it stands to f+1 others, each time others.
 */
export function idleTimeout(replica: Replica, ctx: Context): void {
  ctx.setTimer('idle', ctx.group.idlePeriod);
  ctx.line('idle');
  for (let i = 0; i <= ctx.group.f; i++) {
    replica.told = (replica.told + 1) % ctx.group.n;
    if (replica.told === ctx.self) replica.told = (replica.told + 1) % ctx.group.n;
    if (replica.told !== ctx.self) inquire(replica, replica.told, ctx);
  }
}

/** Whether it is time to answer: whoever has used the last answer gets the next one at once. */
export function mayAnswer(
  group: Group,
  replica: Replica,
  { from, final }: Signed<ClockReport>,
  now: number,
): boolean {
  const last = replica.answered.get(from);
  return last === undefined || final > last.final || now - last.at >= group.epochTime / 4;
}

/** Whether its sender has seen less than this replica. */
export const lacks = (replica: Replica, { final, tip, stable }: ClockReport): boolean =>
  final < replica.final.height ||
  Math.max(final, tip?.body.height ?? 0) < longestOf(replica).height ||
  lacksCheckpoint(replica, stable);

/** ⟨CLOCK, over⟩: an epoch is over for its sender, and so much it has seen. */
export function clock(replica: Replica, message: Signed<ClockReport>, ctx: Context): void {
  const { from, over, final, tip } = message;
  if (!isMember(ctx.group, from) || from === ctx.self) return;
  if (over > (replica.over.get(from) ?? 0)) replica.over.set(from, over);
  if (tip !== null && isQuorum(ctx.group, tip)) learn(replica, tip, ctx);
  if (lacks(replica, message) && mayAnswer(ctx.group, replica, message, ctx.now)) {
    ctx.line('echo');
    replica.answered.set(from, { at: ctx.now, final });
    explainChain(replica, message, ctx);
    explainCheckpoints(replica, message, ctx);
  }
  if (final > replica.final.height) ask(replica, from, ctx);
}

/**
 * The notarized blocks above what its sender has without a gap, the lowest first, and if it has
 * finalized less those above that: what makes a block final may be on a branch that came to
 * nothing.
 */
function explainChain(
  replica: Replica,
  { from, final, tip }: Signed<ClockReport>,
  ctx: Context,
): void {
  const whole = Math.max(final, tip?.body.height ?? 0);
  const starts = final < replica.final.height ? [final, whole] : [whole];
  const isAsked = (height: number): boolean =>
    starts.some((start) => height > start && height <= start + answeredAtMost);
  const above = [...replica.notarized.values()].filter(({ body }) => isAsked(body.height));
  above.sort((one, other) => one.body.height - other.body.height);
  let bytes = 0;
  for (const notarization of above) {
    const block = blockOf(replica, notarization.body);
    if (block === undefined) continue;
    for (const request of block.batch) bytes += bytesOf(request);
    ctx.send(from, { kind: 'notarized', block, notarization });
    if (bytes > maxBatchBytes) return;
  }
}

/** Whether a notarized block is news: it, or that it is notarized. */
export const isNews = (group: Group, replica: Replica, message: Notarized): boolean => {
  const { body } = message.notarization;
  return (
    body.epoch > replica.final.epoch &&
    body.epoch === message.block.epoch &&
    (notarizedAs(replica, body) === undefined || blockOf(replica, body) === undefined) &&
    isQuorum(group, message.notarization)
  );
};

/** A notarized block from one who has seen it. */
export function notarized(replica: Replica, message: Signed<Notarized>, ctx: Context): void {
  const { from, block, notarization } = message;
  if (!isNews(ctx.group, replica, message) || !acceptable(block.batch)) return;
  if (idOf(ctx.group, block) !== notarization.body.id) return;
  ctx.line('catch-up');
  learn(replica, notarization, ctx, block);
  // Once all of an answer is here the next one is asked for.
  const isLast = block.height === replica.asked + answeredAtMost;
  if (isLast && isMember(ctx.group, from)) inquire(replica, from, ctx);
}

/** Whether it is long enough ago that somebody was asked. */
export const mayAsk = (group: Group, { askedAt }: Replica, now: number): boolean =>
  askedAt === null || now - askedAt >= group.epochTime / 4;

/** Asks one that has seen more for it, now and then. */
function ask(replica: Replica, member: ReplicaId, ctx: Context): void {
  if (!mayAsk(ctx.group, replica, ctx.now)) return;
  replica.askedAt = ctx.now;
  ctx.line('ask');
  inquire(replica, member, ctx);
}

/** Tells `member` what is here without a gap, so that it answers with what comes next. */
function inquire(replica: Replica, member: ReplicaId, ctx: Context): void {
  const tip = wholeTip(replica);
  replica.asked = Math.max(replica.final.height, tip?.body.height ?? 0);
  ctx.send(member, { ...clockOf(replica), tip });
}

/** While a block is missing here, it is asked for once it is late. */
export function maybeMiss(replica: Replica, ctx: Context): boolean {
  if (replica.missing || !hasGap(replica)) return false;
  replica.missing = true;
  ctx.setTimer('missing', Math.ceil(ctx.group.epochTime / 4));
  return true;
}

/** The timer 'missing': asks one who has voted for what is missing here. */
export function missingTimeout(replica: Replica, ctx: Context): void {
  replica.missing = false;
  if (replica.tip === null || !hasGap(replica)) return;
  const others = replica.tip.seals.filter(({ from }) => from !== ctx.self);
  const chosen = others[(replica.epoch + ctx.self) % Math.max(1, others.length)];
  if (chosen !== undefined) ask(replica, chosen.from, ctx);
}
