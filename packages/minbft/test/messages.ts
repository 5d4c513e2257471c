/** Batches that tests make by hand, and what they are known by. */
import type { Batch, Digest } from '@quorumlab/core';
import { requestOf, testDigest } from '@quorumlab/protocol-testing';
import { schemas } from '../src/messages.ts';

const { content } = schemas({ n: 3, window: 8, maxBatch: 256 });

/** A batch of one request of client `client`. */
export const batchOf = (client: number): Batch => [requestOf(client, 1)];
export const idOf = (batch: Batch): Digest => testDigest(content, batch);

/** What such batches are known by, in texts. */
export const names: ReadonlyMap<Digest, string> = new Map([
  [idOf([]), 'D()'],
  ...Array.from({ length: 16 }, (_, i) => [idOf(batchOf(i)), `D(c${i}.1)`] as const),
]);
