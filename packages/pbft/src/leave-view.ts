/** The first half of section 4.4 of the paper: a replica stops believing in its primary. */
import { assert } from '@quorumlab/core';
import { type Group, primaryOf } from './group.ts';
import type { Claim, Reached, ViewChange } from './messages.ts';
import { watch } from './missing.ts';
import { keepPace } from './pace.ts';
import { type Context, countedTime, type Replica } from './state.ts';

/** ⟨VIEW-CHANGE, v+1, n, C, P, i⟩: stop taking part in the old view and say what is prepared. */
export function startViewChange(replica: Replica, view: number, ctx: Context): void {
  assert(view > replica.view, 'a replica only moves to later views');
  ctx.line('4.4-view-change');
  const message: ViewChange = {
    kind: 'view-change',
    view,
    checkpoint: reached(replica),
    prepared: reported(ctx.group, replica),
  };
  ctx.save({ view, active: false, viewChange: message, newView: null });
  replica.attempts += 1;
  leave(replica, ctx);
  ctx.broadcast(message);
  // The new primary must know the highest checkpoint of all, whose proof is not in the message.
  const primary = primaryOf(ctx.group, view);
  if (replica.stableCheckpoint !== null && primary !== ctx.self)
    ctx.send(primary, { kind: 'stable-checkpoint', checkpoint: replica.stableCheckpoint });
  watch(replica, ctx);
}

/** C, by its name. */
function reached({ stableCheckpoint }: Replica): Reached | null {
  if (stableCheckpoint === null) return null;
  const { sequence, digest } = stableCheckpoint.body;
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
