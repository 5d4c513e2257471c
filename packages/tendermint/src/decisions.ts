/** Precommits and decisions: lines 47 to 54 of Algorithm 1. */
import {
  type Batch,
  certify,
  countVote,
  type Digest,
  forget,
  type Seal,
  type Signed,
  votesFor,
} from '@quorumlab/core';
import { isCurrent } from './early.ts';
import { acquaintances, configuredBy, learnSet } from './membership.ts';
import type { Commit, Precommit } from './messages.ts';
import { want } from './missing.ts';
import { bodyOf, enterHeight, startTimer } from './rounds.ts';
import { type Context, heardOf, type Replica } from './state.ts';
import { isCommit, powerAt, votesAt, weigh, weightOf } from './votes.ts';

/** ⟨PRECOMMIT, h, round, id(v)⟩ */
export function precommit(replica: Replica, message: Signed<Precommit>, ctx: Context): void {
  const { group } = ctx;
  if (!isCurrent(group, replica, message)) return;
  const { from, height, round, set, value } = message;
  const power = powerAt(group, replica, height);
  const heard = heardOf(replica, round);
  const earlier = countVote(heard.precommits, message, value ?? 'nil');
  if (earlier !== undefined) return ctx.accuse(earlier, message);
  heard.precommitted += weightOf(power, from);
  if (value === null) return;
  const same = group.rules.mixesRounds
    ? ofAnyRound(replica, value)
    : votesFor(heard.precommits, value);
  if (weigh(power, same) < power.quorum || heard.commit !== null) return;
  heard.commit = certify<Precommit>({ kind: 'precommit', height, round, set, value }, same);
}

/** Precommits for `value` in whatever round, one a member: the flaw of gallery B-39. */
function ofAnyRound(replica: Replica, value: Digest): readonly Signed<Precommit>[] {
  const found = new Map<number, Signed<Precommit>>();
  for (const { precommits } of replica.heard.values())
    for (const each of votesFor(precommits, value)) found.set(each.from, each);
  return [...found.values()];
}

/** Lines 49 to 54: a quorum's precommits of one round for a value that is here. */
export function decideIfCommitted(replica: Replica, ctx: Context): boolean {
  for (const { commit } of replica.heard.values()) {
    if (commit === null) continue;
    const value = commit.body.value as Digest; // See `precommit`.
    const batch = bodyOf(replica, value);
    if (batch !== undefined) {
      decide(replica, commit, batch, ctx);
      return true;
    }
    want(replica, value, commit, ctx);
  }
  return false;
}

/** What others have decided at this height, with the proof. */
export function decideIfTold(replica: Replica, ctx: Context): boolean {
  const told = replica.later.get(replica.height);
  if (told === undefined) return false;
  if (!isCommit(ctx.group, replica, told.commit)) {
    // Whoever signed it votes no more: a newer set was decided in between.
    replica.later.delete(replica.height);
    return false;
  }
  ctx.line('sync-decision');
  decide(replica, told.commit, told.batch, ctx);
  return true;
}

/** decision[h] ← v */
function decide(replica: Replica, commit: Commit, batch: Batch, ctx: Context): void {
  const { height } = replica;
  const value = commit.body.value as Digest; // Both callers have seen to it.
  ctx.line('49-decide');
  ctx.put('commits', height, commit);
  if (replica.blocks.get(height)?.value !== value) ctx.put('blocks', height, { value, batch });
  learnSet(replica, commit, batch, ctx);
  execute(replica, height, commit, batch, ctx);
  replica.decidedAt = ctx.now;
  enterHeight(replica, height + 1, ctx);
}

/** Hands what was decided at `height` to the application. */
export function execute(
  replica: Replica,
  height: number,
  commit: Commit,
  batch: Batch,
  ctx: Context,
): void {
  ctx.voters(commit.seals.map(({ from }: Seal) => from));
  ctx.decide(height - 1, batch, commit, configuredBy(ctx.group, replica, height, batch));
  for (const request of batch) forget(replica, request, ctx.now);
}

/**
 * Lines 47 and 48: a quorum has precommitted, but not for one thing: the round is lost unless more
 * comes in time. What was nearly decided is passed on: the others are to know it before the next
 * round begins, whoever proposes in it.
 */
export function awaitPrecommits(replica: Replica, ctx: Context): boolean {
  const { group } = ctx;
  const { quorum } = powerAt(group, replica, replica.height);
  if ((replica.heard.get(replica.round)?.precommitted ?? 0) < quorum) return false;
  if (!votesAt(group, replica, replica.height, ctx.self)) return false;
  if (!startTimer(replica, 'precommit', ctx)) return false;
  ctx.line('47-timeout-precommit');
  passOn(replica, ctx);
  return true;
}

/** The polka of the valid value, to all others. */
export function passOn(replica: Replica, ctx: Context): void {
  if (!ctx.group.rules.passesPolkasOn || replica.valid === null) return;
  ctx.line('gossip-polka');
  for (const to of acquaintances(ctx.group, replica))
    if (to !== ctx.self) ctx.send(to, { kind: 'polka', polka: replica.valid });
}
