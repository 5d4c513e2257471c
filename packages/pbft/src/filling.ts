/**
 * How much is logged between two checkpoints. Numbers alone are no bound: a batch may have 1 MiB.
 * Above the bound a primary orders empty batches, so that the next checkpoint comes and with it
 * room. A backup prepares nothing above it, outside of a new view: what a quorum may have prepared
 * is ordered again whatever its size.
 */
import { batchSize } from '@quorumlab/core';
import { batchAt } from './batches.ts';
import type { Group } from './group.ts';
import type { Replica } from './state.ts';

/** Whether nothing may be added at `sequence`: so much is logged below it since the checkpoint. */
export function isFilled(group: Group, replica: Replica, sequence: number): boolean {
  const every = group.checkpointEvery;
  let bytes = 0;
  for (let n = Math.floor((sequence - 1) / every) * every + 1; n < sequence; n++)
    bytes += batchSize(batchAt(replica, n) ?? []);
  return bytes >= group.intervalBytes;
}

/** Whether a request waits that this primary has not ordered in its view. */
export function isAsked({ waiting, view }: Replica): boolean {
  for (const { ordered } of waiting.values()) if (ordered !== view) return true;
  return false;
}
