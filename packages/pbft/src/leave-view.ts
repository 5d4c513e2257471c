/** The first half of section 4.4 of the paper: a replica stops believing in its primary. */
import { assert } from '@quorumlab/core';
import type { Group } from './group.ts';
import type { MacViewChange } from './mac-messages.ts';
import { reportOf } from './mac-report.ts';
import type { Claim, Reached, StableCheckpoint, ViewChange } from './messages.ts';
import { watch } from './missing.ts';
import { keepPace } from './pace.ts';
import { type Context, countedTime, epochOf, type Replica } from './state.ts';
import { isVoter, primaryOf } from './votes.ts';

/**
 * ⟨VIEW-CHANGE, v+1, n, C, P, i⟩: stop taking part in the old view and say what is prepared. Who
 * has no vote asks for no view, and follows.
 */
export function startViewChange(replica: Replica, view: number, ctx: Context): void {
  if (!isVoter(ctx.group, replica, ctx.self)) return;
  assert(view > replica.view, 'a replica only moves to later views');
  ctx.line('4.4-view-change');
  const { mac } = ctx.group;
  const message: ViewChange | MacViewChange = mac
    ? reportOf(replica, view, reported(ctx.group, replica))
    : {
        kind: 'view-change',
        epoch: epochOf(replica).number,
        view,
        checkpoint: reached(replica),
        prepared: reported(ctx.group, replica),
      };
  ctx.save({ view, active: false, viewChange: message, newView: null });
  replica.attempts += 1;
  leave(replica, ctx);
  ctx.broadcast(message);
  // The new primary must know the highest checkpoint of all, whose proof is not in the message.
  const primary = primaryOf(replica, view);
  const own = reachedIn(replica);
  if (own !== null && primary !== ctx.self && !mac) ctx.send(primary, own);
  watch(replica, ctx);
}

/** C: the last stable checkpoint with what it names; null before the first one of the epoch. */
export function reachedIn(replica: Replica): StableCheckpoint | null {
  const { stableCheckpoint: checkpoint, stableConfiguration: configuration } = replica;
  return checkpoint === null || checkpoint.body.epoch < epochOf(replica).number
    ? null
    : { kind: 'stable-checkpoint', checkpoint, configuration };
}

/** C, by its name. */
function reached(replica: Replica): Reached | null {
  const own = reachedIn(replica);
  if (own === null) return null;
  const { sequence, digest } = own.checkpoint.body;
  return { sequence, digest };
}

/** P, by name: for each number above the stable checkpoint what was last prepared there. */
const reported = (group: Group, replica: Replica): Claim[] =>
  [...replica.prepared.entries()]
    .filter(([sequence]) => group.rules.carriesPrepared || replica.committed.has(sequence))
    .sort(([one], [other]) => one - other)
    .map(([, { proof }]) => {
      const { view, sequence, digest } = proof.body;
      return { view, sequence, digest };
    });

/** Forgets what was under way in a view that ends. */
export function leave(replica: Replica, ctx: Context): void {
  keepPace(ctx.group, replica);
  replica.progress.clear();
  replica.tentative = 0;
  replica.enteredBy = null;
  replica.asked.clear();
  replica.unproven = null;
  replica.viewSince = ctx.now;
  replica.viewCounted = countedTime(replica, ctx.now);
  if (replica.requestTimer) ctx.clearTimer('request');
  if (replica.newViewDue !== null) ctx.clearTimer('new-view');
  replica.requestTimer = false;
  replica.newViewDue = null;
}
