/** Handlers write down what has come; here is what follows from it, until nothing does. */
import { maybeRestored, maybeTick } from './catch-up.ts';
import { maybeAdopt, maybeCheckpoint, maybeJump, maybeStable } from './checkpoint.ts';
import { maybeCommit, maybeExecute, maybePrepare } from './normal-case.ts';
import type { Context, Replica } from './state.ts';
import { maybeTake } from './turns.ts';
import { maybeFollow, maybeLeave, maybeNewView } from './view-change.ts';

const upon = [
  maybeTake,
  maybeExecute,
  maybeStable,
  maybeAdopt,
  maybeJump,
  maybeRestored,
  maybeLeave,
  maybeFollow,
  maybeNewView,
  maybeCheckpoint,
  maybePrepare,
  maybeCommit,
  maybeTick,
] as const;

/** Does what follows from what a handler has learned. */
export function settle(replica: Replica, ctx: Context): void {
  while (upon.some((rule) => rule(replica, ctx)));
}
