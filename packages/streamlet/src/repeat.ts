/** Links that lose messages: what was said in an epoch is said again while it lasts. */
import { ownWords } from './blocks.ts';
import { clockOf, repeatAfter } from './epochs.ts';
import type { Context, Replica } from './state.ts';

/**
 * The timer 'repeat'. The paper's links lose nothing, and its blocks become final by three epochs
 * in a row in which everybody hears everybody: so what was said in this one is said again.
 */
export function repeatTimeout(replica: Replica, ctx: Context): void {
  if (!replica.ticking) return;
  ctx.setTimer('repeat', repeatAfter(ctx.group));
  ctx.line('repeat');
  if (replica.voted === replica.epoch)
    for (const word of ownWords(replica, ctx)) ctx.broadcast(word);
  if ((replica.over.get(ctx.self) ?? 0) >= replica.epoch) ctx.broadcast(clockOf(replica));
}
