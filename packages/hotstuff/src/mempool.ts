/** Requests that wait to be executed. They leave when they are, and not when they are proposed. */
import {
  acceptable,
  admit,
  type Batch,
  bytesOf,
  type Digest,
  isChange,
  maxBatchBytes,
  nextFair,
  type ReplicaId,
  type Request,
  requestKey,
  type Signed,
} from '@quorumlab/core';
import type { Node } from './blocks.ts';
import { type Group, isMember, leaderOf } from './group.ts';
import type { Relay } from './messages.ts';
import { watch } from './missing.ts';
import { countedTime } from './patience.ts';
import { type Context, maxHolders, type Replica, type Waiting } from './state.ts';
import { parentOf } from './tree.ts';

/** Most batches that a replica hands over at once. Clients ask again for the rest. */
const maxRelays = 4;

/** A client asks. The leader orders the request, another replica passes it on and waits. */
export function propose(replica: Replica, request: Signed<Request>, ctx: Context): void {
  if (!keepWaiting(replica, request, undefined, ctx)) return;
  const leader = nextLeader(ctx.group, replica);
  if (leader !== ctx.self) ctx.send(leader, { kind: 'relay', requests: [request] });
}

/** Another replica passes on what clients sent to it. */
export function relay(replica: Replica, message: Signed<Relay>, ctx: Context): void {
  if (!isMember(ctx.group, message.from) || !acceptable(message.requests)) return;
  for (const request of message.requests) keepWaiting(replica, request, undefined, ctx);
}

/**
 * Whether `request` waits here, now or already; false if it has been executed or there is no room.
 * `holder` is a block that holds it.
 */
export function keepWaiting(
  replica: Replica,
  request: Signed<Request>,
  holder: Digest | undefined,
  ctx: Context,
): boolean {
  const key = requestKey(request);
  const known = replica.waiting.has(key);
  const counted = countedTime(replica, ctx.now);
  if (!admit(replica, { request, since: ctx.now, counted, blocks: [] })) return false;
  if (!known) watch(replica, ctx);
  if (isChange(ctx.group, request)) replica.changesWait = true;
  const blocks = replica.waiting.get(key)?.blocks;
  if (holder !== undefined && blocks && blocks.push(holder) > maxHolders) blocks.shift();
  return true;
}

/**
 * Waiting requests that the branch of `tip` does not hold, in fair shares, as many as fit. A change
 * of the group is alone; before it each epoch has a block of what else waits.
 */
export function nextBatch(group: Group, replica: Replica, tip: Node): Batch {
  const branch = new Set<Digest>();
  let node: Node | undefined = tip;
  while (node !== undefined && node.height > replica.committed.height) {
    branch.add(node.hash);
    node = parentOf(replica, node);
  }
  const isFree = ({ blocks }: Waiting): boolean => !blocks.some((each) => branch.has(each));
  if (!replica.changesWait) return taken(replica, group.maxBatch, isFree);
  const changes = ({ request }: Waiting): boolean => isChange(group, request);
  replica.changesWait = [...replica.waiting.values()].some(changes);
  const others = taken(replica, group.maxBatch, (each) => isFree(each) && !changes(each));
  if (others.length > 0 && tip.hash === replica.base.block) return others;
  const change = taken(replica, 1, (each) => isFree(each) && changes(each));
  return change.length > 0 ? change : others;
}

const taken = (replica: Replica, most: number, isFree: (waiting: Waiting) => boolean): Batch =>
  nextFair(replica, most, isFree).map(({ request }) => request);

/** Passes a batch of the requests that have waited since `until` or longer to the leader. */
export function relayOldest(replica: Replica, until: number, ctx: Context): void {
  const leader = nextLeader(ctx.group, replica);
  if (leader === ctx.self) return;
  const requests = fill(
    ctx.group,
    waitingWhere(replica, ({ since }) => since <= until),
  );
  if (requests.length > 0) ctx.send(leader, { kind: 'relay', requests });
}

/**
 * When somebody else proposes next, hands over what waits here and no block holds: who was asked
 * while it led may be the only one that knows.
 */
export function handOver(replica: Replica, ctx: Context): void {
  const { group } = ctx;
  const leader = nextLeader(group, replica);
  if (leader === replica.relaysTo) return;
  replica.relaysTo = leader;
  if (leader === ctx.self) return;
  let left = [...waitingWhere(replica, ({ blocks }) => blocks.length === 0)];
  // No more than the leader has views to propose it in.
  for (let i = Math.min(maxRelays, group.reign); i > 0 && left.length > 0; i--) {
    const requests = fill(group, left);
    ctx.send(leader, { kind: 'relay', requests });
    left = left.slice(requests.length);
  }
}

function* waitingWhere(
  replica: Replica,
  chosen: (waiting: Waiting) => boolean,
): Generator<Signed<Request>, void> {
  for (const each of replica.waiting.values()) if (chosen(each)) yield each.request;
}

/** The first of `requests`, as many as a batch holds. */
function fill(group: Group, requests: Iterable<Signed<Request>>): Signed<Request>[] {
  const batch: Signed<Request>[] = [];
  let bytes = 0;
  for (const request of requests) {
    bytes += bytesOf(request);
    if (bytes > maxBatchBytes) break;
    batch.push(request);
    if (batch.length === group.maxBatch) break;
  }
  return batch;
}

/** Who may still propose what comes now: this view's leader only until its proposal is here. */
export const nextLeader = (group: Group, replica: Replica): ReplicaId =>
  leaderOf(group, replica, replica.lastVoted < replica.view ? replica.view : replica.view + 1);
