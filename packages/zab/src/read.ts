/**
 * Linearizable reads. ZooKeeper answers reads from a replica's own state, and its `sync` is as new
 * as a leader that need not lead any more. Here a read waits for a no-op that a quorum has
 * acknowledged: then there was no newer leader when the read began. Those that do not lead ask for
 * it: see `sync.ts`.
 */
import { lastCounter, zxidAt } from './history.ts';
import { append, hasRoom } from './proposals.ts';
import type { Context, Replica } from './state.ts';

/** A client of the leader wants to read. */
export function readAtLeader(leader: Replica, id: number, ctx: Context): void {
  if (leader.reads.length + (leader.syncing?.ids.length ?? 0) >= ctx.group.maxReads) return;
  leader.reads.push(id);
  maybeSync(leader, ctx);
}

/** One no-op at a time; the reads and questions that come meanwhile share the next one. */
export function maybeSync(leader: Replica, ctx: Context): void {
  const { reads: ids, asking } = leader;
  if (leader.syncing !== null || ids.length + asking.size === 0 || !hasRoom(ctx.group, leader))
    return;
  ctx.line('sync');
  leader.syncing = { counter: lastCounter(leader) + 1, ids, asking };
  leader.reads = [];
  leader.asking = new Map();
  append(leader, null, ctx);
}

/** Something was committed: perhaps what reads wait for. */
export function maybeAllowReads(leader: Replica, ctx: Context): void {
  const { syncing, committed } = leader;
  if (syncing !== null && syncing.counter <= committed) {
    ctx.line('sync-done');
    for (const id of syncing.ids) ctx.allowRead(id, syncing.counter - 1);
    const { epoch } = leader;
    const zxid = zxidAt(leader, syncing.counter);
    for (const [to, asked] of syncing.asking)
      ctx.send(to, { kind: 'sync-reply', epoch, ...asked, zxid });
    leader.syncing = null;
  }
  maybeSync(leader, ctx);
}
