/** Phase 3, broadcast: ACK at the leader, step f.3.3, and signs of life. */
import type { Signed } from '@quorumlab/core';
import { backUpIfLost, hear, moveWindow, sendPings, sendTo } from './channel.ts';
import { acknowledge } from './commit.ts';
import { commitUpTo } from './delivery.ts';
import { isVoter } from './group.ts';
import { lastCounter } from './history.ts';
import { look } from './looking.ts';
import type { Ack, Commit, Ping } from './messages.ts';
import { countOwn } from './proposals.ts';
import { type Context, isPeer, type Replica } from './state.ts';
import { askLeader } from './sync.ts';
import { isLeaderOf, isOfLeader, report } from './synchronization.ts';

/** ACK at the leader. */
export function ack(leader: Replica, message: Signed<Ack>, ctx: Context): void {
  const { epoch, zxid, beat, from } = message;
  if (!isLeaderOf(leader, epoch) || zxid.counter > lastCounter(leader)) return;
  if (from === ctx.self) {
    leader.writing = false;
    acknowledge(leader, from, zxid.counter, ctx);
    return countOwn(leader, ctx);
  }
  if (!isPeer(from, ctx) || !isAckNews(leader, message)) return;
  const learner = hear(leader, from, beat, ctx.now);
  moveWindow(learner, zxid.counter, true);
  learner.stage = 'synced'; // It is in phase 3, whatever it was told anew.
  acknowledge(leader, from, zxid.counter, ctx);
  sendTo(leader, from, ctx);
}

/** Whether it answers a later ping, or has more of the history than was known. */
export function isAckNews(leader: Replica, { zxid, beat, from }: Signed<Ack>): boolean {
  const learner = leader.learners.get(from);
  if (learner === undefined || learner.stage === 'joined' || beat > leader.beat) return false;
  if (beat > learner.answeredBeat || learner.stage !== 'synced') return true;
  return zxid.counter > (leader.acked.get(from) ?? learner.held);
}

/** Step f.3.3. */
export function commit(follower: Replica, message: Signed<Commit>, ctx: Context): void {
  if (!isOfLeader(follower, message)) return;
  follower.lastContact = ctx.now;
  // Before COMMIT-LD the follower does not know that the epoch is established; that will tell.
  if (follower.phase === 'broadcast') commitUpTo(follower, message.zxid.counter, ctx);
}

/** A sign of life at a follower, which says where it stands. */
export function ping(follower: Replica, message: Signed<Ping>, ctx: Context): void {
  if (!isOfLeader(follower, message)) return;
  follower.lastContact = ctx.now;
  follower.beat = Math.max(follower.beat, message.beat);
  if (follower.phase === 'broadcast') commitUpTo(follower, message.zxid.counter, ctx);
  report(follower, ctx);
  askLeader(follower, ctx);
}

/** `upon timeout` of the leader: a sign of life, and once more what seems to be lost. */
export function pingTimeout(leader: Replica, ctx: Context): void {
  if (leader.role !== 'leading') return;
  ctx.setTimer('ping', ctx.group.heartbeat);
  if (leader.epoch === 0) return;
  if (leader.phase === 'broadcast') {
    leader.writing = false;
    countOwn(leader, ctx);
  }
  for (const learner of leader.learners.values()) backUpIfLost(learner, ctx);
  sendPings(leader, ctx);
  for (const follower of leader.learners.keys()) sendTo(leader, follower, ctx);
}

/** A leader that no quorum has answered for too long leads no more. */
export function quorumTimeout(leader: Replica, ctx: Context): void {
  const { group } = ctx;
  if (leader.role !== 'leading') return;
  const heard = [ctx.self];
  for (const [follower, { heardAt }] of leader.learners)
    if (isVoter(group, follower) && ctx.now - heardAt < group.electionTimeout) heard.push(follower);
  if (group.quorum.has(heard)) return ctx.setTimer('quorum', group.electionTimeout);
  ctx.line('lost-quorum');
  look(leader, ctx);
}
