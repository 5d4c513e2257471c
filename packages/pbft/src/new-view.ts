/**
 * What a new view has to begin with: the computation of section 4.4 that its primary does and every
 * backup repeats. Pure functions of the view-changes.
 */
import type { Certificate, Signed } from '@quorumlab/core';
import type { Group } from './group.ts';
import type { Checkpoint, Ordered, Prepare, ViewChange } from './messages.ts';
import { type Ctx, digestOf, nullBatch, primaryOf, signedBy } from './state.ts';

/** The start of a view. */
export interface Plan {
  /** The checkpoint of min-s, with its proof; null for the empty state. */
  readonly checkpoint: Certificate<Checkpoint> | null;
  /** O: one pre-prepare for every number above min-s, up to max-s. */
  readonly orders: readonly Ordered[];
  /** max-s. */
  readonly high: number;
}

/** Whether C proves the stable checkpoint and P the prepared batches that `message` reports. */
export function validViewChange(group: Group, message: Signed<ViewChange>): boolean {
  const { checkpoint, prepared, view } = message;
  if (checkpoint !== null && !validCheckpoint(group, checkpoint)) return false;
  const low = checkpoint?.body.sequence ?? 0;
  let last = low;
  for (const proof of prepared) {
    // One for a number, "with sequence number higher than n", and no higher than the window.
    if (proof.body.sequence <= last || proof.body.sequence > low + group.window) return false;
    last = proof.body.sequence;
    if (group.rules.provesPrepared && !validPrepared(group, proof, view)) return false;
  }
  return true;
}

/** Whether a quorum signed the checkpoint, and it is one. */
export const validCheckpoint = (group: Group, checkpoint: Certificate<Checkpoint>): boolean =>
  checkpoint.body.sequence > 0 &&
  checkpoint.body.sequence % group.checkpointEvery === 0 &&
  signedBy(group, checkpoint, group.quorum);

/**
 * Whether `proof` shows that its batch was prepared in a view before `below`: Prepares of a quorum
 * less one, all of them backups of that view. The paper adds the primary's pre-prepare. It is not
 * needed: either the primary was honest, and an honest backup among the signers saw its only
 * pre-prepare; or it was not, and then f-1 liars are left among the backups, and two such sets of
 * backups share f of them (see README, Divergences).
 */
const validPrepared = (group: Group, proof: Certificate<Prepare>, below: number): boolean =>
  proof.body.view < below &&
  signedBy(group, proof, group.quorum - 1, primaryOf(group, proof.body.view));

/**
 * min-s, max-s and O. Every number in between gets the digest of the certificate with the highest
 * view, or the null request if there is none.
 */
export function computeOrders(
  group: Group,
  viewChanges: readonly Signed<ViewChange>[],
  ctx: Ctx,
): Plan {
  let checkpoint: Certificate<Checkpoint> | null = null;
  for (const each of viewChanges)
    if ((each.checkpoint?.body.sequence ?? 0) > (checkpoint?.body.sequence ?? 0))
      checkpoint = each.checkpoint;
  const low = checkpoint?.body.sequence ?? 0; // min-s
  let high = low; // max-s
  const chosen = new Map<number, Prepare>();
  for (const { prepared } of viewChanges)
    for (const { body } of prepared) {
      if (body.sequence <= low) continue;
      high = Math.max(high, body.sequence);
      const earlier = chosen.get(body.sequence);
      if (earlier === undefined || group.rules.outranks(body.view, earlier.view))
        chosen.set(body.sequence, body);
    }
  const nothing = digestOf(group, nullBatch, ctx);
  const orders: Ordered[] = [];
  for (let sequence = low + 1; sequence <= high; sequence++)
    orders.push({ sequence, digest: chosen.get(sequence)?.digest ?? nothing });
  return { checkpoint, orders, high };
}

/** Whether two lists of orders are the same, entry by entry. */
export const samePlan = (one: readonly Ordered[], other: readonly Ordered[]): boolean =>
  one.length === other.length &&
  one.every(
    ({ sequence, digest }, i) => other[i]?.sequence === sequence && other[i]?.digest === digest,
  );
