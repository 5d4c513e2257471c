/**
 * How much is decided between two checkpoints. Heights alone are no bound: a batch may have 1 MiB.
 * Above the bound a proposer proposes empty batches, so that the next checkpoint comes and with it
 * room, and nobody prevotes for others. All who are at a height agree on it.
 */
import { acceptable, type Batch, batchSize, isUnmixed } from '@quorumlab/core';
import type { Group } from './group.ts';
import type { Replica } from './state.ts';

/** Whether nothing may be added at this height: so much is decided since the checkpoint. */
export function isFilled(group: Group, { height, blocks }: Replica): boolean {
  const every = group.checkpointEvery;
  let bytes = 0;
  for (let h = Math.floor((height - 1) / every) * every + 1; h < height; h++)
    bytes += batchSize(blocks.get(h)?.batch ?? []);
  return bytes >= group.intervalBytes;
}

/** valid(v): a change of the group is alone. The host has checked the clients' signatures. */
export const isValid = (group: Group, replica: Replica, batch: Batch): boolean =>
  acceptable(batch) && isUnmixed(group, batch) && (batch.length === 0 || !isFilled(group, replica));
