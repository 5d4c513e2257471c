/** Prevotes, polkas and locks: lines 34 to 46 of Algorithm 1. */
import { certify, countVote, type Digest, type Signed, seal, votesFor } from '@quorumlab/core';
import { isCurrent } from './early.ts';
import { isValid } from './filling.ts';
import { type Group, isMember } from './group.ts';
import type { Polka, PolkaMessage, Prevote } from './messages.ts';
import { want } from './missing.ts';
import { bodyOf, isNear, noteReached, sayPrecommit, startTimer } from './rounds.ts';
import { type Context, heardOf, type Replica, validRoundOf } from './state.ts';
import { isPolka, powerAt, weigh, weightOf } from './votes.ts';

/** What prevotes are counted by: in the accountable variant their valid rounds too. */
export const prevoteKey = ({ value, validRound }: Prevote): string =>
  value === null ? 'nil' : `${value}/${validRound ?? -1}`;

/** Whether a prevote could be honest: its proposal was valid in an earlier round, or none. */
export const isPrevote = (group: Group, { round, value, validRound }: Prevote): boolean =>
  validRound === null || (group.accountable && value !== null && validRound < round);

/** ⟨PREVOTE, h, round, id(v)⟩ */
export function prevote(replica: Replica, message: Signed<Prevote>, ctx: Context): void {
  const { group } = ctx;
  if (!isPrevote(group, message)) return;
  if (!isCurrent(group, replica, message)) return;
  const { from, height, round, set, value, validRound } = message;
  const power = powerAt(group, replica, height);
  const heard = heardOf(replica, round);
  const key = prevoteKey(message);
  const earlier = countVote(heard.prevotes, message, key);
  if (earlier !== undefined) return ctx.accuse(earlier, message);
  heard.prevoted += weightOf(power, from);
  const same = votesFor(heard.prevotes, key);
  if (weigh(power, same) < power.quorum) return;
  if (heard.polka !== null && prevoteKey(heard.polka.body) === key) return;
  if (value === null) heard.isNil = true;
  else
    learnPolka(
      replica,
      certify<Prevote>({ kind: 'prevote', height, round, set, value, validRound }, same),
      ctx,
    );
}

/** A polka that another replica passes on: it may hold second votes of those who cast two. */
export function polka(
  replica: Replica,
  { from, polka: passed }: Signed<PolkaMessage>,
  ctx: Context,
): void {
  if (!isMember(ctx.group, from) || passed.body.height !== replica.height) return;
  if (isPolka(ctx.group, replica, passed)) learnPolka(replica, passed, ctx);
}

/** Remembers a whole polka of this height, if it is of a round that is near. */
export function learnPolka(replica: Replica, found: Polka, ctx: Context): void {
  const { round } = found.body;
  if (!isTaken(ctx.group, replica, found)) return;
  for (const { from } of found.seals) noteReached(replica, from, round);
  if (!isNear(ctx.group, replica, round)) return;
  const heard = heardOf(replica, round);
  if (heard.polka !== null) return accuseBoth(heard.polka, found, ctx);
  heard.polka = found;
}

/** Two polkas in one round: whoever is in both has voted twice. */
function accuseBoth(first: Polka, second: Polka, ctx: Context): void {
  if (prevoteKey(first.body) === prevoteKey(second.body)) return;
  for (const one of first.seals)
    for (const other of second.seals)
      if (one.from === other.from)
        ctx.accuse(
          seal(first.body, one.from, one.signature),
          seal(second.body, other.from, other.signature),
        );
}

/** Whether a polka counts in which a member votes otherwise than it was heard to (gallery B-41). */
export function isTaken(group: Group, replica: Replica, { body, seals }: Polka): boolean {
  if (group.rules.takesSecondVotes) return true;
  if (!isNear(group, replica, body.round)) return false;
  const votes = replica.heard.get(body.round)?.prevotes.votes;
  return seals.every(({ from }) => {
    const heard = votes?.get(from);
    return heard === undefined || heard.value === body.value;
  });
}

/**
 * Lines 36 to 43: a polka for a value that is here. In the step after prevoting it is locked and
 * precommitted; in any case it is the valid value from now on. A polka of an earlier round, which
 * came late, is no reason to lock.
 */
export function usePolkas(replica: Replica, ctx: Context): boolean {
  for (const [round, heard] of replica.heard) {
    const { polka: found } = heard;
    if (found === null || heard.isUsed || round > replica.round) continue;
    if (round === replica.round && replica.step === 'propose') continue;
    const value = found.body.value as Digest; // A polka is for a value: see `isPolka`.
    const batch = bodyOf(replica, value);
    if (batch === undefined) {
      // In a round that goes well the proposal is on its way.
      if (round < replica.round || replica.started.has('precommit'))
        want(replica, value, found, ctx);
      continue;
    }
    if (!isValid(ctx.group, replica, batch)) continue;
    heard.isUsed = true;
    if (round > (validRoundOf(replica) ?? -1)) {
      ctx.line('42-valid');
      ctx.save({ valid: found });
      if (replica.blocks.get(replica.height)?.value !== value)
        ctx.put('blocks', replica.height, { value, batch });
    }
    if (round !== replica.round || replica.step !== 'prevote') return true;
    ctx.line('36-lock');
    ctx.save({ locked: { round, value } });
    sayPrecommit(replica, value, ctx);
    return true;
  }
  return false;
}

/** Lines 44 to 46: a quorum has prevoted nil. Nobody gives up a lock for that. */
export function precommitNil(replica: Replica, ctx: Context): boolean {
  if (replica.step !== 'prevote' || replica.heard.get(replica.round)?.isNil !== true) return false;
  ctx.line('44-nil');
  if (ctx.group.rules.nilUnlocks) ctx.save({ locked: null });
  sayPrecommit(replica, null, ctx);
  return true;
}

/** Lines 34 and 35: a quorum has prevoted, but not for one thing. */
export function awaitPrevotes(replica: Replica, ctx: Context): boolean {
  if (replica.step !== 'prevote') return false;
  const { quorum } = powerAt(ctx.group, replica, replica.height);
  if ((replica.heard.get(replica.round)?.prevoted ?? 0) < quorum) return false;
  if (!startTimer(replica, 'prevote', ctx)) return false;
  ctx.line('34-timeout-prevote');
  return true;
}
