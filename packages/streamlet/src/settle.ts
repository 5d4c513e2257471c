/** Handlers write down what they have heard; here is what follows from it, until nothing does. */
import { maybePropose, maybeVote } from './blocks.ts';
import { maybeMiss } from './catch-up.ts';
import { maybeEnter, maybeJoin, maybeTick } from './epochs.ts';
import { handOver } from './mempool.ts';
import type { Context, Replica } from './state.ts';

const upon = [maybeEnter, maybePropose, maybeVote, maybeJoin, maybeTick, maybeMiss] as const;

/** Does what follows from what a handler has learned. */
export function settle(replica: Replica, ctx: Context): void {
  while (upon.some((rule) => rule(replica, ctx)));
  handOver(replica, ctx);
}
