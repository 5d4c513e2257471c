/** What follows from what a handler has noted: the same after each of them. */
import { execute } from './execution.ts';
import type { Group } from './group.ts';
import { maybeRejoin } from './rejoin.ts';
import { open } from './requests.ts';
import type { Context, Replica } from './state.ts';
import { goOn } from './validation.ts';

/** Goes on with what waits, executes, and opens instances, until nothing is left to do. */
export function settle(group: Group, replica: Replica, ctx: Context): void {
  for (;;) {
    goOn(group, replica, ctx);
    const hasExecuted = execute(group, replica, ctx);
    maybeRejoin(group, replica, ctx);
    const hasOpened = open(group, replica, ctx);
    if (!hasExecuted && !hasOpened && replica.ready.length === 0) return;
  }
}
