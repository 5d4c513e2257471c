/**
 * Reads without a message, by a lease: 6.4.1 of Ongaro's thesis. Off unless the group says
 * `reads: 'lease'`, because it is the one rule here that trusts clocks: the rate of none of them
 * may be wrong by more than `clockDrift` says.
 *
 * Whoever hears a leader helps nobody else to lead for an election timeout (4.2.3): that is what it
 * grants. The leader counts it from the moment at which it sent what was answered, and makes it
 * shorter by what the clocks may differ. A voter that was restarted has forgotten what it granted,
 * so it waits it out.
 */
import type { ReplicaId } from '@quorumlab/core';
import { electorate, type Group } from './group.ts';
import type { Context, Pipeline, Replica } from './state.ts';

/** Rounds whose answers still count; an answer to an older one is taken for none. */
const mostRounds = 64;

/** Whether members may read by a lease. */
export const isLeased = (group: Group): boolean => group.leaseLength > 0;

/** A member that has just started may have granted a lease a moment ago: it waits it out. */
export function waitOut(replica: Replica, ctx: Context): void {
  if (!isLeased(ctx.group)) return;
  ctx.line('lease-1');
  replica.lastContact = ctx.now;
}

/** A round of messages begins: what answers it was heard after now. */
export function noteRound(leader: Replica, ctx: Context): void {
  if (!isLeased(ctx.group)) return;
  leader.roundsSent.push({ round: leader.round, at: ctx.now });
  if (leader.roundsSent.length > mostRounds) leader.roundsSent.shift();
}

/** The follower has answered its `ackedRound`: its grant counts from that round's start. */
export function noteGrant(group: Group, leader: Replica, pipeline: Pipeline): void {
  if (!isLeased(group)) return;
  const sent = leader.roundsSent.find(({ round }) => round === pipeline.ackedRound);
  if (sent !== undefined) pipeline.grantedAt = sent.at;
}

/** Whether nobody else can have been elected yet: the grants of a quorum still last. */
export function hasLease(leader: Replica, ctx: Context): boolean {
  const { group } = ctx;
  if (!isLeased(group) || !group.rules.mayRead(leader)) return false;
  if (group.rules.hasYielded(leader)) return false;
  const granted: ReplicaId[] = [ctx.self];
  for (const [follower, { grantedAt }] of leader.pipelines)
    if (grantedAt !== null && ctx.now - grantedAt < group.leaseLength) granted.push(follower);
  return electorate(group, leader).quorum.has(granted);
}
