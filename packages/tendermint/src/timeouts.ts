/** OnTimeoutPropose, OnTimeoutPrevote and OnTimeoutPrecommit: lines 57 to 67 of Algorithm 1. */
import { sayPrecommit, sayPrevote, startRound } from './rounds.ts';
import type { Context, Replica, Step } from './state.ts';

/** A timer of this round: those of earlier ones are cleared when it begins. */
export function onTimeout(replica: Replica, timer: Step, ctx: Context): void {
  if (!replica.started.has(timer)) return;
  switch (timer) {
    case 'propose':
      if (replica.step !== 'propose') return;
      ctx.line('57-on-timeout-propose');
      return sayPrevote(replica, null, null, ctx);
    case 'prevote':
      if (replica.step !== 'prevote') return;
      ctx.line('61-on-timeout-prevote');
      return sayPrecommit(replica, null, ctx);
    case 'precommit':
      ctx.line('65-on-timeout-precommit');
      return startRound(replica, replica.round + 1, ctx);
  }
}
