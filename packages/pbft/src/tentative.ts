/**
 * Tentative execution: section 5.1.2 of Castro and Liskov, TOCS 2002. What is prepared will mostly
 * be committed, so clients are told what it gives one delay earlier. A quorum of such replies, all
 * about one number in one view, means that a quorum is prepared: then every later view orders the
 * batch there again, and so the result stands.
 */
import { batchAt } from './batches.ts';
import { type Context, prepared, type Replica } from './state.ts';

/**
 * "As soon as the request is prepared, the state reflects the execution of all requests with lower
 * sequence number, and these are all known to have committed." The host takes back what it ran, in
 * the same step: so nothing is left to be rolled back by a view change or a new state, and
 * checkpoints and reads are about what is committed.
 */
export function executeTentatively(replica: Replica, ctx: Context): void {
  const { group } = ctx;
  const sequence = replica.lastExecuted + 1;
  if (!group.tentative || !replica.active || replica.tentative >= sequence) return;
  const batch = batchAt(replica, sequence);
  if (batch === null || !prepared(replica, sequence)) return;
  ctx.line('5.1.2-tentative');
  replica.tentative = sequence;
  ctx.executeTentatively(sequence - 1, batch, replica.view);
  if (!group.rules.keepsTentative) return;
  replica.lastExecuted = sequence;
  ctx.decide(sequence - 1, batch);
}
