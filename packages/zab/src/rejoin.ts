/**
 * Coming back after the disk was lost. Zab has no rule for that: a replica that forgot its promise
 * can give it to another leader, and transactions that it acknowledged may have been counted. So it
 * asks all others what it may have promised, and until each has answered takes part in nothing;
 * until its history is as good as the best of theirs it helps nobody to lead who has less. After
 * Michael et al., "Recovering Shared Objects Without Stable Storage" (DISC 2017).
 */
import type { Signed } from '@quorumlab/core';
import { mayHelp } from './answers.ts';
import { credentials, isWaiting } from './credentials.ts';
import { isVoter } from './group.ts';
import type { Credentials } from './history.ts';
import { look } from './looking.ts';
import type { Rejoin, RejoinReply } from './messages.ts';
import { type Context, isPeer, type Replica, zero } from './state.ts';

/** `upon start`: looks for a leader, or for what the others know of its promises. */
export function start(replica: Replica, ctx: Context, incarnation: number): void {
  const { group } = ctx;
  replica.life = incarnation;
  if (isWaiting(replica)) return askToRejoin(replica, ctx);
  // All start at about the same time: the first moment would hear nobody.
  ctx.setTimer('election', [group.heartbeat, 2 * group.heartbeat]);
}

/** `upon start` of a replica whose disk was lost. */
export function rejoin(replica: Replica, ctx: Context, incarnation: number): void {
  // An observer has promised and acknowledged nothing that anybody counts on.
  if (replica.observes) return start(replica, ctx, incarnation);
  replica.life = incarnation;
  ctx.save({ rejoining: { nonce: incarnation, best: null } });
  askToRejoin(replica, ctx);
}

/** Asks whoever has not answered. */
export function askToRejoin(replica: Replica, ctx: Context): void {
  const { group } = ctx;
  const { rejoining } = replica;
  if (rejoining === null || !isWaiting(replica)) return;
  ctx.line('rejoin-1');
  for (const peer of group.voters)
    if (peer !== ctx.self && !replica.heard.has(peer))
      ctx.send(peer, { kind: 'rejoin', nonce: rejoining.nonce });
  ctx.setTimer('rejoin', group.electionTimeout);
}

/** A member that lost its disk asks: what was counted on from the old disk is gone. */
export function onRejoin(member: Replica, { nonce, from }: Signed<Rejoin>, ctx: Context): void {
  const { group } = ctx;
  // Who waits itself knows nothing: two disks lost at once are one too many.
  if (!isPeer(from, ctx) || !isVoter(group, from) || isWaiting(member)) return;
  if (!mayHelp(group, member, from, ctx.now)) return;
  member.helpedAt.set(from, ctx.now);
  ctx.line('rejoin-2');
  member.epochs.delete(from);
  member.promises.delete(from);
  member.synced.delete(from);
  member.acked.delete(from);
  member.learners.delete(from);
  const { acceptedEpoch, acceptedFrom } = member;
  const { currentEpoch, zxid } = credentials(group, member);
  ctx.send(from, {
    kind: 'rejoin-reply',
    ...{ nonce, acceptedEpoch, acceptedFrom, currentEpoch, lastZxid: zxid },
  });
}

/** Once all others have answered, the replica takes part again. */
export function rejoinReply(replica: Replica, message: Signed<RejoinReply>, ctx: Context): void {
  const { group } = ctx;
  const { nonce, acceptedEpoch, acceptedFrom, currentEpoch, lastZxid: zxid, from } = message;
  if (!isPeer(from, ctx) || !isVoter(group, from) || !isWaiting(replica)) return;
  if (nonce !== replica.rejoining?.nonce) return;
  replica.heard.set(from, { acceptedEpoch, acceptedFrom, currentEpoch, zxid });
  if (replica.heard.size === group.voters.length - 1) comeBack(replica, nonce, ctx);
}

/** All have answered: whatever it had promised, one of them knows it. */
function comeBack(replica: Replica, nonce: number, ctx: Context): void {
  ctx.line('rejoin-3');
  const heard = [...replica.heard.values()];
  const acceptedEpoch = Math.max(...heard.map((each) => each.acceptedEpoch));
  let best: Credentials = { currentEpoch: 0, zxid: zero };
  // Whoever proposed the epoch has promised it to itself. If there were two, nobody may have both.
  const proposers = new Set<number | null>();
  for (const each of heard) {
    if (ctx.group.rules.isAsGood(each, best))
      best = { currentEpoch: each.currentEpoch, zxid: each.zxid };
    if (each.acceptedEpoch === acceptedEpoch) proposers.add(each.acceptedFrom);
  }
  const [first = null] = proposers;
  const acceptedFrom = proposers.size === 1 && first !== ctx.self ? first : null;
  replica.heard.clear();
  ctx.clearTimer('rejoin');
  ctx.save({ acceptedEpoch, acceptedFrom, rejoining: { nonce, best } });
  look(replica, ctx);
}
