/**
 * Echo: what one has seen all see. Reports carry the end of the longest notarized chain, and
 * whoever has seen less is sent the blocks of it, each with its votes. So does one come back that
 * was away.
 */
import { acceptable, bytesOf, maxBatchBytes, type ReplicaId, type Signed } from '@quorumlab/core';
import { blockOf, hasGap, idOf, isQuorum, notarizedAs } from './chain.ts';
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
    if (replica.told !== ctx.self) ctx.send(replica.told, clockOf(replica));
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
    explainChain(replica, from, final, ctx);
    explainCheckpoints(replica, message, ctx);
  }
  if (final > replica.final.height) ask(replica, from, ctx);
}

/** The notarized blocks above `final` of the longest chain, the lowest first. */
function explainChain(replica: Replica, to: ReplicaId, final: number, ctx: Context): void {
  const chain: Omit<Notarized, 'kind'>[] = [];
  let at = longestOf(replica);
  while (at.height > final) {
    const block = blockOf(replica, at);
    const notarization = replica.notarized.get(at.epoch);
    // It was let go: the state is what its receiver needs.
    if (block === undefined || notarization?.body.id !== at.id) return;
    chain.push({ block, notarization });
    at = { ...block.parent, height: at.height - 1 };
  }
  let bytes = 0;
  for (const each of chain.reverse().slice(0, answeredAtMost)) {
    for (const request of each.block.batch) bytes += bytesOf(request);
    ctx.send(to, { kind: 'notarized', ...each });
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
  const isLast = block.height === replica.final.height + answeredAtMost;
  if (isLast && isMember(ctx.group, from)) ctx.send(from, clockOf(replica));
}

/** Whether it is long enough ago that somebody was asked. */
export const mayAsk = (group: Group, { askedAt }: Replica, now: number): boolean =>
  askedAt === null || now - askedAt >= group.epochTime / 4;

/** Asks one that has seen more for it, now and then. */
function ask(replica: Replica, member: ReplicaId, ctx: Context): void {
  if (!mayAsk(ctx.group, replica, ctx.now)) return;
  replica.askedAt = ctx.now;
  ctx.line('ask');
  ctx.send(member, clockOf(replica));
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
