/**
 * Compaction: "Paxos Made Live", 5.5. The bytes of a snapshot are the service's business: it takes,
 * sends, checks and installs them. Here is what the log must remember about them.
 */
import { assert, type Digest, type Instant, keptBehindBytes, type Slot } from '@quorumlab/core';
import { resume } from './catch-up.ts';
import { type Configuration, decodeConfigurations, since } from './configuration.ts';
import type { Group } from './group.ts';
import { catchUp, isBehind } from './learner.ts';
import { noOp, voteBytes } from './messages.ts';
import type { Context, Replica } from './state.ts';

/** Most that is kept behind a snapshot for members that need it. */
const mostKept = { slots: 65_536, bytes: 64 << 20 };
/** Who catches up asks once in an election timeout; after so many without a word it is gone. */
const learnerPatience = 4;

/** The application's state up to `slot` is durable with this step, so the log may lose its head. */
export function snapshotTaken(
  replica: Replica,
  slot: Slot,
  digest: Digest,
  ctx: Context,
  configuration: Uint8Array | undefined,
): void {
  const { group } = ctx;
  if (slot <= (replica.snapshot?.slot ?? -1)) return;
  assert(slot < replica.firstUnchosen, 'a snapshot of the future');
  ctx.line('snapshot-take');
  // As of `slot`: this step may have executed more already, and changed the group.
  const configurations = configurationsAfter(group, replica, slot, configuration);
  ctx.save({ snapshot: { slot, digest, configurations } });
  // The last slots stay, so that a replica a few slots behind needs no snapshot.
  const keptFrom = neededFrom(group, replica, behind(group, replica, slot + 1), ctx.now);
  if (keptFrom <= replica.keptFrom) return;
  ctx.drop('accepted', { below: keptFrom });
  ctx.save({ keptFrom });
}

/** The first slot that stays for whoever is only a little behind `next`, in number and in bytes. */
function behind(group: Group, { accepted, keptFrom }: Replica, next: Slot): Slot {
  let first = next;
  let bytes = 0;
  for (; first > keptFrom && next - first < group.keepSlots; first--) {
    bytes += voteBytes(accepted.get(first - 1)?.value ?? noOp);
    if (bytes > keptBehindBytes) break;
  }
  return first;
}

/**
 * The first slot that must stay, up to `slot`: what members that are catching up still need stays,
 * in particular what comes after a snapshot that one of them is fetching. Without it each snapshot
 * would be too old when it has come, and the next one too. What would be too much does not stay.
 */
function neededFrom(group: Group, replica: Replica, slot: Slot, now: Instant): Slot {
  let first = slot;
  for (const [member, { fromSlot, at }] of replica.learners)
    if (now - at > learnerPatience * group.electionTimeout || isTooMuch(replica, fromSlot))
      replica.learners.delete(member);
    else if (fromSlot >= replica.keptFrom) first = Math.min(first, fromSlot);
  return first;
}

/** Whether the slots from `first` on are too many to keep for one member. */
function isTooMuch(replica: Replica, first: Slot): boolean {
  if (replica.firstUnchosen - first > mostKept.slots) return true;
  let bytes = 0;
  for (let slot = first; slot < replica.firstUnchosen && bytes <= mostKept.bytes; slot++)
    bytes += voteBytes(replica.accepted.get(slot)?.value ?? noOp);
  return bytes > mostKept.bytes;
}

/** The configurations that govern slots after `slot`, by what the snapshot at `slot` says. */
function configurationsAfter(
  group: Group,
  replica: Replica,
  slot: Slot,
  configuration: Uint8Array | undefined,
): readonly Configuration[] {
  if (configuration === undefined) return group.initial;
  // Only a liar's snapshot cannot be read; a member that trusts it has worse to fear.
  return since(decodeConfigurations(configuration) ?? replica.configurations, slot + 1);
}

/** The application's state is what the fetched snapshot holds, and durable with this step. */
export function snapshotInstalled(
  replica: Replica,
  slot: Slot,
  digest: Digest,
  ctx: Context,
  configuration: Uint8Array | undefined,
): void {
  // Whatever was asked for since: the application is there now, so the log has to follow.
  const from = replica.fetching?.from;
  replica.fetching = null;
  // The log has caught up meanwhile; the service does not go back behind what it has applied.
  if (slot < replica.firstUnchosen) return;
  ctx.line('snapshot-install');
  const configurations = configurationsAfter(ctx.group, replica, slot, configuration);
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
  resume(replica, ctx);
  if (isBehind(replica) && from !== undefined) catchUp(replica, from, ctx);
}
