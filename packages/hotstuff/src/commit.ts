/** Commit: ancestors first, each block once, and never off the chain that was committed before. */
import { assert, forget } from '@quorumlab/core';
import type { Node } from './blocks.ts';
import { lock, signersOf } from './certificates.ts';
import { endEpoch, type Proof } from './epochs.ts';
import { configuredBy, nextAfter } from './membership.ts';
import type { QuorumCertificate } from './messages.ts';
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
  if (!reachBase(replica, ctx)) return false;
  if (high === null || viewOf(replica, high) <= replica.committed.view) return hasState(replica);
  const tree = treeOf(replica);
  let certificate: QuorumCertificate = high;
  let node = replica.tree.get(high.body.block);
  if (node === undefined) {
    want(replica, high.body.block, signersOf(high, ctx.self), ctx);
    return false;
  }
  lock(replica, high.body, ctx);
  while (node !== undefined && node.height > replica.committed.height) {
    const target: Node | undefined =
      endsUncommitted(replica, node, ctx) ?? ctx.group.rules.commits(tree, node, certificate.body);
    if (target !== undefined) {
      ctx.voters(high.seals.map(({ from }) => from));
      if (!execute(replica, target, { top: node, commit: certificate }, ctx)) return false;
      break;
    }
    const parent = parentOf(replica, node);
    if (parent === undefined) {
      wantParent(replica, node, ctx);
      return false;
    }
    if (node.justify !== null) certificate = node.justify;
    node = parent;
  }
  replica.wanted.clear(); // Everything up to the highest certificate is here.
  return hasState(replica);
}

/** The block of a change, where it need not be committed to end its epoch: by a wrong rule. */
const endsUncommitted = (replica: Replica, node: Node, { group }: Context): Node | undefined =>
  group.rules.endsEpoch === 'certified' &&
  node.block !== null &&
  nextAfter(group, replica, node.block) !== undefined
    ? node
    : undefined;

/** Executes up to the block that this epoch begins on. False if some of that is not here. */
function reachBase(replica: Replica, ctx: Context): boolean {
  const { base } = replica;
  if (base.height <= replica.committed.height) return true;
  const node = replica.tree.get(base.block);
  if (node !== undefined) return execute(replica, node, undefined, ctx);
  const proof = replica.changes.get(base.height)?.commit;
  if (proof !== undefined) want(replica, base.block, signersOf(proof, ctx.self), ctx);
  return false;
}

/** Whether the state of the last stable checkpoint is here. */
const hasState = (replica: Replica): boolean => replica.committed.height >= stableHeight(replica);

function wantParent(replica: Replica, node: Node, ctx: Context): void {
  if (node.block === null || node.justify === null) return;
  want(replica, node.block.parent, signersOf(node.justify, ctx.self), ctx);
}

/**
 * "execute b and its ancestors": everything above the committed chain, oldest first, up to the end
 * of the epoch. False if some of it is not here.
 */
function execute(replica: Replica, target: Node, proof: Proof | undefined, ctx: Context): boolean {
  const { group } = ctx;
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
    node?.hash === replica.committed.block || !group.rules.extendsCommitted,
    `the block ${target.hash} at height ${target.height} is committed and does not extend ` +
      `${replica.committed.block} at ${replica.committed.height}: more than f members lie`,
  );
  const now = countedTime(replica, ctx.now);
  keepPatience(replica, target.view, ctx);
  let slot = replica.committed.height;
  for (const { hash, view, height, block } of group.rules.inOrder(path)) {
    assert(block !== null, 'only blocks above the snapshot are executed');
    ctx.line('commit');
    easePatience(replica, block.batch, ctx);
    ctx.decide(slot, block.batch, undefined, configuredBy(group, replica, height, block.batch));
    slot += 1;
    for (const request of block.batch) forget(replica, request, now);
    replica.chain.set(height, hash);
    replica.committed = { height, view, block: hash };
    const next = nextAfter(group, replica, block);
    if (next === undefined) continue;
    assert(proof !== undefined, 'all changes below the base of an epoch are known');
    endEpoch(replica, block, next, proof, ctx);
    return true;
  }
  const { hash: block, view, height } = target;
  replica.committed = { height, view, block };
  return true;
}
