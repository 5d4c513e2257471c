import { assert } from '@quorumlab/core';

/** Memory that several searches share, in bytes. What is taken comes back when a search ends. */
export interface Memory {
  bytesLeft: number;
}

/**
 * A set of short lists of 32-bit words, in two typed arrays: a million of them cost the garbage
 * collector nothing. Lists are written to the end of `words` first and stay there if they are new.
 */
export interface SeenLists {
  readonly memory: Memory;
  /** Where the table's lists begin in `words`, plus one; 0 is free. A power of two long. */
  table: Int32Array;
  words: Uint32Array;
  used: number;
  count: number;
}

const firstTable = 64;
const firstWords = 256;

/**
 * Arrays of a set that was given back while it was small, for the next one: most histories are
 * short, and to ask for memory costs more than to judge one of them.
 */
const spare: { table: Int32Array; words: Uint32Array }[] = [];

/** An empty set, or undefined if the memory does not suffice even for that. */
export function seenLists(memory: Memory): SeenLists | undefined {
  if (!take(memory, 4 * (firstTable + firstWords))) return undefined;
  const again = spare.pop();
  again?.table.fill(0);
  const table = again?.table ?? new Int32Array(firstTable);
  const words = again?.words ?? new Uint32Array(firstWords);
  return { memory, table, words, used: 0, count: 0 };
}

/** Gives the memory back; the set must not be used any more. */
export function forget(seen: SeenLists): void {
  const { memory, table, words } = seen;
  memory.bytesLeft += table.byteLength + words.byteLength;
  const isSmall = table.length === firstTable && words.length === firstWords;
  if (isSmall && spare.length === 0) spare.push({ table, words });
}

/** Makes room for one more list of `length` words; false if the memory does not suffice. */
export function makeRoom(seen: SeenLists, length: number): boolean {
  if (seen.used + length > seen.words.length) {
    const size = Math.max(2 * seen.words.length, seen.used + length);
    if (!take(seen.memory, 4 * (size - seen.words.length))) return false;
    const words = new Uint32Array(size);
    words.set(seen.words.subarray(0, seen.used));
    seen.words = words;
  }
  if (2 * (seen.count + 1) > seen.table.length) {
    if (!take(seen.memory, seen.table.byteLength)) return false;
    seen.table = new Int32Array(2 * seen.table.length);
    for (let at = 0; at < seen.used; at += seen.words[at] as number) {
      seen.table[slotOf(seen, at)] = at + 1;
    }
  }
  return true;
}

/**
 * Adds the list at the end of `words`, whose first word is its length (that word included). False
 * if it was there already.
 */
export function addLast(seen: SeenLists): boolean {
  const slot = slotOf(seen, seen.used);
  if (seen.table[slot] !== 0) return false;
  seen.table[slot] = seen.used + 1;
  seen.used += seen.words[seen.used] as number;
  seen.count++;
  return true;
}

/** The place in the table of the list at `from`: where an equal one is, or a free one. */
function slotOf({ table, words }: SeenLists, from: number): number {
  const length = words[from] as number;
  assert(length > 0, 'a list holds its own length');
  let hash = 0x9e3779b9;
  for (let at = from; at < from + length; at++) {
    hash = Math.imul(hash ^ (words[at] as number), 0x85ebca6b);
    hash ^= hash >>> 15;
  }
  const mask = table.length - 1;
  for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
    const other = (table[slot] as number) - 1;
    if (other < 0 || equal(words, from, other, length)) return slot;
  }
}

function equal(words: Uint32Array, one: number, two: number, length: number): boolean {
  for (let i = 0; i < length; i++) if (words[one + i] !== words[two + i]) return false;
  return true;
}

function take(memory: Memory, bytes: number): boolean {
  if (bytes > memory.bytesLeft) return false;
  memory.bytesLeft -= bytes;
  return true;
}
