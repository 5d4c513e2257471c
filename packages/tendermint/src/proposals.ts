/** Proposals and what is prevoted for: lines 14 to 33 of Algorithm 1. */
import { acceptable, type Batch, type Digest, type Signed } from '@quorumlab/core';
import { isCurrent } from './early.ts';
import { isFilled, isValid } from './filling.ts';
import { type Group, proposerOf } from './group.ts';
import { isSetAhead } from './membership.ts';
import { nextBatch, noteProposed } from './mempool.ts';
import type { Polka, Proposal } from './messages.ts';
import { isTaken, learnPolka } from './polkas.ts';
import { bodyOf, mayAct, sayPrevote, startTimer } from './rounds.ts';
import { type Context, type Heard, heardOf, type Replica, validRoundOf } from './state.ts';
import { nameAt } from './validators.ts';
import { isPolka, powerAt, weigh } from './votes.ts';

/** id(v). */
export const idOf = (group: Group, batch: Batch, ctx: Pick<Context, 'digest'>): Digest =>
  ctx.digest(group.schemas.content, batch);

/** What is proposed, and what it rests on. */
interface Offer {
  readonly batch: Batch;
  readonly value: Digest;
  readonly validRound: number | null;
  readonly polka: Polka | null;
}

/** Lines 14 to 19: once a round, as soon as there is something to propose. */
export function maybePropose(replica: Replica, ctx: Context): boolean {
  const { group } = ctx;
  const { height, round, step } = replica;
  if (step !== 'propose' || proposerOf(group, replica.validators, height, round) !== ctx.self)
    return false;
  if ((replica.proposed?.round ?? -1) >= round || !mayAct(group, replica)) return false;
  const offer = again(group, replica) ?? fresh(replica, ctx);
  if (offer === undefined) return false;
  const { batch, value, validRound, polka } = offer;
  ctx.line('14-propose');
  ctx.save({ proposed: { round, value, validRound } });
  if (replica.valid === null) ctx.put('blocks', height, { value, batch });
  noteProposed(replica, batch);
  const set = nameAt(replica.validators, height);
  ctx.broadcast({ kind: 'proposal', height, round, set, batch, validRound, polka });
  return true;
}

/** Lines 15 and 16: the valid value. */
function again(group: Group, replica: Replica): Offer | undefined {
  const { valid, locked } = replica;
  const isLock = group.rules.proposesAgain === 'locked';
  const value = isLock ? locked?.value : valid?.body.value;
  if (value === undefined || value === null) return undefined;
  const batch = bodyOf(replica, value);
  if (batch === undefined) return undefined;
  const validRound = isLock ? (locked?.round ?? null) : validRoundOf(replica);
  const polka = group.rules.passesPolkasOn && valid?.body.value === value ? valid : null;
  return { batch, value, validRound, polka };
}

/**
 * Lines 17 and 18. In round 0 there is no hurry: without requests nothing is proposed, unless a set
 * of validators waits for its first height.
 */
function fresh(replica: Replica, ctx: Context): Offer | undefined {
  const filled = isFilled(ctx.group, replica);
  const batch = filled ? [] : nextBatch(ctx.group, replica);
  const makesRoom = filled && replica.waiting.size > 0;
  const isIdle = batch.length === 0 && !makesRoom && !isSetAhead(replica);
  if (replica.round === 0 && isIdle) return undefined;
  return { batch, value: idOf(ctx.group, batch, ctx), validRound: null, polka: null };
}

/** Whether a proposal is what its proposer may say: the first lines of its handler. */
export function isWhole(
  group: Group,
  replica: Replica,
  { from, ...said }: Signed<Proposal>,
): boolean {
  const { height, round, batch, validRound, polka } = said;
  if (height === 0 || from !== proposerOf(group, replica.validators, height, round)) return false;
  if (!acceptable(batch) || (validRound !== null && validRound >= round)) return false;
  if (polka === null) return true;
  const { body } = polka;
  if (validRound === null || body.height !== height) return false;
  if (!group.rules.isPolkaOf(body.round, validRound)) return false;
  // Which set is the newest one before the next height is seen when that begins.
  return height > replica.height || isPolka(group, replica, polka);
}

/** ⟨PROPOSAL, h, round, v, vr⟩ */
export function proposal(replica: Replica, message: Signed<Proposal>, ctx: Context): void {
  if (!isWhole(ctx.group, replica, message)) return;
  const { round, batch, polka } = message;
  const value = idOf(ctx.group, batch, ctx);
  if (polka !== null && polka.body.value !== value) return;
  if (!isCurrent(ctx.group, replica, message)) return;
  const heard = heardOf(replica, round);
  if (heard.proposal !== null) return ctx.accuse(heard.proposal, message);
  heard.proposal = message;
  heard.value = value;
  if (polka !== null) learnPolka(replica, polka, ctx);
}

/**
 * Lines 22 to 33: prevotes for what was proposed, unless it is locked on something else and has not
 * seen that a quorum would have had this in a later round.
 */
export function prevoteForProposal(replica: Replica, ctx: Context): boolean {
  const { group } = ctx;
  if (replica.step !== 'propose' || !mayAct(group, replica)) return false;
  const heard = replica.heard.get(replica.round);
  if (heard === undefined || heard.proposal === null || heard.value === null) return false;
  const { value } = heard;
  const { validRound, batch } = heard.proposal;
  const isNew = validRound === null;
  if (!isNew && !isShown(group, replica, value, validRound, heard.proposal)) return false;
  const { locked } = replica;
  const may =
    isValid(group, replica, batch) && group.rules.mayPrevote({ value, validRound, locked });
  if (may) ctx.line(isNew ? '22-prevote' : '28-prevote');
  else ctx.line(isNew ? '26-nil' : '32-nil');
  sayPrevote(replica, may ? value : null, validRound, ctx);
  return true;
}

/** Line 28: "2f+1 ⟨PREVOTE, h, vr, id(v)⟩": beside the proposal, or heard here. */
function isShown(
  group: Group,
  replica: Replica,
  value: Digest,
  validRound: number,
  { polka }: Proposal,
): boolean {
  if (!group.rules.provesValidRound) return true;
  if (polka !== null && isTaken(group, replica, polka)) return true;
  return replica.heard.get(validRound)?.polka?.body.value === value;
}

/** Lines 20 and 21. In round 0 a proposer may take its time while nobody waits. */
export function awaitProposal(replica: Replica, ctx: Context): boolean {
  if (replica.step !== 'propose' || !mayAct(ctx.group, replica)) return false;
  const { round, waiting, proposed } = replica;
  const heard = replica.heard.get(round);
  const isAwaited =
    round > 0 ||
    waiting.size > 0 ||
    isSetAhead(replica) ||
    proposed?.round === round ||
    (heard !== undefined && isBusy(ctx.group, replica, heard));
  if (!isAwaited || !startTimer(replica, 'propose', ctx)) return false;
  ctx.line('20-timeout-propose');
  return true;
}

/** Whether an honest member has begun the round, or its proposer. */
function isBusy(group: Group, replica: Replica, heard: Heard): boolean {
  const { proposal: first, prevotes, precommits } = heard;
  const power = powerAt(group, replica, replica.height);
  return (
    first !== null ||
    weigh(power, [...prevotes.votes.values()]) >= power.weak ||
    weigh(power, [...precommits.votes.values()]) >= power.weak
  );
}
