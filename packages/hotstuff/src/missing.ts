/** What a replica does about what it lacks: it asks whoever has it, and again after a while. */
import type { Digest, ReplicaId } from '@quorumlab/core';
import type { StatusReport } from './messages.ts';
import { type Context, highViewOf, maxWanted, type Replica, stableHeight } from './state.ts';

/** Arms the timer that asks the others for what is missing. */
export function watch(replica: Replica, ctx: Context): void {
  if (replica.statusTimer) return;
  replica.statusTimer = true;
  ctx.setTimer('status', ctx.group.statusPeriod);
}

/** Asks for the block `hash`: first whoever should have it, and later, by the status timer, all. */
export function want(
  replica: Replica,
  hash: Digest,
  holders: readonly ReplicaId[],
  ctx: Context,
): void {
  if (replica.wanted.has(hash) || replica.wanted.size >= maxWanted) return;
  replica.wanted.set(hash, ctx.now);
  watch(replica, ctx);
  ctx.line('sync-fetch');
  const above = replica.committed.height;
  for (const holder of holders.filter((each) => each !== ctx.self).slice(0, 2))
    ctx.send(holder, { kind: 'fetch-blocks', block: hash, above });
}

/** Where this replica stands. */
export const statusOf = (replica: Replica): StatusReport => ({
  kind: 'status',
  set: replica.voters.set,
  view: replica.view,
  highView: highViewOf(replica),
  height: replica.committed.height,
  stable: stableHeight(replica),
});

/** Nobody is answered more than once in half a status period. */
export function mayAnswer(replica: Replica, to: ReplicaId, ctx: Context): boolean {
  const last = replica.answered.get(to);
  if (last !== undefined && ctx.now - last.at < ctx.group.statusPeriod / 2) return false;
  replica.answered.set(to, { at: ctx.now, fetched: 0 });
  return true;
}
