/**
 * Reads without a message, by a master lease: "Paxos Made Live", 5.2. Off unless the group says
 * `reads: 'lease'`, because it is the one rule here that trusts clocks: the rate of none of them
 * may be wrong by more than `clockDrift` says.
 *
 * Whoever hears a leader promises nothing to anybody else for an election timeout: that is what it
 * grants. The leader counts it from the moment at which it sent what was answered, and makes it
 * shorter by what the clocks may differ. An acceptor that was restarted has forgotten what it
 * granted, so it waits it out.
 */
import type { ReplicaId } from '@quorumlab/core';
import { isEstablished } from './phase1.ts';
import type { Contact, Context, Replica } from './state.ts';

/** Rounds whose answers still count; an answer to an older one is taken for none. */
const mostRounds = 64;

/** An acceptor that has just started may have granted a lease a moment ago: it waits it out. */
export function waitOut(replica: Replica, ctx: Context): void {
  if (ctx.group.leaseLength === 0) return;
  ctx.line('lease-1');
  replica.lastContact = ctx.now;
}

/** A round of heartbeats begins: what answers it was heard after now. */
export function noteRound(leader: Replica, ctx: Context): void {
  if (ctx.group.leaseLength === 0) return;
  leader.roundsSent.push({ round: leader.round, at: ctx.now });
  if (leader.roundsSent.length > mostRounds) leader.roundsSent.shift();
}

/** A member has answered the round of its contact: its grant counts from when that was sent. */
export function noteGrant(leader: Replica, contact: Contact, ctx: Context): void {
  const { group } = ctx;
  if (group.leaseLength === 0) return;
  const sent = leader.roundsSent.find(({ round }) => round === contact.round);
  if (sent !== undefined) contact.grantedAt = group.rules.grantedFrom(sent.at, ctx.now);
}

/**
 * Whether nobody else can have been promised a higher ballot by a phase 1 quorum yet. The grants
 * must meet every phase 1 quorum of every configuration that governs an unchosen slot.
 */
export function hasLease(leader: Replica, ctx: Context): boolean {
  const { group } = ctx;
  const { leaseLength } = group;
  // What an earlier leader decided must be known first.
  if (leaseLength === 0 || !isEstablished(group, leader)) return false;
  const granted: ReplicaId[] = [ctx.self];
  for (const [member, { grantedAt }] of leader.contacts)
    if (grantedAt !== null && ctx.now - grantedAt < leaseLength) granted.push(member);
  return leader.configurations.every((each) => group.phasesOf(each).phase2.has(granted));
}
