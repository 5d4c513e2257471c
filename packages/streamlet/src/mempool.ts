/** Requests that wait for a block. Leaders take turns, so all are told of what one is asked. */
import {
  acceptable,
  admit,
  type Batch,
  bytesOf,
  maxBatchBytes,
  nextFair,
  type Request,
  requestKey,
  type Signed,
} from '@quorumlab/core';
import { hasRoom, pathTo } from './chain.ts';
import { type Group, isMember } from './group.ts';
import type { Ref, Relay } from './messages.ts';
import type { Context, Replica, Waiting } from './state.ts';

/** A client asks. */
export function propose(replica: Replica, request: Signed<Request>, ctx: Context): void {
  admit(replica, { request, since: ctx.now, counted: ctx.now, relayed: ctx.group.n === 1 });
}

/** Another replica passes on what clients sent to it. */
export function relay(replica: Replica, message: Signed<Relay>, ctx: Context): void {
  const { from, requests } = message;
  if (!isMember(ctx.group, from) || !acceptable(requests)) return;
  for (const request of requests)
    admit(replica, { request, since: ctx.now, counted: ctx.now, relayed: true });
}

/** What a block on `parent` holds: waiting requests in fair shares that the chain has not yet. */
export function nextBatch(group: Group, replica: Replica, parent: Ref): Batch {
  if (!hasRoom(group, replica, parent, parent.height + 1)) return [];
  const used = new Set<string>();
  for (const { block } of pathTo(replica, parent) ?? [])
    for (const request of block.batch) used.add(requestKey(request));
  const isFree = ({ request }: Waiting): boolean => !used.has(requestKey(request));
  return nextFair(replica, group.maxBatch, isFree).map(({ request }) => request);
}

/** The requests of `batch` are under way: nobody has to be told of them. */
export function noteProposed(replica: Replica, batch: Batch): void {
  for (const request of batch) {
    const waiting = replica.waiting.get(requestKey(request));
    if (waiting !== undefined) waiting.relayed = true;
  }
}

/** Tells the others, once an epoch, of requests that came here and of which nobody else knows. */
export function handOver(replica: Replica, ctx: Context): void {
  const { epoch, waiting, voted } = replica;
  if (replica.toldIn >= epoch || waiting.size === 0) return;
  // Its own block is on its way.
  if (ctx.group.leaderOf(epoch) === ctx.self && voted < epoch) return;
  const left = [...waiting.values()].filter(({ relayed }) => !relayed);
  if (left.length === 0) return;
  replica.toldIn = epoch;
  tell(left, ctx);
}

/** What has waited for an epoch may be known to nobody else: as much as a block holds, again. */
export function relayOldest(replica: Replica, ctx: Context): void {
  if (replica.waiting.size > 0) tell([...replica.waiting.values()], ctx);
}

function tell(waiting: readonly Waiting[], ctx: Context): void {
  const requests: Signed<Request>[] = [];
  let bytes = 0;
  for (const each of waiting) {
    bytes += bytesOf(each.request);
    if (bytes > maxBatchBytes || requests.length === ctx.group.maxBatch) break;
    each.relayed = true;
    requests.push(each.request);
  }
  ctx.line('relay');
  for (const to of ctx.group.members)
    if (to !== ctx.self) ctx.send(to, { kind: 'relay', requests });
}
