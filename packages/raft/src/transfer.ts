/**
 * Handing the lead to another server: 3.10 of Ongaro's thesis. A client's request that holds what
 * `encodeTransfer` makes comes to the leader, as commands do.
 *
 * ```text
 *             upon a wish that server s lead, at the leader:
 * transfer-1    take no more commands, and let s have the whole log
 * transfer-2    once matchIndex[s] is the last index: no lease any more in this term (6.4.1);
 *               send TimeoutNow(currentTerm) to s
 * transfer-3  upon TimeoutNow of the leader: become candidate at once; the RequestVote says by
 *               whose leave, so that voters who hear that leader do not ignore it (4.2.3)
 * transfer-4  upon an election timeout at a leader that still leads: take commands again
 * ```
 */
import { maxInteger, type ReplicaId, type Request, type Signed } from '@quorumlab/core';
import { campaign } from './election.ts';
import { append, mayAppend } from './leader.ts';
import { lastIndex } from './log.ts';
import { isPeer, isVoter } from './members.ts';
import { refusalLimit, type TimeoutNow } from './messages.ts';
import { isBehind, nextTerm } from './rejoin.ts';
import type { Context, Replica } from './state.ts';
import { updateTerm } from './term.ts';

/** A client asks that `to` lead. The first entry that says what came of it is the answer. */
export function transferTo(
  leader: Replica,
  command: Signed<Request>,
  to: ReplicaId,
  ctx: Context,
): void {
  const { group } = ctx;
  const { transfer, catchUp } = leader;
  const answer = (refusal: string): void =>
    append(leader, { command, refusal: refusal.slice(0, refusalLimit) }, ctx);
  // The successor would lack an entry from now on, so nobody is answered; clients ask again.
  if (transfer !== null) return;
  if (!mayAppend(group, leader, command)) return;
  if (to === ctx.self) return answer('');
  if (!leader.pipelines.has(to) || !isVoter(group, leader, to))
    return answer(`server ${to} has no vote in the group, so it cannot lead`);
  if (catchUp !== null) return answer('a change of the group is on its way; wait for it');
  ctx.line('transfer-1');
  leader.transfer = { to, command, began: ctx.now };
  ctx.setTimer('transfer', group.heartbeat);
  tellSuccessor(leader, ctx);
}

/** The successor is told once it has all that the leader has: else it could only unseat it. */
export function tellSuccessor(leader: Replica, ctx: Context): void {
  const { transfer, currentTerm: term } = leader;
  if (transfer === null || !ctx.group.rules.mayHandOver(leader, transfer.to)) return;
  ctx.line('transfer-2');
  // From now on voters may elect it although they hear this leader: whatever is late, in this term.
  leader.hasYielded = true;
  ctx.send(transfer.to, { kind: 'timeout-now', term });
}

/** `upon transfer timeout`: tells the successor again, or gives it up. */
export function transferTimeout(leader: Replica, ctx: Context): void {
  const { group } = ctx;
  const { transfer } = leader;
  if (transfer === null) return;
  const { to, command, began } = transfer;
  if (ctx.now - began < group.electionTimeout) {
    ctx.setTimer('transfer', group.heartbeat);
    return tellSuccessor(leader, ctx);
  }
  ctx.line('transfer-4');
  leader.transfer = null;
  const has = leader.matchIndex.get(to) ?? 0;
  const why =
    has < lastIndex(leader)
      ? `it has ${has} of ${lastIndex(leader)} entries`
      : 'it has the whole log, and is not heard';
  const refusal = `server ${to} did not take over within an election timeout: ${why}`;
  append(leader, { command, refusal: refusal.slice(0, refusalLimit) }, ctx);
}

/** The leader of this term wants this server to be the next one. */
export function timeoutNow(
  replica: Replica,
  { term, from }: Signed<TimeoutNow>,
  ctx: Context,
): void {
  if (!isPeer(from, ctx)) return;
  updateTerm(replica, term, ctx);
  if (term < replica.currentTerm || replica.role !== 'follower') return;
  if (!isVoter(ctx.group, replica, ctx.self) || isBehind(replica)) return;
  if (nextTerm(replica) > maxInteger) return;
  ctx.line('transfer-3');
  campaign(replica, ctx, term);
}
