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

/** Bytes of a branch since its checkpoint, where all of it is here: blocks never change. */
const known = new WeakMap<Node, number>();

/** Whether a block on `parent` may hold nothing: its branch does since the checkpoint. */
export function isFilled(group: Group, replica: Replica, parent: Node): boolean {
  return bytesSince(group, replica, parent) >= group.intervalBytes;
}

function bytesSince({ checkpointEvery }: Group, replica: Replica, tip: Node): number {
  const isCheckpoint = ({ height }: Node): boolean => height % checkpointEvery === 0;
  let bytes = 0;
  let node: Node | undefined = tip;
  while (node !== undefined && !isCheckpoint(node) && !known.has(node)) {
    bytes += batchSize(node.block?.batch ?? []);
    node = parentOf(replica, node);
  }
  if (node === undefined) return bytes;
  if (!isCheckpoint(node)) bytes += known.get(node) as number;
  if (!isCheckpoint(tip)) known.set(tip, bytes);
  return bytes;
}
