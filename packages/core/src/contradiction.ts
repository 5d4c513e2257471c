/** What a liar can say in place of something true, for protocols that tell how it is done. */

import { type Batch, requestKey } from './mempool.ts';
import type { Digest } from './schema.ts';

/** Another digest of the same form; there are 15 of them, and the next `fork` gives the next. */
export function otherDigest(digest: Digest, fork: number): Digest {
  const digit = (Number.parseInt(digest.slice(0, 1), 16) + 1 + (fork % 15)) % 16;
  return digit.toString(16) + digest.slice(1);
}

/**
 * Another batch than `batch`, made of requests that are real: of `known`, or its own in another
 * order or number, or none. Another `fork` gives another one, in turns.
 */
export function otherBatch(batch: Batch, fork: number, known: Batch): Batch {
  const used = new Set(batch.map(requestKey));
  const others: Batch[] = known.filter((each) => !used.has(requestKey(each))).map((each) => [each]);
  if (batch.length > 1) others.push([...batch].reverse(), batch.slice(1));
  others.push(batch.length > 0 ? [] : known.slice(0, 1));
  return others[fork % others.length] ?? [];
}
