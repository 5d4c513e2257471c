/** The block tree: looking up, adding, and letting go. */
import type { Digest } from '@quorumlab/core';
import type { Node, Tree } from './blocks.ts';
import type { Block, Link } from './messages.ts';
import { type Context, highBlockOf, maxUncommitted, type Replica } from './state.ts';

/** The parent of `node`, if it is known. */
export const parentOf = (replica: Replica, { block }: Node): Node | undefined =>
  block === null ? undefined : replica.tree.get(block.parent);

/** The tree of `replica` as rules see it. */
export const treeOf = (replica: Replica): Tree => ({
  parent: (node) => parentOf(replica, node),
  extends(hash, ancestor) {
    let node = replica.tree.get(hash);
    while (node !== undefined && node.view > ancestor.view) {
      // Whatever was committed later than the ancestor overrules it.
      if (node.hash === replica.committed.block) return true;
      node = parentOf(replica, node);
    }
    return node?.hash === ancestor.block;
  },
});

/** Adds a block under its name, in memory and on the disk. Callers have checked it. */
export function add(replica: Replica, hash: Digest, { block, justify }: Link, ctx: Context): Node {
  const node: Node = { hash, view: block.view, height: block.height, block, justify };
  replica.tree.set(hash, node);
  replica.wanted.delete(hash);
  replica.news = true;
  // A leader has written its own block before it proposed it.
  if (replica.blocks.get(block.view)?.hash !== hash)
    ctx.put('blocks', block.view, { hash, block, justify });
  if (replica.tree.size > 4 * ctx.group.window + maxUncommitted) sweep(replica, ctx);
  return node;
}

/** Lets go of blocks that are on no branch which matters: a leader could make them without end. */
function sweep(replica: Replica, ctx: Context): void {
  const kept = new Set<Digest>(replica.chain.values());
  kept.add(replica.committed.block);
  for (const tip of [highBlockOf(replica), replica.locked.block, ...newest(replica)]) {
    let node = replica.tree.get(tip);
    while (node !== undefined && !kept.has(node.hash)) {
      kept.add(node.hash);
      node = parentOf(replica, node);
    }
  }
  for (const [hash, { view }] of replica.tree) {
    if (kept.has(hash)) continue;
    replica.tree.delete(hash);
    if (replica.blocks.get(view)?.hash === hash) ctx.put('blocks', view, null);
  }
}

/** Blocks of this view and the one before: votes for them are under way. */
function* newest(replica: Replica): Iterable<Digest> {
  for (const view of [replica.view, replica.view - 1]) {
    const row = replica.blocks.get(view);
    if (row) yield row.hash;
  }
}

/** Whether a block that may matter holds requests: above `height` on the branch of `tip`. */
export function hasRequestsAbove(replica: Replica, tip: Digest, height: number): boolean {
  let node = replica.tree.get(tip);
  while (node !== undefined && node.height > height) {
    if (node.block !== null && node.block.batch.length > 0) return true;
    node = parentOf(replica, node);
  }
  return false;
}

/** D(b): the name of a block. */
export const hashOf = (block: Block, ctx: Context): Digest =>
  ctx.digest(ctx.group.schemas.content, block);
