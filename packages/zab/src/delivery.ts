/** What is committed is given to the application, in the order of the history and once. */
import { assert } from '@quorumlab/core';
import { lastCounter } from './history.ts';
import type { Context, Replica } from './state.ts';

/** Step f.3.3, and step f.2.2 for a whole history at once. */
export function deliver(replica: Replica, upTo: number, ctx: Context): void {
  assert(upTo <= lastCounter(replica), 'a transaction is committed that is not in the history');
  while (replica.delivered < upTo) {
    replica.delivered += 1;
    const transaction = replica.history.get(replica.delivered);
    assert(transaction !== undefined, 'a committed transaction is missing in the history');
    ctx.line('f-3-3');
    const { command } = transaction;
    // Transactions count from 1, slots count from 0.
    ctx.decide(replica.delivered - 1, command === null ? [] : [command]);
  }
}

/** A follower hears that everything up to `counter` is committed; some may not be here yet. */
export function commitUpTo(follower: Replica, counter: number, ctx: Context): void {
  follower.committed = Math.max(follower.committed, counter);
  deliver(follower, Math.min(follower.committed, lastCounter(follower)), ctx);
}
