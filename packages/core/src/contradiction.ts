/** What a liar can say in place of something true, for protocols that tell how it is done. */

import { type Batch, requestKey } from './mempool.ts';
import { type Request, sameRequest } from './request.ts';
import type { Digest } from './schema.ts';
import type { Signed } from './vocabulary.ts';

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

/**
 * A request of `known` that is the same as none of `batch`: what a liar orders in its place.
 * Nothing if there is none. Another `fork` gives another one, in turns.
 */
export function otherRequest(
  batch: Batch,
  fork: number,
  known: Batch,
  same: (one: Request, two: Request) => boolean = sameRequest,
): Signed<Request> | undefined {
  const sequence = batch[0]?.sequence ?? 0;
  for (let i = 0; i < known.length; i++) {
    const other = known[(sequence + fork + i) % known.length];
    if (other !== undefined && !batch.some((each) => same(each, other))) return other;
  }
  return undefined;
}
