/** How a replica gets what was chosen without it: rules 3 and 11. */
import type { ReplicaId, Signed, Slot } from '@quorumlab/core';
import { mayTeach, noteAnswer } from './answers.ts';
import { advance, catchUp, caughtUp, isBehind, learn, saveChosen } from './learner.ts';
import {
  type CatchUp,
  type Learn,
  type SnapshotOffer,
  type Vote,
  voteBytes,
  votesLimit,
} from './messages.ts';
import { maybeRejoin } from './rejoin.ts';
import { acquaintances, type Context, isPeer, type Replica } from './state.ts';

/** Something was learnt: asks for the rest, or goes on with what had to wait for it. */
export function resume(replica: Replica, ctx: Context): void {
  advance(replica, ctx);
  caughtUp(replica, ctx);
  maybeRejoin(replica, ctx);
}

/** Answers `to` with as many chosen values as fit into one message. */
function teach(replica: Replica, to: ReplicaId, fromSlot: Slot, ctx: Context): void {
  ctx.line('teach');
  const votes: Vote[] = [];
  let size = 0;
  for (let slot = fromSlot; slot < replica.firstUnchosen && votes.length < votesLimit; slot++) {
    const vote = replica.accepted.get(slot);
    if (vote === undefined) break;
    size += voteBytes(vote.value);
    if (votes.length > 0 && size > ctx.group.maxBytesPerSlot) break;
    votes.push(vote);
  }
  ctx.send(to, { kind: 'learn', fromSlot, votes, firstUnchosen: replica.firstUnchosen });
  replica.taughtTo.set(to, fromSlot + votes.length);
  // What is chosen from here on it hears of as all others do.
  if (fromSlot + votes.length >= replica.firstUnchosen) replica.learners.delete(to);
}

/** What it did not ask for it does not need, and an answer that comes twice helps once. */
export const teaches = (
  { teacher, firstUnchosen }: Replica,
  { fromSlot, votes, from }: Signed<Learn>,
): boolean =>
  from === teacher && fromSlot <= firstUnchosen && firstUnchosen < fromSlot + votes.length;

/** Whether it is offered a snapshot that it lacks and does not fetch already. */
export const isNewOffer = (
  { teacher, firstUnchosen, fetching }: Replica,
  { slot, digest, from }: Signed<SnapshotOffer>,
): boolean =>
  from === teacher &&
  slot >= firstUnchosen &&
  (fetching?.slot !== slot || fetching.digest !== digest);

/** Another replica asks what was chosen, and is taught or offered a snapshot. */
export function onCatchUp(
  replica: Replica,
  { fromSlot, from }: Signed<CatchUp>,
  ctx: Context,
): void {
  if (!isPeer(from, ctx)) return;
  if (!mayTeach(ctx.group, replica, from, fromSlot, ctx.now)) return;
  noteAnswer(replica, 'catch-up', from, ctx.now);
  if (fromSlot >= replica.keptFrom) return teach(replica, from, fromSlot, ctx);
  const { snapshot } = replica;
  if (snapshot === null) return; // Nothing was dropped without one; `keptFrom` is 0 then.
  // What follows the first one that it was offered stays: it may be fetching that.
  const before = replica.learners.get(from)?.fromSlot ?? 0;
  const needed = before >= replica.keptFrom ? before : snapshot.slot + 1;
  replica.learners.set(from, { fromSlot: needed, at: ctx.now });
  ctx.line('snapshot-offer');
  ctx.send(from, { kind: 'snapshot-offer', slot: snapshot.slot, digest: snapshot.digest });
}

/** Rule 11: values that were chosen without this replica. */
export function onLearn(replica: Replica, message: Signed<Learn>, ctx: Context): void {
  const { fromSlot, votes, from } = message;
  if (from === ctx.self || !teaches(replica, message)) return;
  votes.forEach((vote, i) => {
    if (fromSlot + i !== replica.firstUnchosen) return;
    ctx.line('learn');
    learn(replica, vote, ctx);
  });
  saveChosen(replica, ctx);
  resume(replica, ctx);
  const isMore = replica.firstUnchosen < message.firstUnchosen;
  if (isMore || isBehind(replica)) catchUp(replica, from, ctx);
}

/** What was asked for is compacted: fetches the state instead. */
export function snapshotOffer(
  replica: Replica,
  message: Signed<SnapshotOffer>,
  ctx: Context,
): void {
  const { slot, digest, from } = message;
  if (from === ctx.self || !isNewOffer(replica, message)) return;
  ctx.line('snapshot-fetch');
  replica.fetching = { slot, digest, from };
  // Equal logs give equal snapshots, so any other member may hold this one too.
  const others = acquaintances(ctx.group.known, replica).filter(
    (each) => each !== ctx.self && each !== from,
  );
  ctx.fetchSnapshot(slot, digest, [from, ...others]);
}
