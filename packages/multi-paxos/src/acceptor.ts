/** The acceptor: what it promises and what it accepts. One promise covers every slot (§3). */
import {
  type Ballot,
  ballotOwner,
  equalRequests,
  type Signed,
  sameDecision,
} from '@quorumlab/core';
import { mayAnswer, noteAnswer } from './answers.ts';
import { type Group, isKnown } from './group.ts';
import { heed, saveChosen } from './learner.ts';
import type { Accept, Heartbeat, Prepare } from './messages.ts';
import { reportOf } from './report.ts';
import { follow, recentContact, setElectionTimer, stepDown } from './role.ts';
import type { Context, Replica } from './state.ts';

/** Whether the message is of the one member that owns its ballot. All others lie. */
export const isOwner = (
  group: Group,
  { ballot, from }: Signed<Prepare | Accept | Heartbeat>,
): boolean => isKnown(group, from) && ballotOwner(ballot, group.members.length) === from;

/** Rule 6: tells whoever uses an old ballot that there is a newer one. */
function refuse(
  acceptor: Replica,
  { ballot, from }: Signed<Prepare | Accept | Heartbeat>,
  ctx: Context,
): void {
  if (!mayAnswer(ctx.group, acceptor, 'old-ballot', from, ctx.now)) return;
  noteAnswer(acceptor, 'old-ballot', from, ctx.now);
  ctx.line('nack');
  ctx.send(from, { kind: 'nack', ballot, promised: acceptor.promised });
}

/** Gives up lower ballots: others', and its own if it was a candidate or a leader. */
function adopt(acceptor: Replica, ballot: Ballot, ctx: Context): void {
  if (ballot === acceptor.promised) return;
  ctx.save({ promised: ballot });
  stepDown(acceptor, ctx);
  acceptor.leader = null;
}

/** Whoever hears a leader, or is one, does not help to replace it. To be silent is always safe. */
export const isLoyal = (
  group: Group,
  acceptor: Replica,
  from: number,
  ctx: Pick<Context, 'now'>,
): boolean =>
  acceptor.leader !== from &&
  (acceptor.role === 'leader' || recentContact(group, acceptor, ctx) !== undefined);

/** Phase 2b: takes the proposal over. False if it is the second one of its ballot for its slot. */
function accept(acceptor: Replica, message: Signed<Accept>, ctx: Context): boolean {
  const { ballot, slot, value } = message;
  const before = acceptor.accepted.get(slot);
  if (before?.ballot !== ballot) {
    ctx.line('phase-2b');
    ctx.put('accepted', slot, { ballot, value });
    acceptor.accepts.set(slot, message);
    return true;
  }
  if (sameDecision(before.value, value, equalRequests)) return true;
  // Only a liar proposes two values in one ballot. Not counting on honesty costs nothing here.
  const first = acceptor.accepts.get(slot);
  if (first !== undefined) {
    ctx.line('accuse');
    ctx.accuse(first, message);
  }
  return false;
}

/** Phase 1b: promises, and tells its votes. */
export function prepare(acceptor: Replica, message: Signed<Prepare>, ctx: Context): void {
  const { group } = ctx;
  const { ballot, fromSlot, from } = message;
  if (acceptor.role === 'rejoining' || !isOwner(group, message)) return;
  acceptor.heard = Math.max(acceptor.heard, ballot);
  if (ballot < acceptor.promised) return refuse(acceptor, message, ctx);
  const isNew = ballot > acceptor.promised;
  if (isNew && isLoyal(group, acceptor, from, ctx)) return ctx.line('loyal');
  // All votes may be much, and a ballot needs them once.
  const isRepeated = !isNew && from !== ctx.self;
  if (isRepeated && !mayAnswer(group, acceptor, 'prepare', from, ctx.now)) return;
  noteAnswer(acceptor, 'prepare', from, ctx.now);
  if (isNew) {
    adopt(acceptor, ballot, ctx);
    setElectionTimer(ctx); // Time for this candidate to become the leader.
  }
  ctx.line('phase-1b');
  for (const part of reportOf(group, acceptor, fromSlot))
    ctx.send(from, { kind: 'promise', ballot, ...part });
}

/** Phase 2b: accepts, and tells the leader. */
export function onAccept(acceptor: Replica, message: Signed<Accept>, ctx: Context): void {
  const { group } = ctx;
  const { ballot, slot, firstUnchosen, from } = message;
  if (acceptor.role === 'rejoining' || !isOwner(group, message)) return;
  if (ballot < acceptor.promised) return refuse(acceptor, message, ctx);
  adopt(acceptor, ballot, ctx);
  if (from !== ctx.self) follow(acceptor, from, ctx);
  // Chosen slots hold their value already; those too far ahead wait until it has caught up.
  const isAhead = slot >= acceptor.firstUnchosen + group.reach;
  if (slot >= acceptor.firstUnchosen && !isAhead && !accept(acceptor, message, ctx)) return;
  if (!isAhead) ctx.send(from, { kind: 'accepted', ballot, slot });
  if (from === ctx.self) return saveChosen(acceptor, ctx);
  heed(acceptor, ballot, firstUnchosen, from, ctx);
  if (!isAhead) saveChosen(acceptor, ctx);
}

/** A leader lives: the acceptor says whether it still follows it. */
export function heartbeat(acceptor: Replica, message: Signed<Heartbeat>, ctx: Context): void {
  const { ballot, round, firstUnchosen, from } = message;
  if (acceptor.role === 'rejoining' || from === ctx.self || !isOwner(ctx.group, message)) return;
  if (ballot < acceptor.promised) return refuse(acceptor, message, ctx);
  adopt(acceptor, ballot, ctx);
  follow(acceptor, from, ctx);
  ctx.line('heartbeat-ack');
  ctx.send(from, { kind: 'heartbeat-ack', ballot, round });
  heed(acceptor, ballot, firstUnchosen, from, ctx);
}
