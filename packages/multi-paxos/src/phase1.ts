/** The proposer's phase 1, once for all slots that are not known to be chosen: §3. */
import type { ReplicaId, Slot } from '@quorumlab/core';
import { governing } from './configuration.ts';
import type { Group } from './group.ts';
import { isComplete } from './report.ts';
import { type Context, electorate, type Replica } from './state.ts';

/** Rule 2: asks every member of every configuration that governs an unchosen slot, itself too. */
export function prepare(replica: Replica, ctx: Context): void {
  for (const member of electorate(replica))
    if (!replica.asked.has(member)) ask(replica, member, ctx);
}

function ask(replica: Replica, member: ReplicaId, ctx: Context): void {
  ctx.line('phase-1a');
  replica.asked.add(member);
  const { ballot, firstUnchosen: fromSlot } = replica;
  ctx.send(member, { kind: 'prepare', ballot, fromSlot });
}

/** A leader that waits for the promises of a new group asks again whoever has not answered. */
export function prepareAgain(leader: Replica, ctx: Context): void {
  if (isPreparedForAll(ctx.group, leader)) return;
  ctx.line('phase-1-each');
  for (const member of electorate(leader)) {
    const report = leader.promises.get(member);
    if (report === undefined || !isComplete(report)) ask(leader, member, ctx);
  }
}

/**
 * Whether it may propose at `slot`: a phase 1 quorum of the configuration that governs the slot has
 * promised, and told of all its votes there.
 */
export function isPrepared(group: Group, replica: Replica, slot: Slot): boolean {
  const configuration = governing(replica.configurations, slot);
  // Promises are never taken back while the ballot lasts, and later slots are covered too.
  if (replica.prepared === configuration) return true;
  const promised: ReplicaId[] = [];
  for (const [member, report] of replica.promises)
    if (isComplete(report) && report.fromSlot <= slot) promised.push(member);
  if (!group.phasesOf(configuration).phase1.has(promised)) return false;
  replica.prepared = configuration;
  return true;
}

/** Whether it may propose anywhere: each of several configurations has to promise (membership). */
const isPreparedForAll = (group: Group, replica: Replica): boolean =>
  replica.configurations.every(({ fromSlot }) =>
    isPrepared(group, replica, Math.max(fromSlot, replica.firstUnchosen)),
  );

/**
 * Rule 5: every slot that an earlier leader may have decided is known to be chosen. Until then
 * this one cannot tell how new its state is.
 */
export const isEstablished = (group: Group, leader: Replica): boolean =>
  leader.role === 'leader' &&
  leader.firstUnchosen > leader.recoverTo &&
  leader.firstUnchosen >= leader.knownTo &&
  isPreparedForAll(group, leader);
