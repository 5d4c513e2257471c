/**
 * Handlers write down what they have heard; here is what follows from it. Each of these is one of
 * the paper's "upon" rules, and says whether it could do anything; they are tried until none can.
 */
import { awaitPrecommits, decideIfCommitted, decideIfTold, precommit } from './decisions.ts';
import { handOver } from './mempool.ts';
import { watch } from './missing.ts';
import { awaitPrevotes, precommitNil, prevote, usePolkas } from './polkas.ts';
import { awaitProposal, maybePropose, prevoteForProposal, proposal } from './proposals.ts';
import { missingSince } from './recovery.ts';
import { skipRounds } from './rounds.ts';
import type { Context, Replica } from './state.ts';

type Rule = (replica: Replica, ctx: Context) => boolean;

/** In this order: what is decided needs no votes, and who is late nothing more of its round. */
const upon: readonly Rule[] = [
  decideIfCommitted,
  decideIfTold,
  hearEarly,
  skipRounds,
  maybePropose,
  prevoteForProposal,
  usePolkas,
  precommitNil,
  awaitProposal,
  awaitPrevotes,
  awaitPrecommits,
];

/** Does what follows from what a handler has learned. */
export function settle(replica: Replica, ctx: Context): void {
  while (upon.some((rule) => rule(replica, ctx)));
  handOver(replica, ctx);
  if (!replica.statusTimer && missingSince(ctx.group, replica) !== undefined) watch(replica, ctx);
}

/** What was said of this height before it began here is heard again. */
function hearEarly(replica: Replica, ctx: Context): boolean {
  for (const [from, kept] of replica.early) {
    if (kept.every(({ height }) => height > replica.height)) continue;
    replica.early.delete(from);
    for (const message of kept) {
      if (message.kind === 'proposal') proposal(replica, message, ctx);
      else if (message.kind === 'prevote') prevote(replica, message, ctx);
      else precommit(replica, message, ctx);
    }
    return true;
  }
  return false;
}
