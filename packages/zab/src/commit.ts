/** Step ℓ.3.2: when a transaction is committed. */
import { committedIndex } from '@quorumlab/core';
import { sendTo } from './channel.ts';
import { deliver } from './delivery.ts';
import { isVoter } from './group.ts';
import { zxidAt } from './history.ts';
import { forget } from './proposals.ts';
import { maybeAllowReads } from './read.ts';
import type { Context, Replica } from './state.ts';

/** Everything up to `counter` is durable at `member`, whose epoch is this one, if it votes. */
export function acknowledge(leader: Replica, member: number, counter: number, ctx: Context): void {
  if (!isVoter(ctx.group, member) || counter <= (leader.acked.get(member) ?? 0)) return;
  leader.acked.set(member, counter);
  if (counter > leader.committed) maybeCommit(leader, ctx);
}

/** Step ℓ.3.2: what a quorum has, and all before it, is committed. */
function maybeCommit(leader: Replica, ctx: Context): void {
  const { group } = ctx;
  const { acked } = leader;
  const highest = committedIndex(group.quorum, acked) ?? 0;
  if (leader.phase !== 'broadcast' || highest <= leader.committed) return;
  ctx.line('l-3-2');
  ctx.voters([...acked.keys()].filter((id) => (acked.get(id) as number) >= highest));
  for (let counter = leader.committed + 1; counter <= highest; counter++)
    forget(leader, leader.history.get(counter)?.command ?? null);
  leader.committed = highest;
  deliver(leader, highest, ctx);
  const message = { kind: 'commit', epoch: leader.epoch, zxid: zxidAt(leader, highest) } as const;
  // What it says is on the disks of a quorum: it need not wait for this one.
  for (const [follower, { stage }] of leader.learners)
    if (!isVoter(group, follower)) sendTo(leader, follower, ctx);
    else if (stage === 'synced') ctx.sendEarly(follower, message);
  maybeAllowReads(leader, ctx);
}
