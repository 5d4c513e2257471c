/** Phase 1, discovery: a quorum promises a new epoch to a prospective leader. */
import { maxInteger, type ReplicaId, type Signed } from '@quorumlab/core';
import { backUpIfLost, hear, isLost, moveWindow, sendTo, turnTo } from './channel.ts';
import { isBehind, ownCredentials } from './credentials.ts';
import { isVoter } from './group.ts';
import { holds } from './history.ts';
import { look } from './looking.ts';
import type { AckEpoch, CEpoch, NewEpoch } from './messages.ts';
import { type Context, isPeer, type Replica } from './state.ts';
import { acknowledgeEpoch, isLeaderOf, synchronize } from './synchronization.ts';

/** Elected: a prospective leader, which waits for followers. */
export function lead(replica: Replica, ctx: Context): void {
  const { group } = ctx;
  if (isBehind(group, replica)) return; // It lacks what it may have acknowledged itself.
  ctx.line('lead');
  replica.role = 'leading';
  replica.phase = 'discovery';
  replica.leader = ctx.self;
  ctx.clearTimer('election');
  ctx.clearTimer('grace');
  ctx.setTimer('ping', group.heartbeat);
  ctx.setTimer('quorum', group.electionTimeout);
  replica.epochs.set(ctx.self, replica.acceptedEpoch);
  maybeNewEpoch(replica, ctx);
}

/** Step f.1.1: it follows whom a quorum has elected, as far as it knows. */
export function follow(replica: Replica, leader: ReplicaId, ctx: Context): void {
  const { group } = ctx;
  replica.role = 'following';
  replica.phase = 'discovery';
  replica.leader = leader;
  replica.lastContact = ctx.now;
  ctx.clearTimer('grace');
  ctx.setTimer('election', [group.electionTimeout, 2 * group.electionTimeout]);
  join(replica, ctx);
}

/** CEPOCH, again and again until NEWEPOCH has come. */
export function join(follower: Replica, ctx: Context): void {
  const { role, leader, epoch, acceptedEpoch, acceptedFrom } = follower;
  if (role !== 'following' || leader === null || epoch > 0) return;
  ctx.line('f-1-1');
  ctx.send(leader, { kind: 'cepoch', acceptedEpoch, acceptedFrom });
  ctx.setTimer('join', ctx.group.heartbeat);
}

/** CEPOCH at the leader. */
export function cepoch(
  leader: Replica,
  { acceptedEpoch, acceptedFrom, from }: Signed<CEpoch>,
  ctx: Context,
): void {
  const { group } = ctx;
  if (leader.role !== 'leading' || !isPeer(from, ctx)) return;
  const { epoch } = leader;
  const votes = isVoter(group, from);
  if (votes && epoch > 0 && isPromisedAway(epoch, acceptedEpoch, acceptedFrom === ctx.self)) {
    ctx.line('l-1-1-leave');
    return look(leader, ctx);
  }
  // An observer asks again until the epoch is established: no other leader can have that one too,
  // so what it promises, which nobody counts, never keeps it from following.
  if (!votes && leader.phase !== 'broadcast') return;
  hear(leader, from, 0, ctx.now);
  if (epoch > 0) {
    ctx.line('l-3-3');
    return ctx.send(from, { kind: 'newepoch', epoch, beat: leader.beat });
  }
  leader.epochs.set(from, acceptedEpoch);
  maybeNewEpoch(leader, ctx);
}

/** Whether a follower that has promised `accepted` must refuse `epoch`. */
const isPromisedAway = (epoch: number, accepted: number, toMe: boolean): boolean =>
  accepted > epoch || (accepted === epoch && !toMe);

/** Step ℓ.1.1. After the largest number of the wire there are no more epochs: safe, not live. */
function maybeNewEpoch(leader: Replica, ctx: Context): void {
  if (!ctx.group.quorum.has(leader.epochs.keys())) return;
  const epoch = Math.max(...leader.epochs.values()) + 1;
  if (epoch > maxInteger) return;
  ctx.line('l-1-1');
  ctx.save({ acceptedEpoch: epoch, acceptedFrom: ctx.self });
  leader.epoch = epoch;
  const { beat } = leader;
  for (const follower of leader.epochs.keys())
    if (follower !== ctx.self) ctx.send(follower, { kind: 'newepoch', epoch, beat });
  // Its own promise is a message too: it counts only once it is durable.
  acknowledgeEpoch(leader, ctx);
}

/** Step f.1.2. */
export function newEpoch(
  follower: Replica,
  { epoch, beat, from }: Signed<NewEpoch>,
  ctx: Context,
): void {
  if (follower.role !== 'following' || from !== follower.leader || epoch === 0) return;
  if (isPromisedAway(epoch, follower.acceptedEpoch, follower.acceptedFrom === from)) {
    // A late one of the epoch before this one; if not, the leader is of the past.
    if (follower.epoch > 0) return;
    ctx.line('f-1-2-leave');
    return look(follower, ctx);
  }
  follower.lastContact = ctx.now;
  if (epoch !== follower.epoch) {
    follower.epoch = epoch;
    follower.beat = 0;
    follower.phase = 'synchronization';
    follower.committed = follower.delivered;
    follower.early.clear();
    ctx.clearTimer('join');
  }
  ctx.line('f-1-2');
  follower.beat = Math.max(follower.beat, beat);
  if (epoch > follower.acceptedEpoch) ctx.save({ acceptedEpoch: epoch, acceptedFrom: from });
  acknowledgeEpoch(follower, ctx);
}

/** ACK-E at the leader. */
export function ackEpoch(leader: Replica, message: Signed<AckEpoch>, ctx: Context): void {
  const { group } = ctx;
  const { epoch, currentEpoch, lastZxid: zxid, held, beat, from } = message;
  if (!isLeaderOf(leader, epoch) || message.leader !== ctx.self) return;
  if (from === ctx.self) return promised(leader, message, ctx);
  if (!isPeer(from, ctx) || !isEpochNews(leader, message)) return;
  if (leader.phase !== 'discovery') return catchUp(leader, message, ctx);
  const votes = isVoter(group, from);
  if (votes && !group.rules.isAsGood(ownCredentials(leader), { currentEpoch, zxid })) {
    ctx.line('l-1-2-leave');
    return look(leader, ctx);
  }
  turnTo(leader, hear(leader, from, beat, ctx.now), held);
  if (votes) promised(leader, message, ctx);
}

/** Step ℓ.1.2: no other history of a quorum is better than the leader's. */
function promised(
  leader: Replica,
  { currentEpoch, lastZxid: zxid, from }: Signed<AckEpoch>,
  ctx: Context,
): void {
  if (leader.phase !== 'discovery') return;
  leader.promises.set(from, { currentEpoch, zxid });
  if (!ctx.group.quorum.has(leader.promises.keys())) return;
  ctx.line('l-1-2');
  synchronize(leader, ctx);
}

/** Where a follower that is not in phase 3 stands by now. */
function catchUp(leader: Replica, { held, beat, from }: Signed<AckEpoch>, ctx: Context): void {
  const learner = hear(leader, from, beat, ctx.now);
  const { stage, cut } = learner;
  if (stage === 'joined' || stage === 'synced' || cut !== null) turnTo(leader, learner, held);
  else if (isLost(learner)) {
    backUpIfLost(learner, ctx);
    turnTo(leader, learner, held);
  } else if (holds(leader, held)) moveWindow(learner, held.counter, false);
  sendTo(leader, from, ctx);
}

/** Whether it is later than what was heard of its sender, and says no less. */
export function isEpochNews(leader: Replica, { held, beat, from }: Signed<AckEpoch>): boolean {
  const learner = leader.learners.get(from);
  if (learner === undefined || beat > leader.beat) return false;
  // What it has acknowledged it still has: this is an older one.
  if (beat < learner.answeredBeat || held.counter < (leader.acked.get(from) ?? 0)) return false;
  return learner.stage !== 'synced' || beat > learner.answeredBeat;
}
