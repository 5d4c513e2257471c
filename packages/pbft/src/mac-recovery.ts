/** How replicas with MACs catch up: by what f+1 others say. See `recovery.ts`. */
import { acceptable, type Digest, type Signed } from '@quorumlab/core';
import { digestOf } from './batches.ts';
import { statusOf } from './checkpoint.ts';
import type { Executed } from './mac-messages.ts';
import { decided } from './normal-case.ts';
import { askedAfter, isMissing } from './recovery.ts';
import { type Context, epochOf, type Replica } from './state.ts';
import { isVoter } from './votes.ts';

/**
 * A batch that another has executed. One of f+1 who say the same is honest, so it is
 * committed.
 */
export function executed(replica: Replica, message: Signed<Executed>, ctx: Context): void {
  const { group } = ctx;
  const { from, sequence, digest, batch } = message;
  if (!isVoter(group, replica, from) || !isMissing(group, replica, sequence)) return;
  if (!acceptable(batch) || digestOf(batch, ctx) !== digest) return;
  const all = replica.mac.executed;
  const own = all.get(from) ?? new Map<number, Digest>();
  all.set(from, own);
  for (const n of own.keys()) if (!isMissing(group, replica, n)) own.delete(n);
  own.set(sequence, digest);
  const same = [...all].filter(([, claims]) => claims.get(sequence) === digest);
  if (same.length < group.weak) return;
  ctx.line('status-executed');
  replica.wanted.delete(digest);
  const { number: epoch } = epochOf(replica);
  // In which view it was committed nobody has to know any more.
  const commit = { kind: 'commit', epoch, view: 0, sequence, digest } as const;
  const before = replica.lastExecuted;
  decided(replica, { body: commit, seals: [] }, batch, ctx);
  const isUsed = Math.floor(before / askedAfter) < Math.floor(replica.lastExecuted / askedAfter);
  if (isUsed) for (const [member] of same) ctx.send(member, statusOf(replica));
}
