/**
 * Ordering: a leader proposes a block on the highest certified one, replicas vote to the leader of
 * the next view, and a quorum of votes is the certificate on which it proposes the next block. This
 * is the pipeline of "HotStuff" (PODC '19), section 5; what differs between the members of the
 * family is in `rules/`.
 */
import {
  acceptable,
  assert,
  certify,
  countVote,
  type Digest,
  forget,
  isUnmixed,
  type Signed,
  tally,
  votesFor,
} from '@quorumlab/core';
import { emptyBatch, type Node } from './blocks.ts';
import {
  certifies,
  hasQuorum,
  highestIn,
  isAwaited,
  learn,
  learnTimeouts,
  lock,
  sayVote,
  signersOf,
} from './certificates.ts';
import { commit } from './commit.ts';
import { isOfEpoch } from './epochs.ts';
import { isFilled } from './filling.ts';
import { collects, endOfReign, isMember, leaderOf, voteFor } from './group.ts';
import { isClosed, isInPlace, isVoter } from './membership.ts';
import { keepWaiting, nextBatch } from './mempool.ts';
import type { Block, Proposal, Vote } from './messages.ts';
import { want } from './missing.ts';
import { leave } from './pacemaker.ts';
import { awaitsCheckpoint, countedTime, isFull } from './patience.ts';
import { show } from './phases.ts';
import {
  begins,
  type Context,
  hasLeft,
  highBlockOf,
  highViewOf,
  maxProposals,
  maxUncommitted,
  maxViewsAhead,
  type Replica,
  viewOf,
} from './state.ts';
import { add, hashOf, hasRequestsAbove, treeOf } from './tree.ts';

/** A leader proposes once a view, as soon as it may and there is a reason to. */
export function maybePropose(replica: Replica, ctx: Context): void {
  const { group } = ctx;
  const { view } = replica;
  if (replica.lastProposed >= view || leaderOf(group, replica, view) !== ctx.self) return;
  if (hasLeft(replica, view) || replica.lastVoted >= view) return;
  if (highViewOf(replica) >= view) return; // It has forgotten what it proposed in it.
  const tip = replica.tree.get(highBlockOf(replica));
  // A leader that lacks blocks or the state would order for others without knowing when to stop.
  if (tip === undefined || !replica.complete) return;
  const direct = begins(replica, replica.high, view);
  const timeouts = direct ? null : replica.timeouts;
  if (!direct) {
    if (timeouts === null || timeouts[0]?.view !== view - 1) return;
    if (highestIn(timeouts) > highViewOf(replica)) return; // Its certificate is under way.
    if (group.rules.waits && replica.waitedIn !== view) return;
  }
  // With a full window requests wait for a checkpoint. Empty blocks do not: they may be what it
  // takes to commit those before.
  const full = isFull(group, replica);
  const filled = !full && isFilled(group, replica, tip);
  const closed = isClosed(group, replica, tip);
  const batch = full || filled || closed ? emptyBatch : nextBatch(group, replica, tip);
  // While requests wait for room, blocks without any commit the earlier ones, up to a checkpoint.
  const makesRoom = full ? !awaitsCheckpoint(group, replica) : filled;
  const fills = makesRoom && replica.waiting.size > 0;
  // Where a view has phases, its last one has told all what is committed.
  const tells = !group.rules.phased && hasRequestsAbove(replica, tip.hash, replica.announced);
  const reason = batch.length > 0 || fills || !direct || tells || opens(replica, ctx);
  if (!reason) return;
  ctx.line('propose');
  const { set } = replica.voters;
  const block = { set, view, height: tip.height + 1, parent: tip.hash, batch };
  const justify = replica.high;
  ctx.save({ lastProposed: view });
  ctx.put('blocks', view, { hash: hashOf(block, ctx), block, justify });
  replica.announced = replica.committed.height;
  ctx.broadcast({ kind: 'proposal', block, justify, timeouts });
}

/**
 * Whether an epoch has to begin, whoever asks for something: with a block that its quorum commits,
 * and of which all hear. Then nobody needs those any more who voted in the one before.
 */
function opens({ base, committed, announced }: Replica, { group }: Context): boolean {
  if (base.height === 0) return false;
  return (group.rules.phased ? committed.height : announced) <= base.height;
}

/** The timer 'propose': Δ has passed, so every honest replica's certificate has been heard. */
export function proposeTimeout(replica: Replica): void {
  replica.waitedIn = replica.view;
}

/** ⟨PROPOSAL, b, qc, tc⟩: learn what it carries, then vote for it if the rules allow. */
export function proposal(replica: Replica, message: Signed<Proposal>, ctx: Context): void {
  const { group } = ctx;
  const { block, justify, timeouts, from } = message;
  if (!isMember(group, from) || !isOfEpoch(replica, from, block.set, ctx)) return;
  if (from !== leaderOf(group, replica, block.view)) return;
  if (!certifies(group, replica, message) || !acceptable(block.batch)) return;
  if (group.rules.provesViews && !provesView(replica, message)) return;
  if (!learn(replica, justify, ctx)) return;
  if (!learnTimeouts(replica, timeouts, ctx)) return;
  if (!group.rules.provesViews && block.view > replica.view) replica.view = block.view;
  if (block.view < replica.view) return connect(replica, message, ctx);
  if (block.view > replica.view + maxViewsAhead) return void (replica.dropped += 1);
  const before = replica.proposals.get(block.view);
  if (before === undefined) remember(replica, message);
  else if (hashOf(before.block, ctx) !== hashOf(block, ctx)) {
    // Two blocks in one view: proof against the leader, and reason enough to leave its reign.
    ctx.accuse(before, message);
    return leave(replica, endOfReign(group, block.view), ctx);
  }
  connect(replica, message, ctx);
}

function remember(replica: Replica, message: Signed<Proposal>): void {
  replica.proposals.set(message.block.view, message);
  if (replica.proposals.size <= maxProposals) return;
  for (const oldest of replica.proposals.keys()) {
    replica.proposals.delete(oldest);
    return;
  }
}

/** Whether the proposal shows why its view has begun: by a certificate of the view before. */
export function provesView(replica: Replica, { block, justify, timeouts }: Proposal): boolean {
  if (timeouts === null) return begins(replica, justify, block.view);
  if (viewOf(replica, justify) >= block.view || begins(replica, justify, block.view)) return false;
  return timeouts[0]?.view === block.view - 1;
}

/** Adds the block to the tree once its parent is there, and votes. */
function connect(replica: Replica, message: Signed<Proposal>, ctx: Context): void {
  const { group } = ctx;
  const { block, justify, from } = message;
  // What its certificate commits comes before what it proposes.
  const complete = commit(replica, ctx);
  if (block.set !== replica.voters.set) return; // That has ended its epoch.
  const parent = replica.tree.get(block.parent);
  if (parent === undefined) {
    if (block.height <= replica.committed.height) return;
    ctx.line('sync-park');
    replica.parked.set(from, message);
    if (justify === null) return;
    return want(replica, block.parent, [from, ...signersOf(justify, ctx.self)], ctx);
  }
  if (block.height !== parent.height + 1 || block.view <= parent.view) return;
  if (block.height > replica.committed.height + group.window + maxUncommitted)
    return void (replica.dropped += 1);
  if (block.view <= replica.committed.view) return;
  if (!isSound(replica, block, parent, ctx)) return;
  const hash = hashOf(block, ctx);
  if (!replica.tree.has(hash)) {
    // The row of a view is what this replica voted for. If another block is certified, it is
    // fetched by its digest.
    const row = replica.blocks.get(block.view);
    if (row && row.hash !== hash && replica.lastVoted >= block.view) return;
    add(replica, hash, { block, justify }, ctx);
    for (const request of block.batch)
      if (group.rules.forgetsProposed) forget(replica, request, countedTime(replica, ctx.now));
      else keepWaiting(replica, request, hash, ctx);
    if (from !== ctx.self)
      replica.announced = Math.max(replica.announced, replica.committed.height);
  }
  // Who votes has executed what is committed. So f+1 honest members have, and whoever lacks blocks
  // or the state gets them there: a chain that grew without them could leave nobody behind it.
  if (complete) vote(replica, message, hash, ctx);
  else replica.parked.set(from, message);
}

/** Whether the block holds what it may, where it is. */
const isSound = (replica: Replica, block: Block, parent: Node, { group }: Context): boolean =>
  isUnmixed(group, block.batch) &&
  isInPlace(group, replica, block, parent) &&
  (block.batch.length === 0 || !isFilled(group, replica, parent));

/** ⟨VOTE, v, b⟩ to whoever collects votes: once a view, and never below a timeout. */
function vote(
  replica: Replica,
  { block, justify, timeouts }: Proposal,
  hash: Digest,
  ctx: Context,
): void {
  const { view } = block;
  if (view !== replica.view || view <= replica.lastVoted || hasLeft(replica, view)) return;
  if (!isVoter(replica, ctx.self)) return;
  const justifyView = viewOf(replica, justify);
  // Its block may have been unknown when its certificate came. Who votes is locked by what it
  // votes on: that is what a vote can be held against.
  if (justify !== null) lock(replica, justify.body, ctx);
  const { locked, high } = replica;
  const tree = treeOf(replica);
  const highView = viewOf(replica, high);
  if (!ctx.group.rules.mayVote({ block, justifyView, timeouts, highView, locked, tree })) return;
  ctx.line('vote');
  ctx.save({ lastVoted: view });
  sayVote(replica, voteFor(ctx.group, replica, view, hash, justifyView), ctx);
}

/** Votes of a quorum for one block are its certificate. */
export function onVote(replica: Replica, message: Signed<Vote>, ctx: Context): void {
  const { group } = ctx;
  const { from, view, block, justifyView, phase } = message;
  if (!isVoter(replica, from) || !collects(group, replica, view, ctx.self)) return;
  if (!isAwaited(replica, message) || justifyView >= view) return;
  // Timeouts may have left the highest certificate far behind, with room for votes without end.
  if (Math.abs(view - replica.view) > maxViewsAhead) return void (replica.dropped += 1);
  let votes = replica.votes.get(view);
  if (votes === undefined) replica.votes.set(view, (votes = tally()));
  const what = `${block}/${justifyView}`;
  const earlier = countVote(votes, message, what);
  if (earlier !== undefined) {
    if (earlier.block !== block) ctx.accuse(earlier, message);
    return;
  }
  const matching = votesFor(votes, what);
  if (matching.length < replica.voters.quorum) return;
  ctx.line('qc');
  const body = voteFor(group, replica, view, block, justifyView, phase);
  const certificate = certify<Vote>(body, matching);
  assert(hasQuorum(group, replica.voters, certificate), 'a quorum of votes is a certificate');
  learn(replica, certificate, ctx);
  if (group.rules.phased) show(certificate, ctx);
}

/** Proposals that waited for a block, or for the state, go on when it has come. */
export function retryParked(replica: Replica, complete: boolean, ctx: Context): void {
  for (const [leader, message] of [...replica.parked]) {
    const { parent, height } = message.block;
    const ready = complete && replica.tree.has(parent);
    if (!ready && height > replica.committed.height) continue;
    replica.parked.delete(leader);
    connect(replica, message, ctx);
  }
}
