/** What a replica does about what it lacks: it asks whoever has it, and again after a while. */
import type { Digest, ReplicaId } from '@quorumlab/core';
import type { Context, Replica } from './state.ts';

/** Arms the timer that asks the others for what is missing. */
export function watch(replica: Replica, ctx: Context): void {
  if (replica.statusTimer) return;
  replica.statusTimer = true;
  ctx.setTimer('status', ctx.group.statusPeriod);
}

/** Remembers that the batch of `digest` is needed and asks `from` for it. */
export function want(
  replica: Replica,
  { sequence, digest }: { readonly sequence: number; readonly digest: Digest },
  from: readonly ReplicaId[],
  ctx: Context,
): void {
  if (replica.wanted.has(digest) || replica.wanted.size >= 4 * ctx.group.window) return;
  replica.wanted.set(digest, sequence);
  for (const holder of from)
    if (holder !== ctx.self) ctx.send(holder, { kind: 'fetch-batch', sequence, digest });
  watch(replica, ctx);
}
