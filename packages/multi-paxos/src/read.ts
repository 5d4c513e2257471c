/** Linearizable reads without a log entry: a round of heartbeats tells whether one still leads. */
import { sendHeartbeats } from './heartbeat.ts';
import { hasLease } from './lease.ts';
import { isEstablished } from './phase1.ts';
import type { Context, Replica } from './state.ts';

/** A client of the leader wants to read; others are sent to the leader by the service. */
export function read(leader: Replica, id: number, ctx: Context): void {
  const { maxReads } = ctx.group;
  if (leader.role !== 'leader') return;
  if (hasLease(leader, ctx)) {
    ctx.line('lease-2');
    return ctx.allowRead(id, leader.firstUnchosen - 1);
  }
  if (leader.reads.length + (leader.readRound?.ids.length ?? 0) >= maxReads) return;
  leader.reads.push(id);
}

/**
 * Notes how far the log is chosen, and asks all whether they have promised a higher ballot. One
 * round at a time; the reads that come meanwhile share the next one.
 */
export function maybeStartReadRound(leader: Replica, ctx: Context): void {
  if (leader.readRound !== null || leader.reads.length === 0) return;
  // What an earlier leader decided must be known first.
  if (!isEstablished(ctx.group, leader)) return;
  ctx.line('read-1');
  const ids = leader.reads;
  leader.reads = [];
  sendHeartbeats(leader, ctx);
  leader.readRound = { round: leader.round, upTo: leader.firstUnchosen - 1, ids };
  maybeAllowReads(leader, ctx);
}

/**
 * Whoever could have chosen something that this leader does not know has promises of a phase 1
 * quorum for a higher ballot. So the answers must hold a quorum that meets every phase 1 quorum:
 * a phase 2 quorum does, and a majority need not. Every configuration that governs an unchosen slot
 * has its own, because a rival might have been promised by any of them.
 */
export function maybeAllowReads(leader: Replica, ctx: Context): void {
  const { readRound } = leader;
  if (readRound === null) return;
  const loyal = [ctx.self];
  for (const [member, { round }] of leader.contacts)
    if (round >= readRound.round) loyal.push(member);
  for (const configuration of leader.configurations)
    if (!ctx.group.phasesOf(configuration).phase2.has(loyal)) return;
  ctx.line('read-2');
  for (const id of readRound.ids) ctx.allowRead(id, readRound.upTo);
  leader.readRound = null;
}
