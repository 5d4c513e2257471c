/**
 * Linearizable reads at followers: the end of 6.4 of Ongaro's thesis. The follower asks its leader
 * for a readIndex, which the leader gives as it does for its own reads, and reads once it has
 * applied up to there.
 *
 * ```text
 *                  upon a read at a follower:
 * follower-read-1    ask the leader, once for all reads that wait
 * follower-read-2  upon such a question at the leader: as read-1 to read-3, or lease-2;
 *                    send readIndex
 * follower-read-3  upon readIndex at the follower: the reads that were asked for may go at it
 * ```
 */
import type { Signed } from '@quorumlab/core';
import { hasLease } from './lease.ts';
import { isPeer } from './members.ts';
import type { ReadIndex, ReadIndexReply } from './messages.ts';
import { maybeStartReadRound } from './read-index.ts';
import type { Context, Replica } from './state.ts';

/** A client of a follower wants to read. */
export function readAtFollower(follower: Replica, id: number, ctx: Context): void {
  if (follower.leader === null) return;
  const { question, unasked } = follower;
  if (unasked.length + (question?.ids.length ?? 0) >= ctx.group.maxReads) return;
  unasked.push(id);
  ask(follower, ctx);
}

/** One question at a time. The reads of one that was not answered go along with the next. */
function ask(follower: Replica, ctx: Context): void {
  const { question, unasked, leader } = follower;
  if (unasked.length === 0 || leader === null) return;
  const isOpen =
    question !== null &&
    question.leader === leader &&
    ctx.now - question.askedAt < ctx.group.electionTimeout;
  if (isOpen) return;
  ctx.line('follower-read-1');
  follower.questions += 1;
  const number = follower.questions;
  const ids = [...(question?.ids ?? []), ...unasked];
  follower.question = { number, leader, askedAt: ctx.now, ids };
  follower.unasked = [];
  ctx.send(leader, { kind: 'read-index', life: follower.life, question: number });
}

/** A follower asks for its readers. */
export function readIndex(
  leader: Replica,
  { life, question, from }: Signed<ReadIndex>,
  ctx: Context,
): void {
  if (!isPeer(from, ctx) || leader.role !== 'leader') return;
  ctx.line('follower-read-2');
  if (hasLease(leader, ctx))
    return ctx.send(from, { kind: 'read-index-reply', life, question, index: leader.commitIndex });
  // At most one a member: a later question is for all the reads of those before.
  leader.asking.set(from, { life, question });
  maybeStartReadRound(leader, ctx);
}

/** The leader had committed up to `index`, and still led after it was asked. */
export function readIndexReply(
  follower: Replica,
  { life, question: number, index, from }: Signed<ReadIndexReply>,
  ctx: Context,
): void {
  const { question } = follower;
  if (!isPeer(from, ctx) || question === null) return;
  // An answer to an earlier life, or to an earlier question, may be older than what is asked for.
  if (life !== follower.life || number !== question.number) return;
  ctx.line('follower-read-3');
  for (const id of question.ids) ctx.allowRead(id, index - 1);
  follower.question = null;
  ask(follower, ctx);
}
