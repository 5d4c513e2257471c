/**
 * What a new view has to begin with: the computation of section 4.4 that its primary does and every
 * backup repeats. Pure functions of the view-changes.
 */
import type { Certificate, Signed } from '@quorumlab/core';
import { digestOf, nullBatch } from './batches.ts';
import { type Group, isMember, primaryOf } from './group.ts';
import type {
  Checkpoint,
  Claim,
  NewView,
  Ordered,
  Prepare,
  Reached,
  ViewChange,
} from './messages.ts';
import type { Context } from './state.ts';
import { signedBy } from './votes.ts';

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
export function validViewChange(group: Group, message: Signed<ViewChange>): boolean {
  const { checkpoint, prepared, view } = message;
  if (checkpoint !== null && !isCheckpoint(group, checkpoint)) return false;
  const low = checkpoint?.sequence ?? 0;
  let last = low;
  for (const claim of prepared) {
    // One for a number, "with sequence number higher than n", and no higher than the window.
    if (claim.sequence <= last || claim.sequence > low + group.window) return false;
    last = claim.sequence;
    if (group.rules.provesPrepared && claim.view >= view) return false;
  }
  return true;
}

const isCheckpoint = (group: Group, { sequence }: Reached): boolean =>
  sequence > 0 && sequence % group.checkpointEvery === 0;

/** Whether a quorum signed the checkpoint, and it is one. */
export const validCheckpoint = (group: Group, checkpoint: Certificate<Checkpoint>): boolean =>
  isCheckpoint(group, checkpoint.body) &&
  signedBy(group, checkpoint, group.rules.provesCheckpoints ? group.quorum : 1);

/**
 * Whether `proof` shows that its batch was prepared in its view: Prepares of a quorum less one, all
 * of them backups of that view. The paper adds the primary's pre-prepare. It is not needed: either
 * the primary was honest, and an honest backup among the signers saw its only pre-prepare; or not,
 * and then f-1 liars are left among the backups, and two such sets of backups share f of them
 * (see README, Divergences).
 */
export const validPrepared = (group: Group, proof: Certificate<Prepare>): boolean =>
  signedBy(group, proof, group.quorum - 1, primaryOf(group, proof.body.view));

/** Whether a quorum of members wants the view, and nothing that they say cannot be. */
export function isWhole(group: Group, { view, checkpoint, viewChanges }: NewView): boolean {
  if (checkpoint !== null && !validCheckpoint(group, checkpoint)) return false;
  const senders = new Set(viewChanges.map(({ from }) => from));
  return (
    senders.size === viewChanges.length &&
    senders.size >= group.quorum &&
    viewChanges.every(
      (each) => each.view === view && isMember(group, each.from) && validViewChange(group, each),
    )
  );
}

/**
 * min-s, max-s and O. Every number in between gets the digest that was prepared in the highest
 * view, or the null request if there is none.
 */
export function computeOrders(viewChanges: readonly Signed<ViewChange>[], ctx: Context): Plan {
  const low = Math.max(...viewChanges.map(({ checkpoint }) => checkpoint?.sequence ?? 0));
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
