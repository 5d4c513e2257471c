/**
 * How much the blocks between two checkpoints hold. Heights alone are no bound: a block may have 1
 * MiB. Above the bound a leader proposes empty blocks, so that the next checkpoint comes and with
 * it room, and nobody votes for others.
 */
import { batchSize } from '@quorumlab/core';
import type { Node } from './blocks.ts';
import type { Group } from './group.ts';
import type { Replica } from './state.ts';
import { parentOf } from './tree.ts';

/** Whether a block on `parent` may hold nothing: its branch does since the checkpoint. */
export function isFilled(group: Group, replica: Replica, parent: Node): boolean {
  const begin = Math.floor(parent.height / group.checkpointEvery) * group.checkpointEvery;
  let bytes = 0;
  let node: Node | undefined = parent;
  while (node !== undefined && node.height > begin) {
    bytes += batchSize(node.block?.batch ?? []);
    node = parentOf(replica, node);
  }
  return bytes >= group.intervalBytes;
}
