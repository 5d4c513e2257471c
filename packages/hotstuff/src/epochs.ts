/**
 * Epochs: the time of one set of validators. An epoch ends with the first change of the group on
 * the committed chain; behind that block others of the epoch hold nothing and are never committed.
 * The next epoch begins on it as the first one does on the genesis block: with the view after its
 * own, and with no certificate but what proves that it is committed. So every replica begins alike.
 */
import { acceptable, type ReplicaId, type Signed, type ValidatorSet } from '@quorumlab/core';
import type { Node, Place } from './blocks.ts';
import { hasQuorum, isCertificate } from './certificates.ts';
import { type Group, isMember, leaderOf } from './group.ts';
import { nextAfter } from './membership.ts';
import {
  type Block,
  type EpochChange,
  type EpochChangeMessage,
  maxBehind,
  type QuorumCertificate,
} from './messages.ts';
import { mayAnswer, statusOf } from './missing.ts';
import { countedTime } from './patience.ts';
import { type Context, placeOf, type Replica } from './state.ts';
import { parentOf } from './tree.ts';

/** Most sets that are shown in answer to one message. */
const shownAtMost = 64;

/** What shows that a block is committed: `commit` certifies the block `top`, on its branch. */
export interface Proof {
  readonly top: Node;
  readonly commit: QuorumCertificate;
}

/**
 * Whether what names `set` is of this epoch. If it is not, one of both replicas is behind: it is
 * shown what it lacks, or asks for it.
 */
export function isOfEpoch(replica: Replica, from: ReplicaId, set: number, ctx: Context): boolean {
  const now = replica.voters.set;
  if (set === now) return true;
  if (from === ctx.self || !mayAnswer(replica, from, ctx)) return false;
  if (set > now) ctx.send(from, statusOf(replica));
  else explainSets(replica, from, set, ctx);
  return false;
}

/** The block is committed here: the epoch that it ends is over. */
export function endEpoch(
  replica: Replica,
  block: Block,
  next: ValidatorSet,
  { top, commit }: Proof,
  ctx: Context,
): void {
  const views: number[] = [];
  let node: Node | undefined = top;
  while (node !== undefined && node.height > block.height) {
    views.push(node.view);
    node = parentOf(replica, node);
  }
  const change: EpochChange = { block, views: views.reverse(), commit };
  // Who has made the certificate may be the only one to know it; in phases it was shown to all.
  const { group } = ctx;
  const tells = !group.rules.phased && leaderOf(group, replica, replica.view) === ctx.self;
  enter(replica, change, next, ctx);
  if (tells) ctx.broadcast({ kind: 'epoch-change', ...change });
}

/** ⟨EPOCH-CHANGE, b, …⟩: a set is shown by the one before it. */
export function epochChange(
  replica: Replica,
  message: Signed<EpochChangeMessage>,
  ctx: Context,
): void {
  if (!isMember(ctx.group, message.from) || !mayEnd(ctx.group, replica, message)) return;
  const { block, views, commit } = message;
  const next = nextAfter(ctx.group, replica, block);
  if (next === undefined || !isCommitted(ctx.group, replica, message)) return;
  enter(replica, { block, views, commit }, next, ctx);
}

/** Whether a quorum of this epoch says that a block ends it: what can be seen without digests. */
export const mayEnd = (
  group: Group,
  replica: Replica,
  { block, views, commit }: EpochChange,
): boolean =>
  block.height > replica.base.height &&
  block.view > replica.base.view &&
  views.length <= maxBehind &&
  acceptable(block.batch) &&
  isCertificate(group, replica, commit) &&
  nextAfter(group, replica, block) !== undefined;

/** Whether the rules commit the block, or one behind it, by what is shown. */
function isCommitted(group: Group, { voters }: Replica, { block, views, commit }: EpochChange) {
  const { set } = block;
  const nodes = [nodeOf(group, block)];
  for (const view of views) {
    const { hash: parent, height, view: before } = nodes.at(-1) as Node;
    if (view <= before) return false;
    nodes.push(nodeOf(group, { set, view, height: height + 1, parent, batch: [] }));
  }
  const top = nodes.at(-1) as Node;
  if (commit.body.block !== top.hash || !hasQuorum(group, voters, commit)) return false;
  if (group.rules.endsEpoch === 'certified') return true;
  const tree = {
    parent: ({ height }: Node) => nodes[height - 1 - block.height],
    extends: () => true,
  };
  const committed = group.rules.commits(tree, top, commit.body);
  return committed !== undefined && committed.height >= block.height;
}

function nodeOf(group: Group, block: Block): Node {
  const { block: hash, view, height } = placeOf(group, block);
  return { hash, view, height, block, justify: null };
}

/** The next epoch begins: nothing of this one counts any more. One step, so one write. */
function enter(replica: Replica, change: EpochChange, next: ValidatorSet, ctx: Context): void {
  const { group } = ctx;
  const base: Place = placeOf(group, change.block);
  const { height, view, block } = base;
  ctx.line('next-set');
  ctx.put('sets', next.since, next);
  ctx.put('changes', height, change);
  ctx.save({ lastVoted: view, lastProposed: view, lastTimeout: null });
  ctx.save({ high: null, locked: { view, block }, timeouts: null });
  for (const [at, row] of replica.blocks)
    if (at > view && row !== null) ctx.put('blocks', at, null);
  for (const [hash, node] of replica.tree) if (node.view > view) replica.tree.delete(hash);
  const former = replica.validators;
  replica.validators = [...former, next];
  replica.voters = group.votersOf(next, () => former);
  replica.base = base;
  replica.bases.set(next.since, base);
  replica.view = view + 1;
  replica.reignSince = countedTime(replica, ctx.now);
  replica.confirmed = null;
  replica.waitedIn = 0;
  for (const each of [replica.votes, replica.timeoutVotes, replica.proposals]) each.clear();
  replica.parked.clear();
  replica.wanted.clear();
  // What blocks held that are gone waits for another one.
  for (const waiting of replica.waiting.values()) {
    const kept = waiting.blocks.filter((each) => replica.tree.has(each));
    waiting.blocks.splice(0, waiting.blocks.length, ...kept);
  }
  replica.news = true;
}

/**
 * For one that knows fewer sets of validators: the blocks that ended epochs, from its own on. Each
 * is certified by a quorum of the set before, so it believes them whoever sends them, and then what
 * later sets have signed, such as the stable checkpoint.
 */
export function explainSets(replica: Replica, to: ReplicaId, set: number, ctx: Context): void {
  const missing = replica.validators.filter(({ since }) => since > set);
  if (missing.length === 0) return;
  ctx.line('show-sets');
  for (const { since } of missing.slice(0, shownAtMost)) {
    const change = replica.changes.get(since - 1);
    if (change !== undefined) ctx.send(to, { kind: 'epoch-change', ...change });
  }
}
