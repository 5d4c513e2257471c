/** Blocks as the rules of the family see them: where they are in the tree, and on what they lie. */
import type { Batch, Digest } from '@quorumlab/core';
import type { Block, QuorumCertificate } from './messages.ts';

/** A block by its view and its digest. */
export interface Point {
  readonly view: number;
  readonly block: Digest;
}

/** A block's place in the chain. */
export interface Place extends Point {
  readonly height: number;
}

/** A block in the tree. */
export interface Node {
  readonly hash: Digest;
  readonly view: number;
  readonly height: number;
  /** Null: only its place is known, because it is the first block or came with a snapshot. */
  readonly block: Block | null;
  /** The certificate of its parent; null: the parent is the genesis block, or unknown. */
  readonly justify: QuorumCertificate | null;
}

/** The digest that stands for the genesis block. */
export const genesisHash: Digest = '0'.repeat(64);

/** Puts a block of which only the place is known into the tree. */
export function place(tree: Map<Digest, Node>, { height, view, block: hash }: Place): void {
  if (!tree.has(hash)) tree.set(hash, { hash, view, height, block: null, justify: null });
}

/** The empty batch. */
export const emptyBatch: Batch = Object.freeze([]);

/** What rules ask about the tree. */
export interface Tree {
  /** The parent of `node`, if it is known. */
  parent(node: Node): Node | undefined;
  /** Whether the block `hash` is `ancestor` or a descendant of it. */
  extends(hash: Digest, ancestor: Point): boolean;
}
