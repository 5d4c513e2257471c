/** The first half of section 4.4 of the paper: a replica stops believing in its primary. */
import { assert, type Certificate } from '@quorumlab/core';
import type { Group } from './group.ts';
import type { Prepare, ViewChange } from './messages.ts';
import { type Ctx, countedTime, type PbftReplica, watch } from './state.ts';

/** ⟨VIEW-CHANGE, v+1, n, C, P, i⟩: stop taking part in the old view and say what is prepared. */
export function startViewChange(group: Group, replica: PbftReplica, view: number, ctx: Ctx): void {
  assert(view > replica.view, 'a replica only moves to later views');
  ctx.line('4.4-view-change');
  const message: ViewChange = {
    kind: 'view-change',
    view,
    checkpoint: replica.stableCheckpoint,
    prepared: reported(group, replica),
  };
  ctx.save({ view, active: false, viewChange: message, newView: null });
  replica.attempts += 1;
  leave(replica, ctx);
  ctx.broadcast(message);
  watch(group, replica, ctx);
}

/** P: for each number above the stable checkpoint the certificate with the highest view. */
const reported = (group: Group, replica: PbftReplica): Certificate<Prepare>[] =>
  [...replica.prepared.entries()]
    .filter(([sequence]) => group.rules.carriesPrepared || replica.committed.has(sequence))
    .sort(([one], [other]) => one - other)
    .map(([, { proof }]) => proof);

/** Forgets what was under way in a view that ends. */
export function leave(replica: PbftReplica, ctx: Ctx): void {
  replica.progress.clear();
  replica.enteredBy = null;
  replica.viewSince = ctx.now;
  replica.viewCounted = countedTime(replica, ctx.now);
  if (replica.requestTimer) ctx.clearTimer('request');
  if (replica.newViewTimer) ctx.clearTimer('new-view');
  replica.requestTimer = false;
  replica.newViewTimer = false;
}
