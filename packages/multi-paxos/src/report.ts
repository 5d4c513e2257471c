/**
 * What a replica tells of its votes: in a promise to a candidate, and to a member that lost its
 * disk. In parts of bounded size, of which all must be there before the report counts.
 */
import type { Ballot, ReplicaId, Slot } from '@quorumlab/core';
import type { Group } from './group.ts';
import { type ReportPart, type SlotVote, type Vote, voteBytes, votesLimit } from './messages.ts';
import type { Replica, Report } from './state.ts';

/**
 * All votes from `fromSlot` on, in parts. What was chosen long ago is left out, because it may be
 * much and part of it dropped: whoever lacks it gets it as any replica does that has fallen behind.
 */
export function reportOf(
  group: Group,
  replica: Replica,
  fromSlot: Slot,
  voteAt: (slot: Slot) => Vote | undefined = (slot) => replica.accepted.get(slot),
): ReportPart[] {
  const { firstUnchosen, keptFrom } = replica;
  const start = Math.max(fromSlot, keptFrom, firstUnchosen - group.reach);
  const chunks: SlotVote[][] = [[]];
  let size = 0;
  for (let slot = start; slot < firstUnchosen + group.reach; slot++) {
    const vote = voteAt(slot);
    if (vote === undefined) continue;
    const bytes = voteBytes(vote.value);
    const last = chunks.at(-1) as SlotVote[];
    if (last.length > 0 && (size + bytes > group.maxBytesPerSlot || last.length === votesLimit)) {
      chunks.push([]);
      size = 0;
    }
    size += bytes;
    (chunks.at(-1) as SlotVote[]).push({ slot, ballot: vote.ballot, value: vote.value });
  }
  const parts = chunks.length;
  return chunks.map((votes, part) => ({ fromSlot: start, firstUnchosen, part, parts, votes }));
}

/**
 * Whether an honest member could have sent this part to a replica that asked for votes up to
 * `ballot`. What follows from it is bounded: an acceptor accepts no more than `reach` slots ahead.
 */
function isSound(
  group: Group,
  { fromSlot, firstUnchosen, part, parts, votes }: ReportPart,
  ballot: Ballot,
): boolean {
  const end = firstUnchosen + group.reach;
  if (part >= parts || parts > 2 * group.reach + 1) return false;
  if (firstUnchosen - fromSlot > group.reach) return false;
  return votes.every((vote) => vote.slot >= fromSlot && vote.slot < end && vote.ballot <= ballot);
}

/** Whether the report of `from` still lacks this part, or it begins a newer one. */
export function isOfUse(
  group: Group,
  reports: ReadonlyMap<ReplicaId, Report>,
  from: ReplicaId,
  message: ReportPart,
  ballot: Ballot,
): boolean {
  if (!isSound(group, message, ballot)) return false;
  const report = reports.get(from);
  if (report === undefined || isNewer(report, message)) return true;
  // Parts of different reports must not be mixed: between them the sender may have voted.
  const { fromSlot, firstUnchosen, part, parts } = message;
  if (report.fromSlot !== fromSlot || report.firstUnchosen !== firstUnchosen) return false;
  return report.parts === parts && !report.received.has(part);
}

/** What was lost of an earlier answer never comes; a newer one says as much and more. */
const isNewer = (report: Report, { firstUnchosen }: ReportPart): boolean =>
  !isComplete(report) && firstUnchosen > report.firstUnchosen;

/** Adds one part. True if it was the last one missing: now the report of `from` counts. */
export function collect(
  group: Group,
  replica: Replica,
  reports: Map<ReplicaId, Report>,
  from: ReplicaId,
  message: ReportPart,
  ballot: Ballot,
): boolean {
  if (!isOfUse(group, reports, from, message, ballot)) return false;
  const { fromSlot, firstUnchosen, part, parts } = message;
  let report = reports.get(from);
  if (report === undefined || isNewer(report, message)) {
    report = { fromSlot, firstUnchosen, parts, received: new Set() };
    reports.set(from, report);
  }
  report.received.add(part);
  for (const vote of message.votes) merge(group, replica, vote, vote.slot < firstUnchosen);
  if (!isComplete(report)) return false;
  replica.knownTo = Math.max(replica.knownTo, firstUnchosen);
  return true;
}

/** §2.2, phase 2a: of all votes for a slot the one of the highest ballot counts. */
function merge(group: Group, replica: Replica, vote: SlotVote, chosen: boolean): void {
  const { slot, ballot, value } = vote;
  if (slot < replica.firstUnchosen || !group.rules.counts(replica, vote)) return;
  replica.recoverTo = Math.max(replica.recoverTo, slot);
  const best = replica.reported.get(slot);
  if (best === undefined || chosen || (!best.chosen && group.rules.outranks(vote, best)))
    replica.reported.set(slot, { ballot, value, chosen });
}

/** Whether all parts of a report are here. */
export const isComplete = ({ parts, received }: Report): boolean => received.size === parts;
