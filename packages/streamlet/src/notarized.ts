/** Notarized blocks, and which of them are final. */
import { forget } from '@quorumlab/core';
import { blockOf, notarizedAs, pathTo } from './chain.ts';
import type { Group } from './group.ts';
import type { Block, Notarization } from './messages.ts';
import { type Context, isLonger, type Replica, refOf, stableHeight } from './state.ts';

/** A quorum has voted for a block. Callers have counted the votes. */
export function learn(replica: Replica, votes: Notarization, ctx: Context, told?: Block): void {
  const { epoch, id } = votes.body;
  if (epoch <= replica.final.epoch) return;
  const known = replica.notarized.get(epoch);
  // More than f lie where two blocks of one epoch are notarized: the first one counts here.
  if (known !== undefined && known.body.id !== id) return;
  if (known === undefined) {
    ctx.line('notarize');
    ctx.put('notarized', epoch, votes);
    replica.lastNotarized = Math.max(replica.lastNotarized, epoch);
    if (isLonger(votes, replica.tip)) replica.tip = votes;
  }
  const heard = replica.heard.get(epoch);
  const block = told ?? (heard?.id === id ? heard.proposal?.block : undefined);
  if (block !== undefined && blockOf(replica, { epoch, id }) === undefined) {
    ctx.put('blocks', epoch, { id, block });
    if (block.batch.length > 0) replica.filledIn = Math.max(replica.filledIn, epoch);
    // It may be what was missing below others.
    finalizeAll(replica, ctx);
  } else finalizeNear(replica, epoch, ctx);
}

/** Whatever is final by what is known here. */
export function finalizeAll(replica: Replica, ctx: Context): void {
  const epochs = [...replica.notarized.keys()].filter((epoch) => epoch > replica.final.epoch);
  for (const epoch of epochs.sort((one, other) => one - other)) finalizeNear(replica, epoch, ctx);
}

/** Three adjacent notarized blocks of consecutive epochs, one of which is of `epoch`. */
function finalizeNear(replica: Replica, epoch: number, ctx: Context): void {
  for (let last = epoch; last < epoch + ctx.group.rules.adjacent; last++) {
    const target = runUpTo(ctx.group, replica, last);
    if (target !== undefined) finalize(replica, target, last, ctx);
  }
}

/** The parent of the notarized block of epoch `last`, if these and more are adjacent. */
function runUpTo(group: Group, replica: Replica, last: number): Block['parent'] | undefined {
  const votes = replica.notarized.get(last);
  let at: Block['parent'] | undefined = votes && refOf(votes);
  let target: Block['parent'] | undefined;
  for (let i = 1; i < group.rules.adjacent; i++) {
    at = at && blockOf(replica, at)?.parent;
    if (at?.epoch !== last - i || notarizedAs(replica, at) === undefined) return undefined;
    target ??= at;
  }
  return target;
}

/** The chain that ends in `target` is final: run its requests. */
function finalize(replica: Replica, target: Block['parent'], last: number, ctx: Context): void {
  const path = pathTo(replica, target) ?? [];
  for (const { id, block } of path) {
    const { epoch, height, batch } = block;
    // The rest once the next checkpoint is stable: its state is still here for who lacks it.
    if (height > stableHeight(replica) + ctx.group.window) return;
    ctx.line('finalize');
    replica.final = { epoch, height, id };
    ctx.voters(replica.notarized.get(last)?.seals.map(({ from }) => from) ?? []);
    ctx.decide(height - 1, batch, replica.notarized.get(epoch));
    for (const request of batch) forget(replica, request, ctx.now);
  }
}
