/** The learner: executes what is chosen in the order of slots, and asks for what it lacks. */
import { assert, type Ballot, type Configured, type ReplicaId, type Slot } from '@quorumlab/core';
import { encodeConfigurations, execute, since } from './configuration.ts';
import type { Value, Vote } from './messages.ts';
import { acquaintances, type Context, type Replica } from './state.ts';

/** The first unchosen slot is chosen to hold `value`: execute it (rule 9). */
export function executeNext(replica: Replica, value: Value, ctx: Context): void {
  const slot = replica.firstUnchosen;
  ctx.line('execute');
  replica.firstUnchosen = slot + 1;
  replica.accepts.delete(slot);
  replica.open.delete(slot);
  if (replica.configurations.length > 1)
    replica.configurations = since(replica.configurations, slot + 1);
  // A leader gives a change of the group a slot for itself; in other company it has no effect.
  const change = value.length === 1 ? value[0]?.configuration : undefined;
  if (change === undefined) ctx.decide(slot, value);
  else ctx.decide(slot, value, undefined, configure(replica, slot, change, ctx));
}

/** §3: the members are part of the state that commands change. */
function configure(replica: Replica, slot: Slot, change: Uint8Array, ctx: Context): Configured {
  const { configurations, refusal } = execute(ctx.group, replica.configurations, slot, change);
  const state = encodeConfigurations(configurations);
  if (refusal !== undefined) {
    ctx.line('refuse-change');
    return { state, refusal };
  }
  ctx.line('change');
  replica.configurations = configurations;
  return { state };
}

/** Takes over the chosen value of the first unchosen slot, whoever told it. */
export function learn(replica: Replica, vote: Vote, ctx: Context): void {
  // Others may ask for it now, and a restart must find it: it takes the place of an older vote.
  ctx.put('accepted', replica.firstUnchosen, { ballot: vote.ballot, value: vote.value });
  executeNext(replica, vote.value, ctx);
}

/** Writes down how much is chosen. Only in steps that write anyway: nobody waits for it. */
export function saveChosen(replica: Replica, ctx: Context): void {
  if (replica.firstUnchosen > replica.chosenBelow) ctx.save({ chosenBelow: replica.firstUnchosen });
}

/** Rule 10: executes what the leader says is chosen, as far as the own votes are of its ballot. */
export function advance(replica: Replica, ctx: Context): void {
  const { notice } = replica;
  while (replica.firstUnchosen < notice.firstUnchosen) {
    const vote = replica.accepted.get(replica.firstUnchosen);
    if (vote === undefined || !ctx.group.rules.isChosen(vote, notice)) return;
    ctx.line('learn-by-ballot');
    executeNext(replica, vote.value, ctx);
  }
}

/** The leader of `ballot` says that everything below `firstUnchosen` is chosen. */
export function heed(
  replica: Replica,
  ballot: Ballot,
  firstUnchosen: Slot,
  from: ReplicaId,
  ctx: Context,
): void {
  const { notice } = replica;
  if (ballot > notice.ballot || firstUnchosen > notice.firstUnchosen)
    replica.notice = { ballot, firstUnchosen };
  advance(replica, ctx);
  // What is missing is mostly on its way; ask for it only if it does not come (rule 11).
  if (!isBehind(replica)) return caughtUp(replica, ctx);
  if (replica.teacher !== null) return;
  replica.teacher = from;
  replica.lastTeacher = from;
  ctx.setTimer('catch-up', ctx.group.heartbeat);
}

/** Up to where others are known to know what is chosen. */
const goal = ({ notice, knownTo }: Replica): Slot => Math.max(notice.firstUnchosen, knownTo);

/** Whether slots are known to be chosen whose values this replica does not know. */
export const isBehind = (replica: Replica): boolean => replica.firstUnchosen < goal(replica);

/** Asks `teacher` what was chosen, and again if it does not answer. */
export function catchUp(replica: Replica, teacher: ReplicaId, ctx: Context): void {
  assert(teacher !== ctx.self, 'a replica cannot learn from itself');
  ctx.line('catch-up');
  replica.teacher = teacher;
  replica.lastTeacher = teacher;
  ctx.send(teacher, { kind: 'catch-up', fromSlot: replica.firstUnchosen });
  ctx.setTimer('catch-up', ctx.group.electionTimeout);
}

/** `upon catch-up timeout`: what is missing has not come by itself, or the answer was lost. */
export function catchUpTimeout(replica: Replica, ctx: Context): void {
  const { teacher, leader } = replica;
  if (teacher === null) return;
  replica.teacher = null;
  if (!isBehind(replica)) return;
  // Where there is no leader the others are asked in turn: whoever knew may be gone.
  const known = leader === ctx.self ? null : leader;
  catchUp(replica, known ?? nextTeacher(replica, ctx), ctx);
}

/** The other replica whose turn it is to be asked. */
function nextTeacher(replica: Replica, ctx: Context): ReplicaId {
  const others = acquaintances(ctx.group.known, replica).filter((id) => id !== ctx.self);
  return others.find((id) => id > replica.lastTeacher) ?? (others[0] as ReplicaId);
}

/**
 * Nobody leads, as far as a replica that is no member knows. It may have become one in what was
 * chosen without it, and whoever chose that need not be a member any more: then nobody else would
 * ever tell it.
 */
export function inquire(replica: Replica, ctx: Context): void {
  if (replica.teacher === null) catchUp(replica, nextTeacher(replica, ctx), ctx);
}

/** Nothing is missing any more, as far as is known. */
export function caughtUp(replica: Replica, ctx: Context): void {
  if (replica.teacher === null || isBehind(replica)) return;
  replica.teacher = null;
  ctx.clearTimer('catch-up');
}

/** The application has the snapshot only: what the disk knows to be chosen runs again. */
export function resumeFromDisk(replica: Replica, ctx: Context): void {
  while (replica.firstUnchosen < replica.chosenBelow) {
    const vote = replica.accepted.get(replica.firstUnchosen);
    assert(vote !== undefined, 'the disk has lost the value of a slot that it knows to be chosen');
    executeNext(replica, vote.value, ctx);
  }
}
