/**
 * Snapshots. The bytes of a state are the service's business: it takes, sends, checks and installs
 * them. Here is what Zab must remember about them.
 */
import { assert, type Digest, keptBehindBytes, type Signed, type Slot } from '@quorumlab/core';
import { mayDropTo } from './channel.ts';
import { caughtUp } from './credentials.ts';
import type { Group } from './group.ts';
import { holds, sameZxid, zxidAt } from './history.ts';
import { type Snap, transactionBytes } from './messages.ts';
import { type Context, mostFetched, type Replica, type SnapshotPoint } from './state.ts';
import { isOfLeader, report } from './synchronization.ts';

/** The state up to `slot` is durable with this step: the history may lose its head. */
export function snapshotTaken(replica: Replica, slot: Slot, digest: Digest, ctx: Context): void {
  const { group } = ctx;
  const counter = slot + 1;
  if (counter <= (replica.snapshot?.zxid.counter ?? 0)) return;
  assert(counter <= replica.delivered, 'a snapshot of the future');
  ctx.line('snapshot-take');
  ctx.save({ snapshot: { zxid: zxidAt(replica, counter), digest } });
  // The last transactions stay, so that a follower a little behind needs no snapshot.
  const last = mayDropTo(group, replica, behind(group, replica, counter), ctx.now);
  if (last <= replica.compacted.counter) return;
  const compacted = zxidAt(replica, last);
  ctx.drop('history', { below: last + 1 });
  ctx.save({ compacted });
}

/** The last transaction that nobody needs who is only a little behind, in number and in bytes. */
function behind(group: Group, { history, compacted }: Replica, counter: number): number {
  let last = counter;
  let bytes = 0;
  for (; last > compacted.counter && counter - last < group.keepTransactions; last--) {
    bytes += transactionBytes(history.get(last)?.command ?? null);
    if (bytes > keptBehindBytes) break;
  }
  return last;
}

/** SNAP: the service fetches the bytes. */
export function snap(follower: Replica, message: Signed<Snap>, ctx: Context): void {
  if (!isOfLeader(follower, message)) return;
  const { zxid, digest, from } = message;
  if (zxid.epoch > follower.epoch) return; // A state of the future; only a liar has it.
  follower.lastContact = ctx.now;
  // A late one must not take back what has been delivered since.
  if (zxid.counter <= follower.delivered) return report(follower, ctx);
  const isTold = (each: SnapshotPoint): boolean =>
    sameZxid(each.zxid, zxid) && each.digest === digest;
  if (!follower.fetching.some(isTold)) ctx.line('f-2-1-snap');
  const others = follower.fetching.filter((each) => !isTold(each));
  // An earlier one may be nearly here, and this one may be out of reach: whichever comes will do.
  follower.fetching = [...others, { zxid, digest }].slice(-mostFetched);
  // Equal histories give equal snapshots, so any other member may hold this one too.
  const rest = ctx.group.members.filter((each) => each !== ctx.self && each !== from);
  ctx.fetchSnapshot(zxid.counter - 1, digest, [from, ...rest]);
}

/** The application's state is what the fetched snapshot holds, and durable with this step. */
export function snapshotInstalled(
  replica: Replica,
  slot: Slot,
  digest: Digest,
  ctx: Context,
): void {
  const counter = slot + 1;
  const told = replica.fetching.find(
    (each) => each.zxid.counter === counter && each.digest === digest,
  );
  if (told === undefined) return;
  const { zxid } = told;
  replica.fetching = replica.fetching.filter((each) => each.zxid.counter > counter);
  // The history has caught up meanwhile; the service does not go back behind what was delivered.
  if (counter <= replica.delivered) return;
  ctx.line('f-2-1-installed');
  ctx.drop('history', holds(replica, zxid) ? { below: counter + 1 } : { from: 0 });
  ctx.save({ snapshot: { zxid, digest }, compacted: zxid });
  replica.delivered = counter;
  replica.committed = Math.max(replica.committed, counter);
  caughtUp(replica, ctx);
  if (replica.role === 'following' && replica.epoch > 0) report(replica, ctx);
}
