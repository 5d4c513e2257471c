/** Requests that wait to be executed. They leave when they are, and not when they are proposed. */
import type { Digest, Request, Signed } from '@quorumlab/core';
import type { Group } from './group.ts';
import { type Batch, maxBatchBytes, type Relay } from './messages.ts';
import {
  bytesOf,
  type Ctx,
  type HotStuffReplica,
  isMember,
  leaderOf,
  maxHolders,
  maxWaiting,
  maxWaitingOfClient,
  type Node,
  watch,
} from './state.ts';
import { parentOf } from './tree.ts';

/**
 * Requests are told apart by client and sequence. A client that signs two under one sequence gets
 * one of them executed: the one in the block.
 */
export const requestKey = ({ client, sequence }: Request): string => `${client}/${sequence}`;

/** Whether each request was signed by the client whose it says it is, and all fit into a block. */
export function acceptable(batch: Batch): boolean {
  let bytes = 0;
  for (const request of batch) {
    if (request.from !== request.client) return false;
    bytes += bytesOf(request);
  }
  return bytes <= maxBatchBytes;
}

/** A client asks. The leader orders the request, another replica passes it on and waits. */
export function propose(
  group: Group,
  replica: HotStuffReplica,
  request: Signed<Request>,
  ctx: Ctx,
): void {
  if (!keepWaiting(group, replica, request, undefined, ctx)) return;
  const leader = leaderOf(group, replica.view);
  if (leader !== ctx.self) ctx.send(leader, { kind: 'relay', requests: [request] });
}

/** Another replica passes on what clients sent to it. */
export function relay(
  group: Group,
  replica: HotStuffReplica,
  message: Signed<Relay>,
  ctx: Ctx,
): void {
  if (!isMember(group, message.from) || !acceptable(message.requests)) return;
  for (const request of message.requests) keepWaiting(group, replica, request, undefined, ctx);
}

/**
 * Whether `request` waits here, now or already; false if it has been executed or there is no room.
 * `holder` is a block that holds it.
 */
export function keepWaiting(
  group: Group,
  replica: HotStuffReplica,
  request: Signed<Request>,
  holder: Digest | undefined,
  ctx: Ctx,
): boolean {
  if (request.from !== request.client) return false; // It is signed by someone else.
  if (bytesOf(request) > maxBatchBytes) return false; // No block could hold it.
  const key = requestKey(request);
  let waiting = replica.waiting.get(key);
  if (waiting === undefined) {
    if (replica.executed.has(key)) return false; // The session table of the host answers.
    const ofClient = replica.waitingOf.get(request.client) ?? 0;
    if (replica.waiting.size >= maxWaiting || ofClient >= maxWaitingOfClient) return false;
    waiting = { request, since: ctx.now, blocks: [] };
    replica.waiting.set(key, waiting);
    replica.waitingOf.set(request.client, ofClient + 1);
    watch(group, replica, ctx);
  }
  if (holder !== undefined && waiting.blocks.push(holder) > maxHolders) waiting.blocks.shift();
  return true;
}

/** The oldest waiting requests that the branch of `tip` does not hold, as many as fit. */
export function nextBatch(group: Group, replica: HotStuffReplica, tip: Node): Batch {
  const branch = new Set<Digest>();
  let node: Node | undefined = tip;
  while (node !== undefined && node.height > replica.committed.height) {
    branch.add(node.hash);
    node = parentOf(replica, node);
  }
  const batch: Signed<Request>[] = [];
  let bytes = 0;
  for (const { request, blocks } of replica.waiting.values()) {
    if (blocks.some((each) => branch.has(each))) continue;
    bytes += bytesOf(request);
    if (bytes > maxBatchBytes) break;
    batch.push(request);
    if (batch.length === group.maxBatch) break;
  }
  return batch;
}

/** `request` was executed: nobody waits for it any more. */
export function forget(replica: HotStuffReplica, request: Request): void {
  const key = requestKey(request);
  if (replica.waiting.delete(key)) {
    const left = (replica.waitingOf.get(request.client) ?? 1) - 1;
    if (left === 0) replica.waitingOf.delete(request.client);
    else replica.waitingOf.set(request.client, left);
  }
  replica.executed.add(key);
  if (replica.executed.size <= maxWaiting) return;
  for (const oldest of replica.executed) {
    replica.executed.delete(oldest);
    break;
  }
}

/** Passes a batch of the requests that have waited since `until` or longer to the leader. */
export function relayOldest(group: Group, replica: HotStuffReplica, until: number, ctx: Ctx): void {
  const leader = leaderOf(group, replica.view);
  if (leader === ctx.self) return;
  const requests: Signed<Request>[] = [];
  let bytes = 0;
  for (const { request, since } of replica.waiting.values()) {
    bytes += bytesOf(request);
    if (since > until || bytes > maxBatchBytes) break;
    requests.push(request);
    if (requests.length === group.maxBatch) break;
  }
  if (requests.length > 0) ctx.send(leader, { kind: 'relay', requests });
}
