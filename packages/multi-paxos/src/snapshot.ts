/**
 * Compaction: "Paxos Made Live", 5.5. The bytes of a snapshot are the service's business: it takes,
 * sends, checks and installs them. Here is what the log must remember about them.
 */
import { assert, type Digest, type Slot } from '@quorumlab/core';
import { resume } from './catch-up.ts';
import { type Configuration, decodeConfigurations, since } from './configuration.ts';
import { catchUp, isBehind } from './learner.ts';
import type { Group, PaxosContext, PaxosReplica } from './state.ts';

/** The application's state up to `slot` is durable with this step, so the log may lose its head. */
export function snapshotTaken(
  group: Group,
  replica: PaxosReplica,
  slot: Slot,
  digest: Digest,
  ctx: PaxosContext,
  configuration: Uint8Array | undefined,
): void {
  if (slot <= (replica.snapshot?.slot ?? -1)) return;
  assert(slot < replica.firstUnchosen, 'a snapshot of the future');
  ctx.line('snapshot-take');
  // As of `slot`: this step may have executed more already, and changed the group.
  const configurations = configurationsAfter(group, replica, slot, configuration);
  ctx.save({ snapshot: { slot, digest, configurations } });
  // The last slots stay, so that a replica a few slots behind needs no snapshot.
  const keptFrom = slot + 1 - group.keepSlots;
  if (keptFrom <= replica.keptFrom) return;
  ctx.drop('accepted', { below: keptFrom });
  ctx.save({ keptFrom });
}

/** The configurations that govern slots after `slot`, by what the snapshot at `slot` says. */
function configurationsAfter(
  group: Group,
  replica: PaxosReplica,
  slot: Slot,
  configuration: Uint8Array | undefined,
): readonly Configuration[] {
  if (configuration === undefined) return group.initial;
  // Only a liar's snapshot cannot be read; a member that trusts it has worse to fear.
  return since(decodeConfigurations(configuration) ?? replica.configurations, slot + 1);
}

/** The application's state is what the fetched snapshot holds, and durable with this step. */
export function snapshotInstalled(
  group: Group,
  replica: PaxosReplica,
  slot: Slot,
  digest: Digest,
  ctx: PaxosContext,
  configuration: Uint8Array | undefined,
): void {
  // Whatever was asked for since: the application is there now, so the log has to follow.
  const from = replica.fetching?.from;
  replica.fetching = null;
  // The log has caught up meanwhile; the service does not go back behind what it has applied.
  if (slot < replica.firstUnchosen) return;
  ctx.line('snapshot-install');
  const configurations = configurationsAfter(group, replica, slot, configuration);
  const firstUnchosen = slot + 1;
  // Votes above stay: they are not known to be chosen, and others may count on them.
  ctx.drop('accepted', { below: firstUnchosen });
  ctx.save({
    snapshot: { slot, digest, configurations },
    keptFrom: firstUnchosen,
    chosenBelow: firstUnchosen,
  });
  replica.firstUnchosen = firstUnchosen;
  replica.configurations = configurations;
  for (const slots of [replica.accepts, replica.reported, replica.open])
    for (const each of slots.keys()) if (each < firstUnchosen) slots.delete(each);
  resume(group, replica, ctx);
  if (isBehind(replica) && from !== undefined) catchUp(group, replica, from, ctx);
}
