/** Batches and what they are known by: they are looked for wherever one may be. */
import { type Batch, bytesOf, type Digest } from '@quorumlab/core';
import type { Context, Replica } from './state.ts';

/** The null request: a batch of nothing (section 4.4). */
export const nullBatch: Batch = Object.freeze([]);

/** D(m). */
export const digestOf = (batch: Batch, ctx: Context): Digest =>
  ctx.digest(ctx.group.schemas.content, batch);

/** The batch that is ordered under `sequence`, if it is here. What is prepared is stored once. */
export function batchAt(replica: Replica, sequence: number): Batch | null {
  const order = replica.prePrepares.get(sequence);
  if (order === undefined || order.batch !== null) return order?.batch ?? null;
  const prepared = replica.prepared.get(sequence);
  return prepared?.proof.body.digest === order.digest ? prepared.batch : null;
}

/** The batch that `digest` stands for at `sequence`, if this replica has it. */
export function bodyOf(
  replica: Replica,
  sequence: number,
  digest: Digest,
  ctx: Context,
): Batch | undefined {
  const order = replica.prePrepares.get(sequence);
  if (order?.digest === digest && order.batch !== null) return order.batch;
  const prepared = replica.prepared.get(sequence);
  if (prepared?.proof.body.digest === digest) return prepared.batch;
  const decided = replica.committed.get(sequence);
  if (decided?.commit.body.digest === digest) return decided.batch;
  if (digestOf(nullBatch, ctx) === digest) return nullBatch;
  return replica.bodies.get(digest);
}

/** Bytes of the operations of a batch. */
export const batchBytes = (batch: Batch): number =>
  batch.reduce((sum, request) => sum + bytesOf(request), 0);
