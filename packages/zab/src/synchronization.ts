/**
 * Phase 2, synchronization: the history of the new epoch becomes that of a quorum. Steps ℓ.2.1 to
 * f.2.2, and how a follower takes what its leader sends in order, which phase 3 has in common.
 */
import type { Signed } from '@quorumlab/core';
import { hear, moveWindow, sendTo } from './channel.ts';
import { acknowledge } from './commit.ts';
import { caughtUp, credentials } from './credentials.ts';
import { commitUpTo, deliver } from './delivery.ts';
import { type Group, isVoter } from './group.ts';
import { epochAt, holds, lastCounter, lastZxid, sameZxid, zxidAt } from './history.ts';
import type {
  AckLeader,
  CommitLeader,
  Diff,
  Inform,
  NewLeader,
  Ordered,
  Propose,
  Trunc,
} from './messages.ts';
import { type Context, isPeer, type Replica } from './state.ts';
/** Whether `from` leads the epoch in which this replica follows it. */
export const isOfLeader = (
  { role, leader, epoch }: Replica,
  message: { readonly from: number; readonly epoch: number },
): boolean =>
  role === 'following' && message.from === leader && epoch > 0 && message.epoch === epoch;

/** Whether this leads `epoch`. */
export const isLeaderOf = ({ role, epoch }: Replica, ofMessage: number): boolean =>
  role === 'leading' && epoch > 0 && ofMessage === epoch;

/** ACK-E: the epoch is promised, and this is where the history ends. */
export function acknowledgeEpoch(follower: Replica, ctx: Context): void {
  const { leader, epoch, beat } = follower;
  if (leader === null) return;
  const { currentEpoch, zxid } = credentials(ctx.group, follower);
  const held = lastZxid(follower);
  ctx.send(leader, {
    kind: 'ack-e',
    ...{ epoch, leader, currentEpoch, lastZxid: zxid, held, beat },
  });
}

/** Says where the follower stands: it has promised the epoch, made it current, or is in phase 3. */
export function report(follower: Replica, ctx: Context): void {
  const { leader, epoch, beat, phase } = follower;
  if (leader === null) return;
  if (follower.currentEpoch !== epoch) return acknowledgeEpoch(follower, ctx);
  const kind = phase === 'broadcast' ? 'ack' : 'ack-ld';
  ctx.send(leader, { kind, epoch, zxid: lastZxid(follower), beat });
}

/** Step ℓ.1.2 is done: the history of the epoch is the leader's, which goes to its followers. */
export function synchronize(leader: Replica, ctx: Context): void {
  leader.phase = 'synchronization';
  const { epoch } = leader;
  ctx.save({ currentEpoch: epoch });
  // Its own acknowledgement is a message too: it counts once the epoch is current on its disk.
  const zxid = lastZxid(leader);
  ctx.send(ctx.self, { kind: 'ack-ld', epoch, zxid, beat: leader.beat });
  for (const follower of leader.learners.keys()) sendTo(leader, follower, ctx);
}

/** TRUNC: what follows `to` was never committed, since it is not in the history of the epoch. */
export function trunc(follower: Replica, message: Signed<Trunc>, ctx: Context): void {
  if (!isOfLeader(follower, message)) return;
  follower.lastContact = ctx.now;
  const { to } = message;
  // A late one must not take back what has been acknowledged since.
  if (!mayCut(follower, message)) return;
  if (to.counter < lastCounter(follower)) {
    ctx.line('f-2-1-trunc');
    ctx.drop('history', { from: to.counter + 1 });
  }
  report(follower, ctx);
}

const mayCut = (follower: Replica, { epoch, to }: Trunc): boolean =>
  follower.currentEpoch !== epoch && to.counter >= follower.delivered && holds(follower, to);

/** DIFF, NEWLEADER and PROPOSE: taken in their order, whatever the network makes of it. */
export function ordered(follower: Replica, message: Signed<Ordered>, ctx: Context): void {
  if (!isOfLeader(follower, message) || !isForIts(follower, message)) return;
  follower.lastContact = ctx.now;
  if (!isNext(ctx.group, follower, message)) {
    keepEarly(follower, message, ctx);
    return report(follower, ctx);
  }
  take(follower, message, ctx);
  takeEarly(follower, ctx);
  caughtUp(follower, ctx);
  if (follower.phase === 'broadcast') commitUpTo(follower, follower.committed, ctx);
  report(follower, ctx);
}

/** PROPOSE is for voters, INFORM for observers. */
export const isForIts = ({ observes }: Replica, { kind }: Ordered): boolean =>
  kind !== (observes ? 'propose' : 'inform');

/** Whether it belongs where the history ends, or before; proposals only follow NEWLEADER. */
function isNext(group: Group, follower: Replica, message: Ordered): boolean {
  const { kind, epoch } = message;
  if ((kind === 'propose' || kind === 'inform') && follower.currentEpoch !== epoch) return false;
  return group.rules.follows(follower, message);
}

/** It came before what it follows. What is too much is asked for again by the next answer. */
function keepEarly(follower: Replica, message: Signed<Ordered>, ctx: Context): void {
  const { early } = follower;
  const { counter } = message.previous;
  if (counter < lastCounter(follower) || early.get(counter)?.kind === 'newleader') return;
  if (!early.has(counter) && early.size >= ctx.group.maxInFlight) return;
  ctx.line('f-3-2-early');
  early.set(counter, message);
}

function takeEarly(follower: Replica, ctx: Context): void {
  for (;;) {
    const end = lastCounter(follower);
    for (const counter of follower.early.keys()) if (counter < end) follower.early.delete(counter);
    const message = follower.early.get(end);
    if (message === undefined || !isNext(ctx.group, follower, message)) return;
    follower.early.delete(end);
    take(follower, message, ctx);
  }
}

function take(follower: Replica, message: Ordered, ctx: Context): void {
  switch (message.kind) {
    case 'diff':
      return takeDiff(follower, message, ctx);
    case 'newleader':
      return takeNewLeader(follower, message, ctx);
    case 'propose':
      return takeProposals(follower, message, ctx);
    case 'inform':
      return takeInformed(follower, message, ctx);
  }
}

function takeDiff(follower: Replica, message: Diff, ctx: Context): void {
  if (follower.currentEpoch === message.epoch) return;
  ctx.line('f-2-1-diff');
  append(follower, message, ctx);
  if (ctx.group.rules.isCurrentWithDiff(follower)) ctx.save({ currentEpoch: message.epoch });
}

/**
 * Step f.2.1: the history first, then the epoch, then ACK-LD. A step of the kernel is one write,
 * all or nothing; what it says waits for it. If the history does not end where that of the epoch
 * ends, something is to be cut off first.
 */
function takeNewLeader(follower: Replica, message: NewLeader, ctx: Context): void {
  const { epoch, previous, transactions } = message;
  append(follower, message, ctx);
  if (follower.currentEpoch === epoch) return noteCommitted(follower);
  const end = previous.counter + transactions.length;
  const last = { epoch: transactions.at(-1)?.epoch ?? previous.epoch, counter: end };
  if (!sameZxid(lastZxid(follower), last)) return;
  ctx.line('f-2-1');
  ctx.save({ currentEpoch: epoch });
}

/** Step f.3.2. */
function takeProposals(follower: Replica, message: Propose, ctx: Context): void {
  ctx.line('f-3-2');
  append(follower, message, ctx);
}

/** At an observer: the next that is committed. */
function takeInformed(follower: Replica, message: Inform, ctx: Context): void {
  ctx.line('informed');
  append(follower, message, ctx);
  noteCommitted(follower);
}

/** Once the epoch is current, all that an observer is told of is committed. */
function noteCommitted(follower: Replica): void {
  if (follower.observes) follower.committed = Math.max(follower.committed, lastCounter(follower));
}

/** Appends what is not there yet; nothing if that would undo something, as only a liar has it. */
function append(follower: Replica, { previous, transactions }: Ordered, ctx: Context): void {
  let { counter } = previous;
  for (const transaction of transactions) {
    counter += 1;
    if (counter <= follower.compacted.counter) continue;
    const epoch = epochAt(follower, counter);
    if (epoch === transaction.epoch) continue;
    // It has to be cut off first, by TRUNC.
    if (epoch !== undefined) return;
    // Epochs never fall along a history, and none is later than that of its leader.
    if (transaction.epoch < lastZxid(follower).epoch || transaction.epoch > follower.epoch) return;
    ctx.put('history', lastCounter(follower) + 1, transaction);
  }
}

/** ACK-LD at the leader. */
export function ackLeader(leader: Replica, message: Signed<AckLeader>, ctx: Context): void {
  const { group } = ctx;
  const { epoch, zxid, beat, from } = message;
  if (!isLeaderOf(leader, epoch) || zxid.counter > lastCounter(leader)) return;
  if (from !== ctx.self) {
    if (!isPeer(from, ctx) || !isLeaderNews(leader, message)) return;
    const learner = hear(leader, from, beat, ctx.now);
    if (learner.stage === 'joined') return;
    moveWindow(learner, zxid.counter, true);
    learner.stage = 'synced';
  }
  if (isVoter(group, from)) leader.synced.add(from);
  acknowledge(leader, from, zxid.counter, ctx);
  if (leader.phase === 'broadcast') welcome(leader, from, ctx);
  else if (group.quorum.has(leader.synced)) establish(leader, ctx);
  if (from !== ctx.self) sendTo(leader, from, ctx);
}

/** Whether it says more than what was said before, or is asked for by a later ping. */
export function isLeaderNews(leader: Replica, { zxid, beat, from }: Signed<AckLeader>): boolean {
  const learner = leader.learners.get(from);
  if (learner === undefined || learner.stage === 'joined' || beat > leader.beat) return false;
  if (beat > learner.answeredBeat || learner.stage !== 'synced') return true;
  return zxid.counter > learner.held;
}

/** Step ℓ.2.2: the epoch is established, and all of its history committed. */
function establish(leader: Replica, ctx: Context): void {
  ctx.line('l-2-2');
  ctx.voters([...leader.synced]);
  leader.phase = 'broadcast';
  leader.committed = lastCounter(leader);
  deliver(leader, leader.committed, ctx);
  for (const [follower, { stage }] of leader.learners)
    if (stage === 'synced') sendCommitLeader(leader, follower, ctx);
}

/** Step ℓ.3.4: what is committed by now, not what was when NEWLEADER was sent. */
function welcome(leader: Replica, follower: number, ctx: Context): void {
  if (follower === ctx.self) return;
  ctx.line('l-3-4');
  sendCommitLeader(leader, follower, ctx);
}

const sendCommitLeader = (leader: Replica, follower: number, ctx: Context): void =>
  ctx.send(follower, {
    kind: 'commit-ld',
    epoch: leader.epoch,
    zxid: zxidAt(leader, leader.committed),
  });

/** Step f.2.2. */
export function commitLeader(follower: Replica, message: Signed<CommitLeader>, ctx: Context): void {
  if (!isOfLeader(follower, message)) return;
  follower.lastContact = ctx.now;
  if (follower.currentEpoch !== message.epoch || follower.phase === 'broadcast') return;
  ctx.line('f-2-2');
  follower.phase = 'broadcast';
  commitUpTo(follower, message.zxid.counter, ctx);
}
