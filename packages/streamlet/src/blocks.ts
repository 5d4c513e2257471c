/** Propose and vote: the leader of an epoch proposes a block, and all who may vote for it. */
import { certify, countVote, type Signed, votesFor } from '@quorumlab/core';
import { idOf, isBusy, isQuorum, isValid, notarizedAs } from './chain.ts';
import { isNear } from './epochs.ts';
import { type Group, isMember } from './group.ts';
import { nextBatch, noteProposed } from './mempool.ts';
import type { Block, Proposal, Vote } from './messages.ts';
import { learn } from './notarized.ts';
import { type Context, heardOf, longestOf, type Replica, stableHeight } from './state.ts';

/** Whether there is room above the last stable checkpoint: without that nobody goes on. */
const mayAct = (group: Group, replica: Replica): boolean =>
  replica.final.height < stableHeight(replica) + group.window;

/** Propose: the leader extends the longest notarized chain that it has seen, once an epoch. */
export function maybePropose(replica: Replica, ctx: Context): boolean {
  const { epoch, voted } = replica;
  if (ctx.group.leaderOf(epoch) !== ctx.self || voted >= epoch) return false;
  if (!isBusy(replica) || !mayAct(ctx.group, replica)) return false;
  const parent = longestOf(replica);
  const { height, ...named } = parent;
  const batch = nextBatch(ctx.group, replica, parent);
  const block: Block = { epoch, height: height + 1, parent: named, batch };
  ctx.line('propose');
  ctx.broadcast(proposalOf(replica, block));
  noteProposed(replica, batch);
  voteFor(replica, block, ctx);
  return true;
}

/** The votes for its parent are beside a block, so that whoever lacks them can vote for it too. */
function proposalOf(replica: Replica, block: Block): Proposal {
  const votes = replica.notarized.get(block.parent.epoch);
  const notarization = votes?.body.id === block.parent.id ? votes : null;
  return { kind: 'proposal', block, notarization };
}

/** What this replica has said in the epoch that it has voted in, word for word. */
export function ownWords(replica: Replica, ctx: Context): readonly (Proposal | Vote)[] {
  const kept = replica.blocks.get(replica.voted);
  if (kept === undefined) return [];
  const { epoch, height } = kept.block;
  const vote: Vote = { kind: 'vote', epoch, height, id: kept.id };
  const isLeader = ctx.group.leaderOf(epoch) === ctx.self;
  return isLeader ? [proposalOf(replica, kept.block), vote] : [vote];
}

/** What a proposal must be, whatever its receiver knows: the first line of its handler. */
export function isWhole(group: Group, { from, block, notarization }: Signed<Proposal>): boolean {
  const { epoch, height, parent } = block;
  if (epoch === 0 || height === 0 || parent.epoch >= epoch) return false;
  if (from !== group.leaderOf(epoch)) return false;
  if (notarization === null) return true;
  const { body } = notarization;
  return body.id === parent.id && body.epoch === parent.epoch && isQuorum(group, notarization);
}

/** ⟨PROPOSAL, block⟩ */
export function proposal(replica: Replica, message: Signed<Proposal>, ctx: Context): void {
  if (!isWhole(ctx.group, message)) return;
  const { block, notarization } = message;
  if (notarization !== null) learn(replica, notarization, ctx);
  if (!isNear(ctx.group, replica, block.epoch)) return;
  const heard = heardOf(replica, block.epoch);
  if (heard.proposal !== null) return ctx.accuse(heard.proposal, message);
  heard.proposal = message;
  heard.id = idOf(ctx.group, block);
  // Its votes were here before it.
  const votes = replica.notarized.get(block.epoch);
  if (votes?.body.id === heard.id) learn(replica, votes, ctx);
}

/** Vote: for the first proposal of the epoch, if it extends one of the longest notarized chains. */
export function maybeVote(replica: Replica, ctx: Context): boolean {
  const { epoch, voted } = replica;
  const block = replica.heard.get(epoch)?.proposal?.block;
  if (block === undefined || voted >= epoch || !mayAct(ctx.group, replica)) return false;
  const parent = notarizedAs(replica, block.parent);
  if (parent === undefined || block.height !== parent.height + 1) return false;
  if (!ctx.group.rules.mayExtend(parent, longestOf(replica)) || !isValid(ctx.group, replica, block))
    return false;
  ctx.line('vote');
  noteProposed(replica, block.batch);
  voteFor(replica, block, ctx);
  return true;
}

/** A vote is on the disk before it leaves, and the block beside it. */
function voteFor(replica: Replica, block: Block, ctx: Context): void {
  const { epoch, height, batch } = block;
  const id = idOf(ctx.group, block);
  ctx.save({ voted: epoch });
  ctx.put('blocks', epoch, { id, block });
  if (batch.length > 0) replica.filledIn = Math.max(replica.filledIn, epoch);
  ctx.broadcast({ kind: 'vote', epoch, height, id });
}

/** ⟨VOTE, block⟩: once a quorum has said it, the block is notarized. */
export function vote(replica: Replica, message: Signed<Vote>, ctx: Context): void {
  const { from, epoch, height, id } = message;
  if (!isMember(ctx.group, from) || !isNear(ctx.group, replica, epoch)) return;
  const { votes } = heardOf(replica, epoch);
  const what = `${id} ${height}`;
  const earlier = countVote(votes, message, what);
  if (earlier !== undefined) return ctx.accuse(earlier, message);
  const same = votesFor(votes, what);
  if (same.length === ctx.group.quorum)
    learn(replica, certify<Vote>({ kind: 'vote', epoch, height, id }, same), ctx);
}
