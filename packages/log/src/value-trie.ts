/**
 * Values by key, in leaves of at most {@link leafBytes}: a binary trie over a hash of the keys. A
 * node is a leaf if and only if what is below it fits into one, so equal contents are equal trees,
 * whatever way led there. What was captured shares its leaves with what goes on: a write to a
 * shared leaf copies that leaf first. So a capture costs a walk over the leaves, and the next one
 * has every leaf in common with it that was not written to.
 */
import {
  bytes,
  decode,
  type Field,
  list,
  mix,
  record,
  SchemaError,
  sameBytes,
  view,
  type Writer,
  writeInteger,
  writer,
} from '@quorumlab/core';
import { chunkBytes, maxChunks } from './messages.ts';
import type { StatePart } from './types.ts';

/** Most bytes of a key. */
export const maxKeyBytes = 1024;
/** Most bytes of a value, so that two of them and a key fit into one operation. */
export const maxValueBytes = 30_720;
/** Most bytes of all keys and values, with {@link entryBytes} for each pair: 1.25 GiB. */
export const maxStateBytes: number = 5 << 28;

/** What a pair costs beside its key and its value: at least the lengths of the two, encoded. */
const entryBytes = 8;
/** Above it a leaf is split. Half a chunk: a write costs the next snapshot one leaf. */
const leafBytes = 65_536;
/** Bits of the hash. Below so many forks a leaf may grow above its size. */
const maxDepth = 32;
/** Keys can be made up so that leaves are many and small: half of all chunks are for them. */
const maxLeaves = maxChunks / 2;

interface Leaf {
  /** Of which generation of the tree it is: an older one is shared with a capture. */
  readonly generation: number;
  readonly values: Map<string, Uint8Array>;
  bytes: number;
  /** What stands for it in captures. */
  part: StatePart | undefined;
}

interface Fork {
  low: Node;
  high: Node;
  bytes: number;
}

type Node = Leaf | Fork;

const isLeaf = (node: Node): node is Leaf => 'values' in node;

type Pair = readonly [name: string, value: Uint8Array];

/** See the top of this file. Keys are text with one character per byte. */
export interface ValueTrie {
  get(name: string): Uint8Array | undefined;
  /** Whether there was room for it; if not, nothing has changed. The value is kept, not copied. */
  set(name: string, value: Uint8Array): boolean;
  /** Whether it was there. */
  remove(name: string): boolean;
  entries(): readonly Pair[];
  /** Returns what takes back every change since; call it before the next mark. */
  mark(): () => void;
  /** What is in here now, in the order of the tree. */
  capture(): readonly StatePart[];
}

/** The bits by which a key finds its leaf, highest first. */
function hashOf(name: string): number {
  let hash = name.length;
  for (let i = 0; i < name.length; i++) hash = mix(hash, name.charCodeAt(i));
  return mix(hash, 0x85ebca6b);
}

const isHigh = (hash: number, depth: number): boolean => ((hash >>> (31 - depth)) & 1) === 1;

const sizeOf = (name: string, value: Uint8Array): number => name.length + value.length + entryBytes;

const leafOf = (generation: number): Leaf => ({
  generation,
  values: new Map(),
  bytes: 0,
  part: undefined,
});

/** Calls `visit` with each leaf that is not empty, in their order. */
function visitLeaves(node: Node, visit: (leaf: Leaf) => void): void {
  if (!isLeaf(node)) {
    visitLeaves(node.low, visit);
    visitLeaves(node.high, visit);
  } else if (node.values.size > 0) visit(node);
}

/** An empty tree. */
export function valueTrie(): ValueTrie {
  let generation = 0;
  let leaves = 1;
  let root: Node = leafOf(generation);
  /** What changes since the mark have replaced, in their order; null: there is no mark. */
  let replaced: [name: string, value: Uint8Array | undefined][] | null = null;

  const find = (name: string): Leaf => {
    let node = root;
    if (isLeaf(node)) return node;
    const hash = hashOf(name);
    for (let depth = 0; !isLeaf(node); depth++) node = isHigh(hash, depth) ? node.high : node.low;
    return node;
  };

  /** A leaf that nobody else has. */
  const owned = (leaf: Leaf): Leaf =>
    leaf.generation === generation
      ? leaf
      : { generation, values: new Map(leaf.values), bytes: leaf.bytes, part: undefined };

  /** A leaf that has become too large, as what stands in its place. */
  function split(leaf: Leaf, depth: number): Node {
    if (leaf.bytes <= leafBytes || depth === maxDepth) return leaf;
    const low = leafOf(generation);
    const high = leafOf(generation);
    for (const [name, value] of leaf.values) {
      const side = isHigh(hashOf(name), depth) ? high : low;
      side.values.set(name, value);
      side.bytes += sizeOf(name, value);
    }
    leaves++;
    return { low: split(low, depth + 1), high: split(high, depth + 1), bytes: leaf.bytes };
  }

  /** A fork that has become small, as what stands in its place. */
  function merge(fork: Fork): Leaf {
    const leaf = leafOf(generation);
    visitLeaves(fork, ({ values, bytes }) => {
      for (const [name, value] of values) leaf.values.set(name, value);
      leaf.bytes += bytes;
    });
    leaves -= forksOf(fork);
    return leaf;
  }

  /** The tree with the value in its place, or without the key; `grown` is what that adds. */
  function place(node: Node, name: string, value: Uint8Array | undefined, grown: number): Node {
    if (isLeaf(node)) return placeInLeaf(node, name, value, grown, 0);
    if (node.bytes + grown <= leafBytes) {
      const leaf = merge(node);
      return placeInLeaf(leaf, name, value, grown, maxDepth);
    }
    const hash = hashOf(name);
    let fork = node;
    for (let depth = 0; ; depth++) {
      fork.bytes += grown;
      const side = isHigh(hash, depth) ? 'high' : 'low';
      const next: Node = fork[side];
      if (!isLeaf(next) && next.bytes + grown > leafBytes) {
        fork = next;
        continue;
      }
      const leaf = isLeaf(next) ? next : merge(next);
      fork[side] = placeInLeaf(leaf, name, value, grown, depth + 1);
      return node;
    }
  }

  function placeInLeaf(
    shared: Leaf,
    name: string,
    value: Uint8Array | undefined,
    grown: number,
    depth: number,
  ): Node {
    const leaf = owned(shared);
    if (value === undefined) leaf.values.delete(name);
    else leaf.values.set(name, value);
    leaf.bytes += grown;
    return split(leaf, depth);
  }

  const weigh = (name: string, value: Uint8Array | undefined): number =>
    value === undefined ? 0 : sizeOf(name, value);

  /** Puts `value` in the place of `held`; undefined: there is none. */
  function change(name: string, held: Uint8Array | undefined, value: Uint8Array | undefined): void {
    root = place(root, name, value, weigh(name, value) - weigh(name, held));
  }

  return {
    get: (name) => find(name).values.get(name),
    set(name, value) {
      const held = find(name).values.get(name);
      const grown = sizeOf(name, value) - weigh(name, held);
      if (grown > 0 && (root.bytes + grown > maxStateBytes || leaves + maxDepth > maxLeaves))
        return false;
      replaced?.push([name, held]);
      change(name, held, value);
      return true;
    },
    remove(name) {
      const held = find(name).values.get(name);
      if (held === undefined) return false;
      replaced?.push([name, held]);
      change(name, held, undefined);
      return true;
    },
    mark() {
      const since: NonNullable<typeof replaced> = [];
      replaced = since;
      return () => {
        replaced = null;
        for (const [name, value] of since.reverse())
          change(name, find(name).values.get(name), value);
      };
    },
    entries() {
      const all: Pair[] = [];
      visitLeaves(root, ({ values }) => {
        for (const pair of values) all.push(pair);
      });
      return all;
    },
    capture() {
      generation++;
      const parts: StatePart[] = [];
      visitLeaves(root, (leaf) => {
        leaf.part ??= { encode: () => encodeLeaf(leaf) };
        parts.push(leaf.part);
      });
      return parts;
    },
  };
}

const forksOf = (node: Node): number =>
  isLeaf(node) ? 0 : 1 + forksOf(node.low) + forksOf(node.high);

const key: Field<Uint8Array> = bytes(maxKeyBytes);
const content: Field<Uint8Array> = bytes(maxValueBytes);

/** Pairs in the order of their keys: a piece of a state, or all of it. */
const pairs: Field<readonly { readonly key: Uint8Array; readonly value: Uint8Array }[]> = list(
  record({ key, value: content }),
  2 ** 32,
);

/** The pairs of a piece. Throws `SchemaError` if it is none. */
const readPairs = (piece: Uint8Array): ReturnType<(typeof pairs)['read']> =>
  decode({ ...pairs, maxBytes: maxStateBytes * 2 }, piece);

/** Pairs as {@link pairs} writes them. */
export function writePairs(to: Writer, sorted: readonly Pair[]): void {
  writeInteger(to, sorted.length);
  for (const [name, value] of sorted) {
    key.write(to, bytesOf(name));
    content.write(to, value);
  }
}

/** In the order of their keys. */
export const sortedPairs = (all: Iterable<Pair>): readonly Pair[] =>
  [...all].sort(([first], [second]) => (first < second ? -1 : 1));

/** The pairs of a leaf in as few pieces as hold them: one, unless it could not be split. */
function encodeLeaf({ values }: Leaf): readonly Uint8Array[] {
  const pieces: Uint8Array[] = [];
  let group: Pair[] = [];
  let size = entryBytes;
  const flush = (): void => {
    // As large as what is written to it, so it is handed over and not copied.
    const to = writer(size);
    writePairs(to, group);
    pieces.push(view(to));
    group = [];
    size = entryBytes;
  };
  for (const pair of sortedPairs(values)) {
    const more = sizeOf(...pair);
    if (size + more > chunkBytes) flush();
    group.push(pair);
    size += more;
  }
  flush();
  return pieces;
}

function bytesOf(name: string): Uint8Array {
  const all = new Uint8Array(name.length);
  for (let i = 0; i < name.length; i++) all[i] = name.charCodeAt(i);
  return all;
}

/** One character per byte: a map's key, ordered like the bytes. */
export function nameOf(data: Uint8Array, from = 0, to: number = data.length): string {
  let name = '';
  for (let i = from; i < to; i++) name += String.fromCharCode(data[i] as number);
  return name;
}

/**
 * Adds the pairs of a piece. Values that are the same in `known` are shared with it, so that a
 * state beside the one that it is to replace costs what differs. Throws {@link SchemaError} if the
 * piece is none, or there is no room.
 */
export function fill(values: ValueTrie, piece: Uint8Array, known?: ValueTrie): void {
  for (const pair of readPairs(piece)) {
    const name = nameOf(pair.key);
    const held = known?.get(name);
    const content = held !== undefined && sameBytes(held, pair.value) ? held : pair.value;
    if (!values.set(name, content)) throw new SchemaError('the state is too large');
  }
}
