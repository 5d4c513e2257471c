/**
 * The read-only optimisation: "Reducing Communication" in the OSDI paper, section 5.1.3 of TOCS
 * 2002. All replicas are asked, and each answers from its own state; a client believes a
 * quorum of equal answers, and orders the read if it does not get them.
 */
import type { Slot } from '@quorumlab/core';
import type { Context, Replica } from './state.ts';
import { lowWatermark } from './watermarks.ts';

/**
 * "Sends the reply only after all requests reflected in the tentative state have committed." Here:
 * after everything that is prepared here, in whatever view. What a client was told is committed, so
 * f+1 honest replicas of every quorum have prepared it, and one of them is among those who answer.
 * So a request needs no more equal replies because of reads (see README, Divergences).
 */
export function read(replica: Replica, id: number, ctx: Context): void {
  ctx.line('5.1.3-read');
  const { readsAfter } = ctx.group.rules;
  ctx.allowRead(id, readsAfter(executedSlot(replica), preparedSlot(replica), shown(replica)));
}

const executedSlot = ({ lastExecuted }: Replica): Slot => lastExecuted - 1;

/** The last slot of which this replica has told clients in this view. */
const shown = ({ lastExecuted, tentative }: Replica): Slot => Math.max(lastExecuted, tentative) - 1;

/** The last slot that is prepared here, or was before a stable checkpoint covered it. */
function preparedSlot(replica: Replica): Slot {
  let last = Math.max(replica.lastExecuted, lowWatermark(replica));
  for (const sequence of replica.prepared.keys()) last = Math.max(last, sequence);
  return last - 1;
}
