/** Rounds: which one it is, what is said in it, and what may be remembered of others. */
import { assert, type Batch, type Digest, type ReplicaId } from '@quorumlab/core';
import type { Group } from './group.ts';
import { admitAll } from './mempool.ts';
import type { Precommit, Prevote } from './messages.ts';
import {
  type Context,
  maxRoundsAhead,
  maxRoundsBehind,
  maxSaid,
  type Replica,
  type Step,
  stableHeight,
} from './state.ts';
import { nameAt } from './validators.ts';
import { powerAt, votesAt, weightOf } from './votes.ts';

/** Whether what is said of `round` may be remembered. */
export const isNear = (group: Group, { round: current }: Replica, round: number): boolean =>
  !group.rules.boundsRounds ||
  (round <= current + maxRoundsAhead && round >= current - maxRoundsBehind);

/**
 * Whether this replica may take part in its height: it has a vote, the state of every height
 * below, and there is room above the stable checkpoint.
 */
export const mayAct = (group: Group, replica: Replica): boolean =>
  replica.fetching === 0 &&
  votesAt(group, replica, replica.height, replica.self) &&
  replica.height > stableHeight(replica) &&
  replica.height <= stableHeight(replica) + group.window;

/** StartRound(round), lines 11 to 13; what lines 14 to 21 say follows by itself: see `settle`. */
export function startRound(replica: Replica, round: number, ctx: Context): void {
  ctx.line('11-start-round');
  // What somebody proposed in vain may be known to nobody else by now.
  for (const { proposal } of replica.heard.values())
    if (proposal !== null) admitAll(replica, proposal.batch, ctx);
  replica.round = round;
  replica.step = 'propose';
  replica.roundSince = ctx.now;
  replica.mayTell = true;
  for (const timer of replica.started) ctx.clearTimer(timer);
  replica.started.clear();
  for (const old of replica.heard.keys())
    if (!isNear(ctx.group, replica, old)) replica.heard.delete(old);
}

/** h ← height: nothing of the last one matters any more (lines 52 to 54). */
export function enterHeight(replica: Replica, height: number, ctx: Context): void {
  replica.height = height;
  replica.heightSince = ctx.now;
  replica.heard.clear();
  replica.reached.clear();
  replica.wanted.clear();
  replica.above.clear();
  for (const each of replica.later.keys()) if (each < height) replica.later.delete(each);
  ctx.save({ locked: null, valid: null, proposed: null });
  ctx.drop('said', { from: 0 });
  startRound(replica, 0, ctx);
}

/** timeoutPropose, timeoutPrevote or timeoutPrecommit of this round: once a round. */
export function startTimer(replica: Replica, timer: Step, ctx: Context): boolean {
  const { group } = ctx;
  if (replica.started.has(timer)) return false;
  replica.started.add(timer);
  const first = timer === 'propose' ? group.proposeTimeout : group.voteTimeout;
  ctx.setTimer(timer, group.rules.timeout(first, group.timeoutDelta, replica.round));
  return true;
}

/** ⟨PREVOTE, h, round, id(v)⟩, durable before it leaves. */
export function sayPrevote(
  replica: Replica,
  value: Digest | null,
  proposedAs: number | null,
  ctx: Context,
): void {
  const { height, round } = replica;
  const validRound = ctx.group.accountable && value !== null ? proposedAs : null;
  const set = nameAt(replica.validators, height);
  const prevote: Prevote = { kind: 'prevote', height, round, set, value, validRound };
  replica.step = 'prevote';
  ctx.put('said', round, { prevote, precommit: null });
  if (replica.said.size > maxSaid) ctx.drop('said', { below: round - maxSaid + 1 });
  ctx.broadcast(prevote);
}

/** ⟨PRECOMMIT, h, round, id(v)⟩, durable before it leaves. */
export function sayPrecommit(replica: Replica, value: Digest | null, ctx: Context): void {
  const { height, round } = replica;
  const row = replica.said.get(round);
  assert(row !== undefined, 'who precommits has prevoted in the same round');
  const { set } = row.prevote;
  const precommit: Precommit = { kind: 'precommit', height, round, set, value };
  replica.step = 'precommit';
  replica.mayTell = true;
  ctx.put('said', round, { ...row, precommit });
  ctx.broadcast(precommit);
}

/** `member` has said something of `round`: it, or an earlier round, has begun there. */
export function noteReached(replica: Replica, member: ReplicaId, round: number): void {
  if (round > (replica.reached.get(member) ?? -1)) replica.reached.set(member, round);
}

/**
 * Lines 55 and 56: members of f+1 are in later rounds, so an honest one is. Whoever is further has
 * been in the rounds before: the highest round counts that so many have reached.
 */
export function skipRounds(replica: Replica, ctx: Context): boolean {
  const { group } = ctx;
  const later = [...replica.reached].filter(([, round]) => round > replica.round);
  if (later.length === 0) return false;
  later.sort(([, one], [, other]) => other - one);
  const power = powerAt(group, replica, replica.height);
  let sum = 0;
  for (const [member, round] of later) {
    sum += weightOf(power, member);
    if (sum < group.rules.skipsAt(power.weak)) continue;
    ctx.line('55-skip');
    startRound(replica, round, ctx);
    return true;
  }
  return false;
}

/** The batch that `value` of this height stands for, if it is here. */
export function bodyOf(replica: Replica, value: Digest): Batch | undefined {
  const block = replica.blocks.get(replica.height);
  if (block?.value === value) return block.batch;
  for (const heard of replica.heard.values())
    if (heard.value === value && heard.proposal !== null) return heard.proposal.batch;
  return replica.wanted.get(value) ?? undefined;
}
