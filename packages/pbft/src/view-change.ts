/**
 * View changes: section 4.4 of the paper. A quorum stops believing in the primary and shows the
 * next one what it has prepared. Whatever may have been executed was prepared by a quorum, and two
 * quorums share an honest replica, so the new view orders it again under the same number.
 */
import type { ReplicaId, Signed } from '@quorumlab/core';
import { batchAt, bodyOf } from './batches.ts';
import { begin } from './begin-view.ts';
import { becomeStable, fetchState, isShown, type Reached, statusOf } from './checkpoint.ts';
import { epochAfter } from './epochs.ts';
import { isMember } from './group.ts';
import { leave, reachedIn, startViewChange } from './leave-view.ts';
import type { MacNewView } from './mac-messages.ts';
import { acquaintances } from './membership.ts';
import type { NewView, Proofs, ViewChange } from './messages.ts';
import { want } from './missing.ts';
import { computeOrders, isWhole, type Plan, samePlan, validViewChange } from './new-view.ts';
import { keepWaiting } from './normal-case.ts';
import { noteExcuses, timeoutOf } from './patience.ts';
import { askForProofs, isProven, keepProofs, learnProofs } from './proofs.ts';
import { type Context, epochOf, progressAt, type Replica } from './state.ts';
import { isVoter, primaryOf, quorumOf } from './votes.ts';
import { lowWatermark } from './watermarks.ts';

/** ⟨VIEW-CHANGE, v+1, n, C, P, i⟩ of any replica, the own one too. */
export function viewChange(replica: Replica, message: Signed<ViewChange>, ctx: Context): void {
  const { view, from } = message;
  if (message.epoch !== epochOf(replica).number) return;
  if (view < replica.view || (view === replica.view && replica.active)) return; // Too late.
  const earlier = replica.viewChanges.get(from);
  if (earlier !== undefined && earlier.view >= view) return; // One a sender: its latest.
  if (!validViewChange(ctx.group, replica, message)) return;
  replica.viewChanges.set(from, message);
  noteExcuses(replica, ctx);
  maybeJoin(replica, ctx);
  maybeAwaitNewView(replica, ctx);
  maybeNewView(replica, ctx);
}

/**
 * Section 4.5.2: f+1 replicas want later views, so one that is honest does: join it in the smallest
 * of these views, even if our own timer has not expired.
 */
export function maybeJoin(replica: Replica, ctx: Context): void {
  let later = 0;
  let smallest = Number.POSITIVE_INFINITY;
  for (const { view } of replica.viewChanges.values()) {
    if (view <= replica.view) continue;
    later += 1;
    smallest = Math.min(smallest, view);
  }
  if (later < ctx.group.rules.joinsAt(ctx.group.weak)) return;
  ctx.line('4.5.2-join');
  startViewChange(replica, smallest, ctx);
}

/**
 * Section 4.5.2: a quorum wants this view; its primary has as long as a request to begin it.
 * View-changes for later views count too: whoever sent one has given up on this view as well, and
 * what it said about this one may have been lost, or forgotten here in a crash.
 */
export function maybeAwaitNewView(replica: Replica, ctx: Context): void {
  if (replica.active || replica.newViewDue !== null) return;
  let leaving = 0;
  for (const { view } of replica.viewChanges.values()) if (view >= replica.view) leaving += 1;
  if (leaving >= quorumOf(ctx.group, replica)) awaitNewView(replica, ctx);
}

/** Its timer runs, unless it does. */
export function awaitNewView(replica: Replica, ctx: Context): void {
  if (replica.active || replica.newViewDue !== null) return;
  const patience = timeoutOf(ctx.group, replica);
  replica.newViewDue = ctx.now + patience;
  ctx.setTimer('new-view', patience);
}

const forView = (replica: Replica): Signed<ViewChange>[] =>
  [...replica.viewChanges.values()].filter(
    (each): each is Signed<ViewChange> => each.kind === 'view-change' && each.view === replica.view,
  );

/** The new view did not begin in time: try the next one, with twice the patience. */
export function newViewTimeout(replica: Replica, ctx: Context): void {
  if (replica.active || replica.newViewDue === null) return;
  // What a step says of timers waits for its writes, and the last view's timer runs meanwhile.
  const left = replica.newViewDue - ctx.now;
  if (left > 0) return ctx.setTimer('new-view', left);
  replica.newViewDue = null;
  if (replica.excusedSince !== null) return awaitNewView(replica, ctx);
  startViewChange(replica, replica.view + 1, ctx);
}

/**
 * The primary of the new view: ⟨NEW-VIEW, v+1, V, O⟩ once it has a quorum's view-changes, its own
 * one of them. It uses only those whose batches it has, so that it can hand out every batch it
 * orders; a liar who keeps one secret is left out.
 */
export function maybeNewView(replica: Replica, ctx: Context): void {
  const { group } = ctx;
  if (replica.active || primaryOf(replica, replica.view) !== ctx.self) return;
  const own = replica.viewChanges.get(ctx.self);
  if (own?.kind !== 'view-change' || own.view !== replica.view) return;
  const received = forView(replica);
  const quorum = quorumOf(group, replica);
  if (received.length < quorum) return;
  const usable = received.filter((each) => isUsable(replica, each, ctx));
  const others = usable.filter(({ from }) => from !== ctx.self).sort(bySender);
  if (others.length < quorum - 1 || others.length === usable.length) return;
  const viewChanges = [own, ...others.slice(0, quorum - 1)].sort(bySender);
  const plan = computeOrders(replica, viewChanges, ctx);
  ctx.line('4.4-new-view');
  const { view } = replica;
  const { orders } = plan;
  const epoch = epochOf(replica).number;
  const { checkpoint, configuration } = reachedIn(replica) ?? noCheckpoint;
  const proof = { checkpoint, configuration };
  const message: NewView = { kind: 'new-view', epoch, view, ...proof, viewChanges, orders };
  ctx.broadcast(message);
  enterView(replica, { view, plan, reached: null, own: message, by: null }, ctx);
}

/** Where the epoch has not reached one of its own. */
const noCheckpoint = { checkpoint: null, configuration: null } as const;

const bySender = (one: { from: ReplicaId }, other: { from: ReplicaId }): number =>
  one.from - other.from;

/**
 * Whether all that `message` reports is proven here and at hand; asks its sender for what is not.
 */
function isUsable(replica: Replica, message: Signed<ViewChange>, ctx: Context): boolean {
  const { from, checkpoint, prepared } = message;
  const low = lowWatermark(replica);
  // The answer to a report is the proof of the checkpoint, if there is one.
  if (checkpoint !== null && checkpoint.sequence > low) {
    if (replica.asked.size === replica.asked.add(`${from}:checkpoint`).size) return false;
    ctx.send(from, statusOf(replica));
    return false;
  }
  const claims = prepared.filter(({ sequence }) => sequence > low);
  const unproven = claims.filter((claim) => !isProven(ctx.group, replica, claim));
  askForProofs(replica, unproven, from, ctx);
  let all = unproven.length === 0;
  for (const { sequence, digest } of claims) {
    if (bodyOf(replica, sequence, digest, ctx) !== undefined) continue;
    all = false;
    want(replica, { sequence, digest }, [from], ctx);
  }
  return all;
}

/** Proofs that were asked for: a new view may be ready to begin now. */
export function proofs(replica: Replica, message: Signed<Proofs>, ctx: Context): void {
  if (!isMember(ctx.group, message.from)) return;
  learnProofs(ctx.group, replica, message);
  maybeBegin(replica, ctx);
}

/** Tries again to begin the view, as its primary or with what its primary said. */
export function maybeBegin(replica: Replica, ctx: Context): void {
  maybeNewView(replica, ctx);
  if (replica.unproven !== null) beginView(replica, replica.unproven, ctx);
}

/** ⟨NEW-VIEW, v+1, V, O⟩ */
export function newView(replica: Replica, message: Signed<NewView>, ctx: Context): void {
  const { view, from } = message;
  if (message.epoch !== epochOf(replica).number) return;
  if (from !== primaryOf(replica, view) || from === ctx.self) return; // "signed properly"
  if (view < replica.view || view === 0 || isBegun(replica, view)) return;
  // A primary begins a view once. Another beginning would only bring more claims to ask about.
  if (replica.unproven?.view === view) return;
  beginView(replica, message, ctx);
}

/** Begins a view as its primary says, once all that it follows from is proven here. */
function beginView(replica: Replica, message: Signed<NewView>, ctx: Context): void {
  const { view, from } = message;
  const plan = checkedPlan(replica, message, ctx);
  if (plan === undefined) {
    // A primary that begins its view with a lie has had its turn.
    if (view === replica.view) startViewChange(replica, view + 1, ctx);
    return;
  }
  const reached = reachedBy(message);
  const low = Math.max(lowWatermark(replica), reached?.checkpoint.body.sequence ?? 0);
  const unproven = [...plan.chosen.values()].filter(
    (claim) => claim.sequence > low && !isProven(ctx.group, replica, claim),
  );
  if (unproven.length > 0) {
    ctx.line('4.4-proofs');
    replica.unproven = message;
    askForProofs(replica, unproven, from, ctx);
    return awaitNewView(replica, ctx);
  }
  ctx.line('4.4-enter');
  enterView(replica, { view, plan, reached, own: null, by: message }, ctx);
}

const isBegun = (replica: Replica, view: number): boolean =>
  replica.view === view && replica.active;

/**
 * Every view-change in V is valid, a quorum of them, the highest checkpoint of V is proven,
 * and O is what this replica computes from V itself: the same computation as the primary's.
 */
function checkedPlan(replica: Replica, message: NewView, ctx: Context): Plan | undefined {
  const { epoch, viewChanges, orders } = message;
  if (!isWhole(ctx.group, replica, message)) return undefined;
  const plan = computeOrders(replica, viewChanges, ctx);
  const reached = reachedBy(message);
  const sequence = reached?.checkpoint.body.sequence ?? 0;
  if (plan.low > Math.max(lowWatermark(replica), sequence)) return undefined;
  if (reached !== null && sequence > lowWatermark(replica)) {
    const { configuration } = reached;
    if (!isShown(ctx.group, replica, reached, ctx)) return undefined;
    // Whoever knows that the epoch is over begins no view in it.
    if (configuration !== null && epochAfter(configuration, sequence).number !== epoch)
      return undefined;
  }
  if (!ctx.group.rules.recomputesOrders) return { ...plan, orders, chosen: new Map() };
  return samePlan(plan.orders, orders) ? plan : undefined;
}

const reachedBy = ({ checkpoint, configuration }: NewView): Reached | null =>
  checkpoint === null ? null : { checkpoint, configuration };

/** How a view begins here. */
export interface Entry {
  readonly view: number;
  readonly plan: Plan;
  /** A stable checkpoint from which the view can begin, if it is another's. */
  readonly reached: Reached | null;
  /** The new-view, if this replica is its primary. */
  readonly own: NewView | MacNewView | null;
  /** The new-view, if another is. */
  readonly by: Signed<NewView> | null;
}

/** Begins `view`: its log is O, and backups prepare all of it again. */
export function enterView(
  replica: Replica,
  { view, plan, reached, own, by }: Entry,
  ctx: Context,
): void {
  if (reached !== null && reached.checkpoint.body.sequence > lowWatermark(replica)) {
    becomeStable(replica, reached, ctx);
    fetchState(replica, ctx);
  }
  const orders = plan.orders
    .filter(({ sequence }) => sequence > lowWatermark(replica))
    .map((order) => ({
      ...order,
      batch: bodyOf(replica, order.sequence, order.digest, ctx),
    }));
  // What was executed nobody waits for any more, and no primary would order it again.
  const before = [...replica.prePrepares.keys()]
    .filter((n) => n > replica.lastExecuted)
    .flatMap((n) => batchAt(replica, n) ?? []);
  replica.bodies.clear();
  if (own !== null) keepProofs(replica, plan.chosen.values());
  leave(replica, ctx);
  ctx.save({ view, active: true, newView: own });
  // Nothing of an older view is left in the log; what was prepared in one keeps its proof.
  ctx.drop('prePrepares', { from: 0 });
  replica.enteredBy = by;
  const epoch = epochOf(replica).number;
  for (const { sequence, digest, batch = null } of orders) {
    const isStored = replica.prepared.get(sequence)?.proof.body.digest === digest;
    ctx.put('prePrepares', sequence, { view, digest, batch: isStored ? null : batch });
    progressAt(replica, sequence, ctx);
    if (batch === null)
      want(
        replica,
        { sequence, digest },
        [primaryOf(replica, view), ...acquaintances(ctx.group, replica)],
        ctx,
      );
    else if (own === null && isVoter(ctx.group, replica, ctx.self))
      ctx.broadcast({ kind: 'prepare', epoch, view, sequence, digest });
  }
  replica.next = Math.max(lowWatermark(replica), plan.high) + 1;
  for (const request of before) keepWaiting(replica, request, ctx);
  for (const { from, view: wanted } of [...replica.viewChanges.values()])
    if (wanted <= view) replica.viewChanges.delete(from);
  noteExcuses(replica, ctx);
  begin(replica, ctx);
}
