/**
 * Reads at followers and observers: ZooKeeper's `sync`, asked of a leader that makes sure that it
 * leads. ZooKeeper's leader answers from what it knows, and may have been replaced.
 *
 * ```text
 *                  upon a read at a follower or an observer:
 * sync-ask           ask the leader, once for all reads that wait
 * sync-asked       upon such a question at the leader: propose a no-op; when it is committed, say
 *                    up to where
 * sync-answered    upon the answer: the reads that were asked for may go once that is delivered
 * ```
 */
import type { Signed } from '@quorumlab/core';
import type { Sync, SyncReply } from './messages.ts';
import { maybeSync } from './read.ts';
import { type Context, isPeer, type Replica } from './state.ts';
import { isLeaderOf, isOfLeader } from './synchronization.ts';

/** A client of a follower, or of an observer, wants to read. */
export function readAtFollower(follower: Replica, id: number, ctx: Context): void {
  const { question, unasked } = follower;
  if (unasked.length + (question?.ids.length ?? 0) >= ctx.group.maxReads) return;
  unasked.push(id);
  askLeader(follower, ctx);
}

/** One question at a time. The reads of one that was not answered go along with the next. */
export function askLeader(follower: Replica, ctx: Context): void {
  const { question, unasked, leader, epoch, life } = follower;
  if (leader === null || follower.phase !== 'broadcast') return;
  const isOld = question !== null && ctx.now - question.askedAt >= ctx.group.electionTimeout;
  if (question === null ? unasked.length === 0 : !isOld) return;
  ctx.line('sync-ask');
  follower.questions += 1;
  const number = follower.questions;
  follower.question = { number, askedAt: ctx.now, ids: [...(question?.ids ?? []), ...unasked] };
  follower.unasked = [];
  ctx.send(leader, { kind: 'sync', epoch, life, question: number });
}

/** Whether this replica leads whoever asks. */
export const isAskedHere = (leader: Replica, { epoch, from }: Signed<Sync>): boolean =>
  isLeaderOf(leader, epoch) && leader.phase === 'broadcast' && leader.learners.has(from);

/** SYNC at the leader. */
export function sync(leader: Replica, message: Signed<Sync>, ctx: Context): void {
  const { life, question, from } = message;
  if (!isPeer(from, ctx) || !isAskedHere(leader, message)) return;
  ctx.line('sync-asked');
  // At most one a member: a later question is for all the reads of those before.
  leader.asking.set(from, { life, question });
  maybeSync(leader, ctx);
}

/** Whether it answers what is asked: one to an earlier question may be older than its reads. */
export const isAnswer = (follower: Replica, message: Signed<SyncReply>): boolean =>
  isOfLeader(follower, message) &&
  message.life === follower.life &&
  message.question === follower.question?.number;

/** The answer at whoever has asked. */
export function syncReply(follower: Replica, message: Signed<SyncReply>, ctx: Context): void {
  const { question } = follower;
  if (question === null || !isAnswer(follower, message)) return;
  ctx.line('sync-answered');
  for (const id of question.ids) ctx.allowRead(id, message.zxid.counter - 1);
  follower.question = null;
  askLeader(follower, ctx);
}
