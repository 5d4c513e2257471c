/** Messages that come before their time: of a view, or of a number, not reached here yet. */
import { maxBatchBytes, type Signed } from '@quorumlab/core';
import { batchBytes } from './batches.ts';
import { isMember } from './group.ts';
import { watch } from './missing.ts';
import { type Context, type Early, epochOf, isCurrent, type Replica } from './state.ts';
import { betweenWatermarks, lowWatermark } from './watermarks.ts';

/** Most messages of later views that are kept for one sender. */
const maxOfLaterViews = 64;
/** Most bytes of batches that are kept for one sender: of later views, and of this one. */
const maxBytes = { later: 2 * maxBatchBytes, current: 8 * maxBatchBytes };

/**
 * Whether `message` is of a view, or an epoch, to come. Some are kept: they often overtake its
 * new-view, or the last vote for the checkpoint with which the epoch begins.
 */
export function tooEarly(replica: Replica, message: Signed<Early>, ctx: Context): boolean {
  const { epoch, view, from, sequence } = message;
  const current = epochOf(replica).number;
  if (epoch < current || (epoch === current && view < replica.view)) return false;
  if (isCurrent(replica, message)) return false;
  if (!isMember(ctx.group, from) || sequence <= lowWatermark(replica)) return true;
  keep(replica, message, { messages: maxOfLaterViews, bytes: maxBytes.later });
  watch(replica, ctx);
  return true;
}

/**
 * Whether the number is not between the watermarks. Others move theirs a moment earlier, so what
 * comes of the next window waits for ours; f+1 replicas above that show that we lag.
 */
export function outside(replica: Replica, message: Signed<Early>, ctx: Context): boolean {
  const { group } = ctx;
  if (betweenWatermarks(group, replica, message.sequence)) return false;
  const low = lowWatermark(replica);
  if (message.sequence <= low) return true;
  const next = message.sequence <= low + 2 * group.window;
  // Of each number there are a pre-prepare, a prepare and a commit.
  const most = { messages: 3 * group.window, bytes: maxBytes.current };
  if (!next || !keep(replica, message, most)) replica.above.add(message.from);
  watch(replica, ctx);
  return true;
}

/** Keeps `message` until its time comes; false: there is no room. */
function keep(
  replica: Replica,
  message: Signed<Early>,
  most: { readonly messages: number; readonly bytes: number },
): boolean {
  const { epoch, view, from, sequence, kind } = message;
  // An honest sender is in one view at a time.
  const before = replica.early.get(from) ?? [];
  const kept = before.filter((each) => each.view === view && each.epoch === epoch);
  replica.early.set(from, kept);
  if (kept.some((each) => each.sequence === sequence && each.kind === kind)) return true;
  let bytes = sizeOf(message);
  for (const each of kept) bytes += sizeOf(each);
  if (kept.length >= most.messages || bytes > most.bytes) return false;
  kept.push(message);
  return true;
}

const sizeOf = (message: Early): number =>
  message.kind === 'pre-prepare' ? batchBytes(message.batch) : 0;
