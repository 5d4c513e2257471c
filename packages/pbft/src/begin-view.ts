/** The first steps in a view: its primary orders what waits, and backups tell it what they know. */
import { type Batch, bytesOf, maxBatchBytes, requestKey } from '@quorumlab/core';
import { batchAt } from './batches.ts';
import { watch } from './missing.ts';
import { hearEarly, maybeOrder } from './normal-case.ts';
import { armRequestTimer } from './patience.ts';
import type { Context, Replica } from './state.ts';
import { primaryOf } from './votes.ts';
import { isEnding } from './watermarks.ts';

/** What has been waiting for the view: requests, and messages that overtook its new-view. */
export function begin(replica: Replica, ctx: Context): void {
  const { view } = replica;
  const isWaited = replica.waiting.size > 0 || replica.prePrepares.size > 0 || isEnding(replica);
  if (isWaited) armRequestTimer(replica, ctx);
  watch(replica, ctx);
  if (primaryOf(replica, view) === ctx.self) {
    for (const sequence of replica.prePrepares.keys())
      for (const request of batchAt(replica, sequence) ?? [])
        markOrdered(replica, requestKey(request));
    return maybeOrder(replica, ctx);
  }
  relayAll(replica, ctx);
  hearEarly(replica, ctx);
}

function markOrdered(replica: Replica, key: string): void {
  const waiting = replica.waiting.get(key);
  if (waiting !== undefined) waiting.ordered = replica.view;
}

/** Tells the primary of the view what clients wait for, a batch of requests at a time. */
function relayAll(replica: Replica, ctx: Context): void {
  const primary = primaryOf(replica, replica.view);
  let requests: Batch[number][] = [];
  let bytes = 0;
  for (const { request } of replica.waiting.values()) {
    const more = bytesOf(request);
    if (requests.length === ctx.group.maxBatch || bytes + more > maxBatchBytes) {
      ctx.send(primary, { kind: 'relay', requests });
      requests = [];
      bytes = 0;
    }
    requests.push(request);
    bytes += more;
  }
  if (requests.length > 0) ctx.send(primary, { kind: 'relay', requests });
}
