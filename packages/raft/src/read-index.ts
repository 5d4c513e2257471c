/**
 * Linearizable reads without a log entry: §8 of the paper, ReadIndex in 6.4 of Ongaro's thesis.
 */
import { electorate } from './group.ts';
import { sendHeartbeats } from './leader.ts';
import { hasLease } from './lease.ts';
import type { Context, Replica } from './state.ts';

/** A client of the leader wants to read; others are sent to the leader by the service. */
export function read(leader: Replica, id: number, ctx: Context): void {
  if (leader.role !== 'leader') return;
  if (hasLease(leader, ctx)) {
    ctx.line('lease-2');
    return ctx.allowRead(id, leader.commitIndex - 1);
  }
  if (leader.reads.length + (leader.readRound?.ids.length ?? 0) >= ctx.group.maxReads) return;
  leader.reads.push(id);
  maybeStartReadRound(leader, ctx);
}

/**
 * Steps 1 to 3: note commitIndex, and ask all whether this is still their leader. One round at a
 * time; the reads that come meanwhile share the next one.
 */
export function maybeStartReadRound(leader: Replica, ctx: Context): void {
  if (leader.role !== 'leader') return; // It has left the group by what was just committed.
  if (leader.readRound !== null) return;
  if (leader.reads.length === 0 && leader.asking.size === 0) return;
  if (!ctx.group.rules.mayRead(leader)) return; // Until the no-op is committed the reads wait.
  ctx.line('read-1');
  const ids = leader.reads;
  leader.reads = [];
  sendHeartbeats(leader, ctx);
  ctx.line('read-2');
  const asking = [...leader.asking].map(([from, asked]) => ({ from, ...asked }));
  leader.asking.clear();
  leader.readRound = { round: leader.round, readIndex: leader.commitIndex, ids, asking };
  maybeAllowReads(leader, ctx);
}

/** Steps 4 and 5: a quorum has answered, so when the round began there was no newer leader. */
export function maybeAllowReads(leader: Replica, ctx: Context): void {
  const { readRound } = leader;
  if (readRound === null) return;
  const loyal = [ctx.self];
  for (const [follower, { ackedRound }] of leader.pipelines)
    if (ackedRound >= readRound.round) loyal.push(follower);
  if (!electorate(ctx.group, leader).quorum.has(loyal)) return;
  ctx.line('read-3');
  const { ids, asking, readIndex: index } = readRound;
  for (const id of ids) ctx.allowRead(id, index - 1);
  for (const { from, life, question } of asking)
    ctx.send(from, { kind: 'read-index-reply', life, question, index });
  leader.readRound = null;
  maybeStartReadRound(leader, ctx);
}
