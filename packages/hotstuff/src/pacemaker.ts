/**
 * The pacemaker: when to give up on a leader, and how all end up in one view. A
 * timeout leaves the whole reign of a leader, so its view is always the last one of a reign.
 */
import { oldestCounted, type ReplicaId, type Signed } from '@quorumlab/core';
import { countedTimeouts, isPlausible, learn, learnTimeouts } from './certificates.ts';
import { isOfEpoch } from './epochs.ts';
import { endOfReign, type Group, isMember, leaderOf } from './group.ts';
import { isVoter } from './membership.ts';
import { relayOldest } from './mempool.ts';
import type { Message, NewView, Proposal, Timeout } from './messages.ts';
import { mayAnswer, watch } from './missing.ts';
import { countedTime, timeoutOf } from './patience.ts';
import { ownShown } from './phases.ts';
import { begins, type Context, hasLeft, highViewOf, maxViewsAhead, type Replica } from './state.ts';

/** Arms the timer while requests wait. It looks for the oldest when it fires. */
export function armPacemaker(replica: Replica, ctx: Context): void {
  if (replica.pacemakerTimer || replica.waiting.size === 0) return;
  if (hasLeft(replica, replica.view) || !isVoter(replica, replica.self)) return;
  replica.pacemakerTimer = true;
  ctx.setTimer('pacemaker', timeoutOf(ctx.group, replica));
}

/**
 * The timer is bound to the oldest wait and to the leader's reign, so a leader that does a little
 * just before every timeout, or leaves one client out, is replaced all the same. Time in which no
 * leader could have helped does not count.
 */
export function pacemakerTimeout(replica: Replica, ctx: Context): void {
  const { group } = ctx;
  replica.pacemakerTimer = false;
  if (hasLeft(replica, replica.view)) return; // The status timer repeats what was said.
  const oldest = oldestCounted(replica);
  if (oldest === undefined) return;
  const due = Math.max(oldest, replica.reignSince) + timeoutOf(group, replica);
  const left = due - countedTime(replica, ctx.now);
  const excused = replica.excusedSince !== null;
  if (left <= 0 && !excused) return leave(replica, endOfReign(group, replica.view), ctx);
  replica.pacemakerTimer = true;
  ctx.setTimer('pacemaker', excused ? Math.max(left, group.statusPeriod) : left);
}

/** ⟨TIMEOUT, v, v'⟩: no votes any more up to view v, and the highest certificate to everybody. */
export function leave(replica: Replica, view: number, ctx: Context): void {
  if (hasLeft(replica, view) || !isVoter(replica, ctx.self)) return;
  ctx.line('timeout');
  const { set } = replica.voters;
  const timeout: Timeout = { kind: 'timeout', set, view, highView: highViewOf(replica) };
  ctx.save({ lastTimeout: timeout });
  replica.reignSince = countedTime(replica, ctx.now);
  watch(replica, ctx);
  sayTimeout(replica, ctx);
}

/** The last timeout, and beside it the certificate without which it does not count. */
export function sayTimeout(replica: Replica, ctx: Context): void {
  if (replica.lastTimeout === null) return;
  ctx.broadcast({ kind: 'new-view', justify: replica.high, timeouts: null });
  ctx.broadcast(replica.lastTimeout);
}

/** ⟨TIMEOUT, v, v'⟩ */
export function timeout(replica: Replica, message: Signed<Timeout>, ctx: Context): void {
  const { group } = ctx;
  const { from, view, highView } = message;
  if (!isMember(group, from) || !isPlausible(group, message)) return;
  if (!isOfEpoch(replica, from, message.set, ctx) || !isVoter(replica, from)) return;
  if (view !== endOfReign(group, view)) return; // No honest replica leaves a part of a reign.
  if (view < replica.view) return help(replica, from, ctx);
  if (view > endOfReign(group, replica.view) + maxViewsAhead * group.reign) {
    replica.dropped += 1;
    return;
  }
  const earlier = replica.timeoutVotes.get(from);
  if (earlier !== undefined && earlier.view >= view) {
    if (earlier.view === view && earlier.highView !== highView) ctx.accuse(earlier, message);
    return repeat(replica, from, view, ctx);
  }
  replica.timeoutVotes.set(from, message);
  replica.news = true;
  join(replica, ctx);
}

/** Who says a timeout again may have missed ours. */
function repeat(replica: Replica, to: ReplicaId, view: number, ctx: Context): void {
  if (replica.lastTimeout?.view !== view || to === ctx.self) return;
  if (!mayAnswer(replica, to, ctx)) return;
  ctx.send(to, { kind: 'new-view', justify: replica.high, timeouts: null });
  ctx.send(to, replica.lastTimeout);
}

/** f+1 members have left later views: at least one of them is honest, so leave too. */
function join(replica: Replica, ctx: Context): void {
  if (replica.timeoutVotes.size < ctx.group.weak) return;
  const views = [...replica.timeoutVotes.values()]
    .map(({ view }) => view)
    .sort((one, other) => other - one);
  const view = views[ctx.group.weak - 1] as number;
  if (hasLeft(replica, view)) return;
  ctx.line('timeout-join');
  leave(replica, view, ctx);
}

/** TC: a quorum has left, and every certificate that it knew is known here. */
export function maybeTimeoutCertificate(replica: Replica, ctx: Context): void {
  const { group } = ctx;
  if (replica.timeoutVotes.size < replica.voters.quorum) return;
  const latest = Math.max(...[...replica.timeoutVotes.values()].map(({ view }) => view));
  for (let view = endOfReign(group, replica.view); view <= latest; view += group.reign) {
    const counted = countedTimeouts(replica, view);
    if (counted.length < replica.voters.quorum) continue;
    ctx.line('tc');
    counted.sort((one, other) => one.from - other.from);
    learnTimeouts(replica, counted.slice(0, replica.voters.quorum), ctx);
    return relayOldest(replica, ctx.now, ctx);
  }
}

/** ⟨NEW-VIEW⟩: certificates, from whoever thinks that this replica lacks them. */
export function newView(replica: Replica, message: Signed<NewView>, ctx: Context): void {
  if (!isMember(ctx.group, message.from)) return;
  if (!learn(replica, message.justify, ctx)) return;
  learnTimeouts(replica, message.timeouts, ctx);
}

/** Shows `to`, who seems to be behind, how this replica came into its view. */
function help(replica: Replica, to: ReplicaId, ctx: Context): void {
  if (to === ctx.self || !mayAnswer(replica, to, ctx)) return;
  explain(replica, to, ctx);
}

/** The certificates that led here, and what the leader has said. */
export function explain(replica: Replica, to: ReplicaId, ctx: Context): void {
  ctx.send(to, { kind: 'new-view', justify: replica.high, timeouts: replica.timeouts });
  const own = ownWord(ctx.group, replica, ctx.self);
  if (own !== undefined) ctx.send(to, own);
}

/** What this replica has last said as leader of the current view, to be said again. */
export const ownWord = (group: Group, replica: Replica, self: ReplicaId): Message | undefined =>
  ownShown(group, replica) ?? ownProposal(group, replica, self);

/** What it proposed, word for word. */
function ownProposal(group: Group, replica: Replica, self: ReplicaId): Proposal | undefined {
  const { view } = replica;
  if (replica.lastProposed !== view || leaderOf(group, replica, view) !== self) return undefined;
  const row = replica.blocks.get(view);
  if (!row) return undefined;
  const timeouts = begins(replica, row.justify, view) ? null : replica.timeouts;
  return { kind: 'proposal', block: row.block, justify: row.justify, timeouts };
}
