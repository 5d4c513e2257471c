/** The proposer's phase 2, slot after slot: §3, and how a new leader completes what it found. */
import {
  type Request,
  requestKey,
  requestWeight,
  type Signed,
  type Slot,
  uncommittedBytes,
} from '@quorumlab/core';
import { governing } from './configuration.ts';
import { type Group, isKnown, phasesAt } from './group.ts';
import { sendHeartbeats } from './heartbeat.ts';
import { executeNext, saveChosen } from './learner.ts';
import { noteGrant } from './lease.ts';
import { type Accepted, type HeartbeatAck, noOp, type Value } from './messages.ts';
import { isEstablished, isPrepared, prepare, prepareAgain } from './phase1.ts';
import { maybeAllowReads, maybeStartReadRound } from './read.ts';
import { stepDown } from './role.ts';
import { type Context, isMember, isPeer, type Open, type Replica } from './state.ts';

/** Whether there is room for the command among those that wait, and it is not there already. */
export const mayEnqueue = (
  { maxWaiting }: Group,
  { waiting, waitingBytes, waitingKeys }: Replica,
  command: Signed<Request>,
): boolean =>
  waiting.length < maxWaiting &&
  waitingBytes + requestWeight(command) <= uncommittedBytes &&
  !waitingKeys.has(requestKey(command));

/** A client's command: it gets a slot as soon as the window allows, and one only. */
export function enqueue(group: Group, leader: Replica, command: Signed<Request>): void {
  if (!mayEnqueue(group, leader, command) || isProposed(leader, command)) return;
  leader.waiting.push(command);
  leader.waitingKeys.add(requestKey(command));
  leader.waitingBytes += requestWeight(command);
}

/** Whether `command` has its slot: a client that is tired of waiting asks again. */
function isProposed({ open, reported, nextSlot }: Replica, command: Signed<Request>): boolean {
  const { client, sequence } = command;
  const holds = (value: Value): boolean =>
    value.some((each) => each.client === client && each.sequence === sequence);
  for (const { value } of open.values()) if (holds(value)) return true;
  // A late promise may report a vote at a slot that holds something else by now.
  for (const [slot, { value }] of reported) if (slot >= nextSlot && holds(value)) return true;
  return false;
}

/**
 * After every handler: goes on as far as it may, from candidate to leader, through what it found,
 * to new commands and reads.
 */
export function settle(leader: Replica, ctx: Context): void {
  execute(leader, ctx);
  maybeLeave(leader, ctx);
  if (leader.ballot === 0) return;
  if (leader.role === 'candidate' && !maybeLead(leader, ctx)) return;
  leader.nextSlot = Math.max(leader.nextSlot, leader.firstUnchosen);
  // What others taught to be chosen is open no more: it would take up the window for ever.
  for (const slots of [leader.open, leader.reported])
    for (const slot of slots.keys()) if (slot < leader.firstUnchosen) slots.delete(slot);
  // Rule 3: what some promise knows to be chosen is learnt, and never proposed again.
  if (leader.nextSlot >= leader.knownTo)
    while (leader.nextSlot < leader.firstUnchosen + ctx.group.alpha)
      if (!proposeNext(leader, leader.nextSlot, ctx)) break;
  maybeStartReadRound(leader, ctx);
}

/** Rule 4: phase 1 is done for the first unchosen slot, and what is chosen is known. */
function maybeLead(candidate: Replica, ctx: Context): boolean {
  const { group } = ctx;
  prepare(candidate, ctx);
  if (candidate.firstUnchosen < candidate.knownTo) return false;
  if (!isPrepared(group, candidate, candidate.firstUnchosen)) return false;
  ctx.line('lead');
  candidate.role = 'leader';
  candidate.leader = ctx.self;
  for (const member of group.members)
    if (member !== ctx.self)
      candidate.contacts.set(member, { heardAt: null, round: 0, grantedAt: null });
  ctx.clearTimer('election');
  ctx.setTimer('heartbeat', group.heartbeat);
  ctx.setTimer('check-quorum', group.electionTimeout);
  sendHeartbeats(candidate, ctx);
  return true;
}

/** Proposes at `slot` if there is something to propose and its group has promised. */
function proposeNext(leader: Replica, slot: Slot, ctx: Context): boolean {
  const { group } = ctx;
  const recovers = slot <= leader.recoverTo;
  const fills = slot < (leader.configurations.at(-1)?.fromSlot ?? 0);
  const hasRoom = fills || leader.open.size < group.pipeline;
  if (!recovers && !(hasRoom && (fills || leader.waiting.length > 0))) return false;
  if (!isPrepared(group, leader, slot)) {
    ctx.line('phase-1-each');
    prepare(leader, ctx);
    return false;
  }
  const value = recovers
    ? recovered(leader, slot, ctx)
    : (takeBatch(group, leader) ?? fill(fills, ctx));
  if (value === undefined) return false;
  propose(leader, slot, value, ctx);
  return true;
}

/** Rule 4: the reported value of the highest ballot, or a no-op where nobody has voted. */
function recovered(leader: Replica, slot: Slot, ctx: Context): Value {
  const found = leader.reported.get(slot);
  ctx.line(found === undefined ? 'fill-no-op' : 'propose-again');
  leader.reported.delete(slot);
  return found?.value ?? noOp;
}

/** A change takes effect α slots on: if nobody asks for anything, no-ops lead there. */
function fill(fills: boolean, ctx: Context): Value | undefined {
  if (fills) ctx.line('fill-alpha');
  return fills ? noOp : undefined;
}

/** As many waiting commands as one slot may hold. What comes while slots are open waits here. */
function takeBatch(group: Group, leader: Replica): Value | undefined {
  const { waiting } = leader;
  if (waiting.length === 0) return undefined;
  let bytes = 0;
  let count = 0;
  while (count < waiting.length && count < group.maxCommandsPerSlot) {
    const command = waiting[count] as Signed<Request>;
    const isChange = command.configuration !== undefined;
    const size = requestWeight(command);
    if (count > 0 && (isChange || bytes + size > group.maxBytesPerSlot)) break;
    // Rule 5: the group is not changed by a leader that does not know how it is.
    if (isChange && !isEstablished(group, leader)) return undefined;
    bytes += size;
    count += 1;
    if (isChange) break;
  }
  leader.waitingBytes -= bytes;
  for (let i = 0; i < count; i++) leader.waitingKeys.delete(requestKey(waiting[i] as Request));
  if (count < waiting.length) return waiting.splice(0, count);
  leader.waiting = [];
  return waiting;
}

/** Phase 2a at `slot`. */
function propose(leader: Replica, slot: Slot, value: Value, ctx: Context): void {
  ctx.line('phase-2a');
  leader.open.set(slot, { value, accepted: [], chosen: false, round: leader.round });
  leader.nextSlot = slot + 1;
  sendAccept(leader, slot, value, governing(leader.configurations, slot).members, ctx);
}

function sendAccept(
  leader: Replica,
  slot: Slot,
  value: Value,
  members: Iterable<number>,
  ctx: Context,
): void {
  const { ballot, firstUnchosen } = leader;
  const message = { kind: 'accept', ballot, slot, value, firstUnchosen } as const;
  for (const member of members) {
    // To itself it is a message like any other: it counts its own vote once that is durable.
    if (member === ctx.self) ctx.send(member, message);
    // May overtake the leader's own disk: the message promises nothing about it, and the ballot
    // is durable since phase 1, so after a crash it cannot propose anything else in it.
    else ctx.sendEarly(member, message);
  }
}

/** Rule 9: executes the slots that are chosen, in their order. */
function execute(leader: Replica, ctx: Context): void {
  const { ballot } = leader;
  for (;;) {
    const slot = leader.firstUnchosen;
    const open = leader.open.get(slot);
    if (open === undefined || !open.chosen) break;
    ctx.voters(open.accepted);
    // Whoever asks later must find it here, even where this leader is no member or is slow to vote.
    if (leader.accepted.get(slot)?.ballot !== ballot) {
      ctx.put('accepted', slot, { ballot, value: open.value });
      executeNext(leader, open.value, ctx);
      saveChosen(leader, ctx);
    } else executeNext(leader, open.value, ctx);
  }
}

/**
 * Whoever the group has left behind makes room; if it leads, it says for the last time what is
 * chosen. Its promises may have told it, or what it executed.
 */
function maybeLeave(leader: Replica, ctx: Context): void {
  if (leader.ballot === 0 || isMember(leader, ctx.self)) return;
  ctx.line('leave');
  if (leader.role === 'leader') sendHeartbeats(leader, ctx);
  stepDown(leader, ctx);
}

/** `upon heartbeat timeout`: a sign of life, and once more what seems to be lost. */
export function heartbeatTimeout(leader: Replica, ctx: Context): void {
  if (leader.role !== 'leader') return;
  ctx.setTimer('heartbeat', ctx.group.heartbeat);
  for (const [slot, open] of leader.open) if (!open.chosen) acceptAgain(leader, slot, open, ctx);
  prepareAgain(leader, ctx);
  sendHeartbeats(leader, ctx);
}

/**
 * A member that answered a later heartbeat than the Accept has lost it, or its answer is lost. One
 * that answers nothing gets heartbeats only, until it does.
 */
function acceptAgain(leader: Replica, slot: Slot, open: Open, ctx: Context): void {
  const { members } = governing(leader.configurations, slot);
  const missing = members.filter((member) => {
    const contact = leader.contacts.get(member);
    return contact !== undefined && contact.round > open.round && !open.accepted.includes(member);
  });
  if (missing.length === 0) return;
  open.round = leader.round + 1;
  sendAccept(leader, slot, open.value, missing, ctx);
}

/** A leader that no phase 2 quorum answers makes room: it can decide nothing anyway. */
export function checkQuorum(leader: Replica, ctx: Context): void {
  const { group } = ctx;
  if (leader.role !== 'leader') return;
  const heard = [ctx.self];
  for (const [member, { heardAt }] of leader.contacts)
    if (heardAt !== null && ctx.now - heardAt < group.electionTimeout) heard.push(member);
  if (phasesAt(group, leader, leader.firstUnchosen).phase2.has(heard))
    return ctx.setTimer('check-quorum', group.electionTimeout);
  ctx.line('check-quorum');
  stepDown(leader, ctx);
}

/** Whether a slot still needs this vote, or what its sender lacks no longer needs to stay. */
export function acceptedNews(
  { reach }: Group,
  leader: Replica,
  { ballot, slot, from }: Signed<Accepted>,
): boolean {
  if (leader.role !== 'leader' || ballot !== leader.ballot) return false;
  const open = leader.open.get(slot);
  if (open !== undefined && !open.chosen && !open.accepted.includes(from)) return true;
  return slot - reach >= (leader.learners.get(from)?.fromSlot ?? Number.POSITIVE_INFINITY);
}

/** Whether it answers a later heartbeat than its sender has answered so far. */
export const ackNews = (leader: Replica, { ballot, round, from }: Signed<HeartbeatAck>): boolean =>
  leader.role === 'leader' &&
  ballot === leader.ballot &&
  round <= leader.round &&
  round > (leader.contacts.get(from)?.round ?? Number.POSITIVE_INFINITY);

/** With the votes of a quorum for a slot its value is chosen. */
export function accepted(leader: Replica, message: Signed<Accepted>, ctx: Context): void {
  const { group } = ctx;
  const { slot, from } = message;
  if (!isKnown(group, from) || !acceptedNews(group, leader, message)) return;
  const contact = leader.contacts.get(from);
  if (contact !== undefined) contact.heardAt = ctx.now;
  // Nobody accepts what is further above its first unchosen slot: it has what is below.
  const needed = leader.learners.get(from)?.fromSlot ?? slot;
  if (slot - group.reach >= needed) leader.learners.delete(from);
  const open = leader.open.get(slot);
  if (open === undefined || open.chosen || open.accepted.includes(from)) return;
  open.accepted.push(from);
  if (!phasesAt(group, leader, slot).phase2.has(open.accepted)) return;
  ctx.line('chosen');
  open.chosen = true;
}

/** A member still follows: so many mean that the leader still leads. */
export function heartbeatAck(leader: Replica, message: Signed<HeartbeatAck>, ctx: Context): void {
  const { round, from } = message;
  if (!isPeer(from, ctx) || !ackNews(leader, message)) return;
  const contact = leader.contacts.get(from);
  if (contact === undefined) return;
  contact.heardAt = ctx.now;
  contact.round = round;
  noteGrant(leader, contact, ctx);
  maybeAllowReads(leader, ctx);
}

/** A client's command: its slot if this replica leads, or else it is passed on to who does. */
export function onPropose(replica: Replica, command: Signed<Request>, ctx: Context): void {
  if (replica.role === 'leader') return enqueue(ctx.group, replica, command);
  if (replica.leader === null) return;
  ctx.line('forward');
  ctx.send(replica.leader, { kind: 'forward', command });
}
