/** Commit: ancestors first, each block once, and never off the chain that was committed before. */
import { assert, forget } from '@quorumlab/core';
import type { Node } from './blocks.ts';
import { lock, signersOf } from './certificates.ts';
import type { Vote } from './messages.ts';
import { want } from './missing.ts';
import { countedTime, easePatience, keepPatience } from './patience.ts';
import { type Context, type Replica, stableHeight, viewOf } from './state.ts';
import { parentOf, treeOf } from './tree.ts';

/**
 * Looks, from the highest certified block down, for the newest one that the rules commit. What is
 * missing on the way is fetched from those who certified it. Whether nothing is missing.
 */
export function commit(replica: Replica, ctx: Context): boolean {
  replica.complete = commitAll(replica, ctx);
  return replica.complete;
}

function commitAll(replica: Replica, ctx: Context): boolean {
  const { high } = replica;
  if (high === null || viewOf(high) <= replica.committed.view) return hasState(replica);
  const tree = treeOf(replica);
  let certified: Vote = high.body;
  let node = replica.tree.get(certified.block);
  if (node === undefined) {
    want(replica, high.body.block, signersOf(high, ctx.self), ctx);
    return false;
  }
  lock(replica, high.body, ctx);
  while (node !== undefined && node.height > replica.committed.height) {
    const target: Node | undefined = ctx.group.rules.commits(tree, node, certified);
    if (target !== undefined) {
      ctx.voters(high.seals.map(({ from }) => from));
      if (!execute(replica, target, ctx)) return false;
      break;
    }
    const parent = parentOf(replica, node);
    if (parent === undefined) {
      wantParent(replica, node, ctx);
      return false;
    }
    if (node.justify !== null) certified = node.justify.body;
    node = parent;
  }
  replica.wanted.clear(); // Everything up to the highest certificate is here.
  return hasState(replica);
}

/** Whether the state of the last stable checkpoint is here. */
const hasState = (replica: Replica): boolean => replica.committed.height >= stableHeight(replica);

function wantParent(replica: Replica, node: Node, ctx: Context): void {
  if (node.block === null || node.justify === null) return;
  want(replica, node.block.parent, signersOf(node.justify, ctx.self), ctx);
}

/**
 * "execute b and its ancestors": everything above the committed chain, oldest first. False if some
 * of it is not here.
 */
function execute(replica: Replica, target: Node, ctx: Context): boolean {
  if (target.height <= replica.committed.height) return true;
  const path: Node[] = [];
  let node: Node | undefined = target;
  while (node !== undefined && node.height > replica.committed.height) {
    path.push(node);
    const parent = parentOf(replica, node);
    if (parent === undefined) {
      wantParent(replica, node, ctx);
      return false;
    }
    node = parent;
  }
  assert(
    node?.hash === replica.committed.block || !ctx.group.rules.extendsCommitted,
    `the block ${target.hash} at height ${target.height} is committed and does not extend ` +
      `${replica.committed.block} at ${replica.committed.height}: more than f members lie`,
  );
  const now = countedTime(replica, ctx.now);
  keepPatience(replica, target.view, ctx);
  let slot = replica.committed.height;
  for (const { hash, view, height, block } of ctx.group.rules.inOrder(path)) {
    assert(block !== null, 'only blocks above the snapshot are executed');
    ctx.line('commit');
    easePatience(replica, block.batch, ctx);
    ctx.decide(slot, block.batch);
    slot += 1;
    for (const request of block.batch) forget(replica, request, now);
    replica.chain.set(height, hash);
    replica.committed = { height, view, block: hash };
  }
  const { hash: block, view, height } = target;
  replica.committed = { height, view, block };
  return true;
}
