/** The log of a server as its rules look at it: what is where, and how two logs are compared. */
import { assert } from '@quorumlab/core';
import type { Entry, Index } from './messages.ts';

/** An index and the term of the entry there: what a log is compared by. */
export interface Position {
  readonly index: Index;
  readonly term: number;
}

/** A log without gaps: what was compacted away, and the entries after it. */
export interface Log {
  /** The last entry that is not held any more. */
  readonly compacted: Position;
  readonly log: ReadonlyMap<Index, Entry>;
}

/** The index of the last entry. The log has no gaps, so its size tells. */
export const lastIndex = ({ compacted, log }: Log): Index => compacted.index + log.size;

/** The term of the entry at `index`, or nothing if the log does not hold it. */
export const termAt = ({ compacted, log }: Log, index: Index): number | undefined =>
  index === compacted.index ? compacted.term : log.get(index)?.term;

/** The term of the last entry; 0 if there has never been one. */
export function lastTerm(log: Log): number {
  const term = termAt(log, lastIndex(log));
  assert(term !== undefined, 'the log has a gap before its last entry');
  return term;
}

/**
 * The smallest index in (`above`, `upTo`] whose entry has at least `term`, or `upTo` + 1. Terms
 * never fall along a log (§5.3), so halving the range finds it.
 */
export function firstOfTerm(log: Log, term: number, above: Index, upTo: Index): Index {
  let low = above + 1;
  let high = upTo + 1;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if ((termAt(log, middle) ?? 0) >= term) high = middle;
    else low = middle + 1;
  }
  return low;
}
