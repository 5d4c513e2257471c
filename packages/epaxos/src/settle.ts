/** What follows from what a handler has noted: the same after each of them. */
import { execute } from './execution.ts';
import { maybeRejoin } from './rejoin.ts';
import { open } from './requests.ts';
import type { Context, Replica } from './state.ts';
import { goOn } from './validation.ts';

/** Goes on with what waits, executes, and opens instances, until nothing is left to do. */
export function settle(replica: Replica, ctx: Context): void {
  for (;;) {
    goOn(replica, ctx);
    const hasExecuted = execute(replica, ctx);
    maybeRejoin(replica, ctx);
    const hasOpened = open(replica, ctx);
    if (!hasExecuted && !hasOpened && replica.ready.length === 0) return;
  }
}
