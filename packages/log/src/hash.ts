/** Cheap hashes: they tell what differs by accident, never by intent. */
import { mix, type Wish } from '@quorumlab/core';

/** Folds bytes into a hash, four at a time. */
export function mixBytes(before: number, data: Uint8Array): number {
  const { length } = data;
  let hash = mix(before, length);
  let i = 0;
  for (; i + 4 <= length; i += 4)
    hash = mix(
      hash,
      at(data, i) | (at(data, i + 1) << 8) | (at(data, i + 2) << 16) | (at(data, i + 3) << 24),
    );
  for (; i < length; i++) hash = mix(hash, at(data, i));
  return hash;
}

const at = (data: Uint8Array, i: number): number => data[i] as number;

/**
 * By what a client knows that an answer is to its own request, and not to one of a copy of itself
 * that uses the same sequences (a machine that was cloned, a process that was forked).
 */
export function hashOf({ operations, configuration }: Wish): number {
  let hash = mix(0, operations.length);
  for (const each of operations) hash = mixBytes(hash, each);
  if (configuration !== undefined) hash = mixBytes(hash, configuration);
  // Messages hold it, and integers in messages have no sign.
  return hash >>> 0;
}
