/**
 * What a new view has to begin with: the computation of section 4.4 that its primary does and every
 * backup repeats. Pure functions of the view-changes.
 */
import type { Certificate, Signed } from '@quorumlab/core';
import { digestOf, nullBatch } from './batches.ts';
import type { Group } from './group.ts';
import type {
  Checkpoint,
  Claim,
  NewView,
  Ordered,
  Prepare,
  Reached,
  ViewChange,
} from './messages.ts';
import { type Context, epochOf } from './state.ts';
import { isVoter, type Knowing, primaryOf, quorumOf, signedBy } from './votes.ts';

/** The start of a view. */
export interface Plan {
  /** min-s: the highest stable checkpoint of V. */
  readonly low: number;
  /** max-s. */
  readonly high: number;
  /** What O orders because somebody has prepared it, by sequence. */
  readonly chosen: ReadonlyMap<number, Claim>;
  /** O: one pre-prepare for every number above min-s, up to max-s. */
  readonly orders: readonly Ordered[];
}

/** Whether `message` could be an honest replica's. What it claims is proven apart from it. */
export function validViewChange(
  group: Group,
  replica: Knowing,
  message: Signed<ViewChange>,
): boolean {
  const { checkpoint, prepared, view } = message;
  const { number, after } = epochOf(replica);
  if (message.epoch !== number || !isVoter(group, replica, message.from)) return false;
  if (checkpoint !== null && !isCheckpoint(group, replica, checkpoint)) return false;
  const low = checkpoint?.sequence ?? after;
  let last = low;
  for (const claim of prepared) {
    // One for a number, "with sequence number higher than n", and no higher than the window.
    if (claim.sequence <= last || claim.sequence > low + group.window) return false;
    last = claim.sequence;
    if (group.rules.provesPrepared && claim.view >= view) return false;
  }
  return true;
}

const isCheckpoint = (group: Group, replica: Knowing, { sequence }: Reached): boolean =>
  sequence > epochOf(replica).after && sequence % group.checkpointEvery === 0;

/** Whether a quorum of the epoch in force signed the checkpoint, and it is one. */
export function validCheckpoint(
  group: Group,
  replica: Knowing,
  checkpoint: Certificate<Checkpoint>,
): boolean {
  const { body } = checkpoint;
  const least = group.rules.provesCheckpoints ? quorumOf(group, replica) : 1;
  return (
    body.epoch === epochOf(replica).number &&
    isCheckpoint(group, replica, body) &&
    signedBy(group, replica, checkpoint, least)
  );
}

/**
 * Whether `proof` shows that its batch was prepared in its view: Prepares of a quorum less one, all
 * of them backups of that view. The paper adds the primary's pre-prepare. It is not needed: either
 * the primary was honest, and an honest backup among the signers saw its only pre-prepare; or not,
 * and then f-1 liars are left among the backups, and two such sets of backups share f of them
 * (see README, Divergences).
 */
export function validPrepared(
  group: Group,
  replica: Knowing,
  proof: Certificate<Prepare>,
): boolean {
  const without = primaryOf(replica, proof.body.view);
  return (
    proof.body.epoch === epochOf(replica).number &&
    signedBy(group, replica, proof, quorumOf(group, replica) - 1, { without })
  );
}

/** Whether a quorum of members wants the view, and nothing that they say cannot be. */
export function isWhole(
  group: Group,
  replica: Knowing,
  { epoch, view, checkpoint, viewChanges }: NewView,
): boolean {
  if (epoch !== epochOf(replica).number) return false;
  if (checkpoint !== null && !validCheckpoint(group, replica, checkpoint)) return false;
  const senders = new Set(viewChanges.map(({ from }) => from));
  return (
    senders.size === viewChanges.length &&
    senders.size >= quorumOf(group, replica) &&
    viewChanges.every((each) => each.view === view && validViewChange(group, replica, each))
  );
}

/**
 * min-s, max-s and O. Every number in between gets the digest that was prepared in the highest
 * view, or the null request if there is none.
 */
export function computeOrders(
  replica: Knowing,
  viewChanges: readonly Signed<ViewChange>[],
  ctx: Context,
): Plan {
  const { after } = epochOf(replica);
  const low = Math.max(...viewChanges.map(({ checkpoint }) => checkpoint?.sequence ?? after));
  let high = low;
  const chosen = new Map<number, Claim>();
  for (const { prepared } of viewChanges)
    for (const claim of prepared) {
      if (claim.sequence <= low) continue;
      high = Math.max(high, claim.sequence);
      const earlier = chosen.get(claim.sequence);
      if (earlier === undefined || ctx.group.rules.outranks(claim.view, earlier.view))
        chosen.set(claim.sequence, claim);
    }
  const nothing = digestOf(nullBatch, ctx);
  const orders: Ordered[] = [];
  for (let sequence = low + 1; sequence <= high; sequence++)
    orders.push({ sequence, digest: chosen.get(sequence)?.digest ?? nothing });
  return { low, high, chosen, orders };
}

/** Whether two lists of orders are the same, entry by entry. */
export const samePlan = (one: readonly Ordered[], other: readonly Ordered[]): boolean =>
  one.length === other.length &&
  one.every(
    ({ sequence, digest }, i) => other[i]?.sequence === sequence && other[i]?.digest === digest,
  );
