/**
 * The channel from a leader to each of its followers. Zab builds on channels that lose nothing and
 * keep the order; hosts of this kernel promise neither. So each message says which transaction it
 * follows, a follower takes it only there, and what a later ping shows to be lost is sent again.
 */
import { assert, type Instant, type ReplicaId } from '@quorumlab/core';
import { type Group, isVoter } from './group.ts';
import { epochAt, holds, lastCounter, lastUpTo, zxidAt } from './history.ts';
import { type Ordered, type Transaction, transactionBytes, type Zxid } from './messages.ts';
import type { Context, Learner, Replica } from './state.ts';

/** Most that is kept behind a snapshot for followers that need it. */
const mostKept = { transactions: 65_536, bytes: 64 << 20 };

/** A follower that has sent its first CEPOCH. */
const newLearner = (now: Instant): Learner => ({
  stage: 'joined',
  next: 0,
  cut: null,
  held: 0,
  probing: true,
  inFlight: [],
  heardAt: now,
  answeredBeat: 0,
  toldSnapshot: 0,
});

/** Notes that `from` follows this leader and has answered the ping `beat`. */
export function hear(leader: Replica, from: ReplicaId, beat: number, now: Instant): Learner {
  const learner = leader.learners.get(from) ?? newLearner(now);
  leader.learners.set(from, learner);
  learner.heardAt = now;
  // Nobody can have heard a ping that is still to come.
  if (beat <= leader.beat) learner.answeredBeat = Math.max(learner.answeredBeat, beat);
  return learner;
}

/** Its history ends at `held`: it is told anew from there on, or from where both histories part. */
export function turnTo(leader: Replica, learner: Learner, held: Zxid): void {
  learner.stage = 'promised';
  learner.inFlight.length = 0;
  learner.probing = false;
  learner.cut = null;
  learner.held = held.counter;
  learner.next = held.counter + 1;
  if (holds(leader, held)) return;
  learner.held = 0;
  // What both share ends before `held`. If that is no more in this history: it gets a state.
  const last = held.counter - 1;
  const cut = last < leader.compacted.counter ? -1 : lastUpTo(leader, { ...held, counter: last });
  if (cut < 0 || (epochAt(leader, cut) as number) > held.epoch) learner.next = 0;
  else learner.cut = zxidAt(leader, cut);
}

/**
 * Its history is equal to the leader's up to `counter`, and durable; `isCurrent`: so is its epoch.
 */
export function moveWindow(learner: Learner, counter: number, isCurrent: boolean): void {
  const { inFlight } = learner;
  learner.held = Math.max(learner.held, counter);
  if (counter >= learner.toldSnapshot) learner.toldSnapshot = 0;
  if (counter >= learner.next) learner.next = counter + 1;
  if (counter >= learner.next - 1) learner.probing = false;
  for (let [first] = inFlight; first !== undefined && first.last <= counter; [first] = inFlight) {
    if (first.isNewLeader && !isCurrent) return;
    inFlight.shift();
  }
}

/** Whether what was sent longest ago has been lost: a later ping was answered without it. */
export const isLost = ({ inFlight: [oldest], answeredBeat }: Learner): boolean =>
  oldest !== undefined && oldest.beat < answeredBeat;

/** What seems to be lost is sent again, one message at a time until one of them is answered. */
export function backUpIfLost(learner: Learner, ctx: Context): void {
  if (!isLost(learner)) return;
  ctx.line('again');
  learner.inFlight.length = 0;
  learner.probing = true;
  if (learner.stage === 'told') learner.stage = 'promised';
  if (learner.cut === null) learner.next = learner.held + 1;
}

/** Sends a follower what it lacks, as far as its window is open. */
export function sendTo(leader: Replica, follower: ReplicaId, ctx: Context): void {
  const { group } = ctx;
  const learner = leader.learners.get(follower);
  assert(learner !== undefined, 'only who has sent CEPOCH is sent anything');
  if (leader.phase === 'discovery' || learner.stage === 'joined') return;
  const votes = isVoter(group, follower);
  const end = votes ? lastCounter(leader) : group.rules.informedUpTo(leader);
  const { inFlight } = learner;
  while (inFlight.length < (learner.probing ? 1 : group.maxInFlight)) {
    if (learner.cut !== null) return sendTrunc(leader, follower, learner, learner.cut, ctx);
    if (learner.next <= leader.compacted.counter) return sendSnap(leader, follower, learner, ctx);
    if (learner.stage === 'promised') sendHistory(leader, follower, learner, end, ctx);
    else if (learner.next > end || !group.rules.isProposedTo(learner)) return;
    else sendNext(leader, follower, learner, end, ctx);
  }
}

function sendTrunc(
  leader: Replica,
  follower: ReplicaId,
  learner: Learner,
  to: Zxid,
  ctx: Context,
): void {
  if (learner.inFlight.length > 0) return;
  ctx.line('trunc');
  ctx.send(follower, { kind: 'trunc', epoch: leader.epoch, to });
  learner.inFlight.push({ last: to.counter, beat: leader.beat, isNewLeader: false });
}

function sendSnap(leader: Replica, follower: ReplicaId, learner: Learner, ctx: Context): void {
  const { snapshot, epoch } = leader;
  assert(snapshot !== null, 'transactions were dropped without a snapshot');
  if (learner.inFlight.length > 0) return;
  ctx.line('snap');
  const { zxid, digest } = snapshot;
  ctx.send(follower, { kind: 'snap', epoch, zxid, digest });
  if (learner.toldSnapshot === 0) learner.toldSnapshot = zxid.counter;
  learner.inFlight.push({ last: zxid.counter, beat: leader.beat, isNewLeader: false });
}

/** Step ℓ.2.1: what is left of the history goes with NEWLEADER, if it fits. */
function sendHistory(
  leader: Replica,
  follower: ReplicaId,
  learner: Learner,
  end: number,
  ctx: Context,
): void {
  const message = from(ctx.group, leader, learner.next, end);
  const last = learner.next - 1 + message.transactions.length;
  if (last < end) {
    ctx.line('diff');
    ctx.send(follower, { kind: 'diff', ...message });
  } else {
    ctx.line('l-2-1');
    learner.stage = 'told';
    ctx.send(follower, { kind: 'newleader', ...message });
  }
  sent(leader, learner, last, learner.stage === 'told');
}

function sendNext(
  leader: Replica,
  follower: ReplicaId,
  learner: Learner,
  end: number,
  ctx: Context,
): void {
  const { group } = ctx;
  const message = from(group, leader, learner.next, end);
  const kind = isVoter(group, follower) ? 'propose' : 'inform';
  if (kind === 'inform') ctx.line('inform');
  // May overtake the leader's own disk: it says nothing about it. The leader counts itself once its
  // write is durable, and if a crash takes that write, it cannot lead this epoch again. What
  // observers are told of is on the disks of a quorum.
  ctx.sendEarly(follower, { kind, ...message });
  sent(leader, learner, learner.next - 1 + message.transactions.length, false);
}

function sent(leader: Replica, learner: Learner, last: number, isNewLeader: boolean): void {
  learner.inFlight.push({ last, beat: leader.beat, isNewLeader });
  learner.next = last + 1;
}

/** The transactions from `next` to `last`, as many as fit into one message. */
function from(group: Group, leader: Replica, next: number, last: number): Omit<Ordered, 'kind'> {
  const transactions: Transaction[] = [];
  const end = Math.min(last + 1, next + group.maxPerMessage);
  let size = 0;
  for (let counter = next; counter < end; counter++) {
    const transaction = leader.history.get(counter) as Transaction;
    size += transactionBytes(transaction.command);
    if (size > group.maxBytesPerMessage && transactions.length > 0) break;
    transactions.push(transaction);
  }
  return { epoch: leader.epoch, previous: zxidAt(leader, next - 1), transactions };
}

/** A new round of signs of life. Each is answered by where its follower stands. */
export function sendPings(leader: Replica, ctx: Context): void {
  ctx.line('ping');
  leader.beat += 1;
  const { epoch, beat, committed } = leader;
  const zxid = { epoch: epochAt(leader, committed) ?? 0, counter: committed };
  // They carry nothing that a disk must hold.
  for (const follower of leader.learners.keys())
    ctx.sendEarly(follower, { kind: 'ping', epoch, beat, zxid });
}

/**
 * The last transaction that may be dropped, up to `counter`: what followers that answer still need
 * stays, in particular what comes after a snapshot that one of them is fetching. Without it each
 * snapshot would be too old when it has come, and the next one too. What would be too much does not
 * stay.
 */
export function mayDropTo(group: Group, leader: Replica, counter: number, now: Instant): number {
  let last = counter;
  for (const learner of leader.learners.values()) {
    if (now - learner.heardAt >= group.electionTimeout) continue;
    // A follower that needs a snapshot, and was told of none, is told of one that is still to come.
    const needed = Math.max(learner.held, learner.toldSnapshot);
    if (needed < leader.compacted.counter || needed >= last) continue;
    if (isTooMuch(leader, needed)) learner.toldSnapshot = 0;
    else last = needed;
  }
  return last;
}

/** Whether the transactions behind `counter` are too many to keep for one follower. */
function isTooMuch(leader: Replica, counter: number): boolean {
  const end = lastCounter(leader);
  if (end - counter > mostKept.transactions) return true;
  let bytes = 0;
  for (let each = counter + 1; each <= end && bytes <= mostKept.bytes; each++)
    bytes += transactionBytes(leader.history.get(each)?.command ?? null);
  return bytes > mostKept.bytes;
}
