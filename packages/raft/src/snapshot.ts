/**
 * Log compaction: §7 of the paper. The bytes of a snapshot are the service's business: it takes,
 * sends, checks and installs them. Here is what Raft must remember about them.
 */
import { assert, type Digest, keptBehindBytes, type Signed, type Slot } from '@quorumlab/core';
import { mayRefuse } from './answers.ts';
import type { Configuration } from './configuration.ts';
import type { Group } from './group.ts';
import { mayDropTo, replicateTo } from './leader.ts';
import { termAt } from './log.ts';
import { acquaintances, configurationOf, isPeer, noteSnapshot } from './members.ts';
import { entryBytes, type Index, type InstallSnapshot, type SnapshotReply } from './messages.ts';
import { caughtUp } from './rejoin.ts';
import { acknowledge, movesWindow } from './replication.ts';
import { type Context, mostFetched, type Replica, type SnapshotPoint } from './state.ts';
import { becomeFollower, updateTerm } from './term.ts';

/** The application's state up to `slot` is durable with this step, so the log may lose its head. */
export function snapshotTaken(
  replica: Replica,
  slot: Slot,
  digest: Digest,
  ctx: Context,
  configuration: Uint8Array | undefined,
): void {
  const { group } = ctx;
  const index = slot + 1;
  if (index <= (replica.snapshot?.index ?? 0)) return;
  const term = termAt(replica, index);
  assert(term !== undefined && index <= replica.lastApplied, 'a snapshot of the future');
  ctx.line('snapshot-take');
  ctx.save({ snapshot: { index, term, digest } });
  // As of `index`: more may be committed already, and the group another one.
  saveConfigured(replica, configurationOf(replica, index, configuration), ctx);
  // The last entries stay, so that a follower a few entries behind needs no snapshot.
  const last = mayDropTo(group, replica, behind(group, replica, index), ctx.now);
  if (last <= replica.compacted.index) return;
  const lastTerm = termAt(replica, last);
  assert(lastTerm !== undefined, 'an entry above the compacted ones is missing');
  ctx.drop('log', { below: last + 1 });
  ctx.save({ compacted: { index: last, term: lastTerm } });
}

/** A snapshot without its configuration would campaign by an older one after a restart. */
function saveConfigured(replica: Replica, configured: Configuration | null, ctx: Context): void {
  if (configured === null && replica.configured === null) return;
  ctx.line('snapshot-configuration');
  ctx.save({ configured });
}

/** The last entry that nobody needs who is only a little behind `index`, in number and in bytes. */
function behind(group: Group, { log, compacted }: Replica, index: Index): Index {
  let last = index;
  let bytes = 0;
  for (; last > compacted.index && index - last < group.keepEntries; last--) {
    bytes += entryBytes(log.get(last)?.command ?? null);
    if (bytes > keptBehindBytes) break;
  }
  return last;
}

/** The application's state is what the fetched snapshot holds, and durable with this step. */
export function snapshotInstalled(
  replica: Replica,
  slot: Slot,
  digest: Digest,
  ctx: Context,
  configuration: Uint8Array | undefined,
): void {
  const index = slot + 1;
  const told = replica.fetching.find((each) => each.index === index && each.digest === digest);
  if (told === undefined) return;
  const { term } = told;
  replica.fetching = replica.fetching.filter((each) => each.index > index);
  // The log has caught up meanwhile; the service does not go back behind what it has applied.
  if (index <= replica.commitIndex) return;
  if (termAt(replica, index) === term) {
    ctx.line('install-6');
    ctx.drop('log', { below: index + 1 });
  } else {
    ctx.line('install-7');
    ctx.drop('log', { from: 0 });
  }
  ctx.save({ snapshot: { index, term, digest }, compacted: { index, term } });
  const configured = configurationOf(replica, index, configuration);
  saveConfigured(replica, configured, ctx);
  noteSnapshot(ctx.group, replica, index, configured);
  replica.commitIndex = index;
  replica.lastApplied = index;
  caughtUp(replica, ctx);
  if (replica.leader !== null && replica.leader !== ctx.self)
    ctx.send(replica.leader, {
      kind: 'snapshot-reply',
      term: replica.currentTerm,
      lastIndex: index,
    });
}

/** InstallSnapshot of Figure 13: the service fetches the bytes. */
export function installSnapshot(
  follower: Replica,
  { term, lastIndex: index, lastTerm, digest, from }: Signed<InstallSnapshot>,
  ctx: Context,
): void {
  const { group } = ctx;
  if (!isPeer(from, ctx) || index === 0) return;
  updateTerm(follower, term, ctx);
  const reply = (lastIndex: number): void =>
    ctx.send(from, { kind: 'snapshot-reply', term: follower.currentTerm, lastIndex });
  if (term < follower.currentTerm) {
    if (!mayRefuse(group, follower, from, ctx.now)) return;
    follower.refusedAt.set(from, ctx.now);
    ctx.line('install-1');
    return reply(0);
  }
  if (follower.role === 'leader') return; // A term has one leader (§5.2); the sender lies.
  becomeFollower(follower, from, ctx);
  follower.lastContact = ctx.now;
  // A late snapshot must not take back what has been acknowledged since.
  if (index <= follower.commitIndex) return reply(index);
  const isTold = (each: SnapshotPoint): boolean => each.index === index && each.digest === digest;
  if (!follower.fetching.some(isTold)) ctx.line('install-5');
  const others = follower.fetching.filter((each) => !isTold(each));
  // An earlier one may be nearly here, and this one may be out of reach: whichever comes will do.
  follower.fetching = [...others, { index, term: lastTerm, digest }].slice(-mostFetched);
  // Equal logs give equal snapshots, so any other member may hold this one too.
  const rest = acquaintances(group, follower).filter((each) => each !== ctx.self && each !== from);
  ctx.fetchSnapshot(index - 1, digest, [from, ...rest]);
}

/** The follower is behind the snapshot, and goes on from there with entries. */
export function snapshotReply(
  leader: Replica,
  { term, lastIndex: index, from }: Signed<SnapshotReply>,
  ctx: Context,
): void {
  if (!isPeer(from, ctx)) return;
  updateTerm(leader, term, ctx);
  if (leader.role !== 'leader' || term !== leader.currentTerm) return;
  if (!movesWindow(leader, from, index)) return;
  acknowledge(leader, from, index, ctx);
  if (!leader.pipelines.has(from)) return; // It has left the group, or the leader has.
  replicateTo(leader, from, ctx);
}
