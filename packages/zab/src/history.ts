/** The history of a replica as its rules look at it: what is where, and how two are compared. */
import { assert } from '@quorumlab/core';
import type { Transaction, Zxid } from './messages.ts';

/** What histories are compared by: the current epoch first, then the last zxid (step ℓ.1.2). */
export interface Credentials {
  readonly currentEpoch: number;
  readonly zxid: Zxid;
}

/** A history without gaps: what was dropped from it, and the transactions after that. */
export interface History {
  /** The last transaction that is not held any more. */
  readonly compacted: Zxid;
  /** By counter. */
  readonly history: ReadonlyMap<number, Transaction>;
}

/** The counter of the last transaction. The history has no gaps, so its size tells. */
export const lastCounter = ({ compacted, history }: History): number =>
  compacted.counter + history.size;

/** The epoch of the transaction at `counter`, or nothing if the history does not hold it. */
export const epochAt = ({ compacted, history }: History, counter: number): number | undefined =>
  counter === compacted.counter ? compacted.epoch : history.get(counter)?.epoch;

/** The zxid at `counter`, which the history holds. */
export function zxidAt(history: History, counter: number): Zxid {
  const epoch = epochAt(history, counter);
  assert(epoch !== undefined, 'the history has no transaction there');
  return { epoch, counter };
}

/** Where the history ends. */
export const lastZxid = (history: History): Zxid => zxidAt(history, lastCounter(history));

/** Whether the history has the transaction `zxid`, as far as it is still there. */
export const holds = (history: History, { epoch, counter }: Zxid): boolean =>
  epochAt(history, counter) === epoch;

/** Whether `one` is not before `other`. */
export const reaches = (one: Zxid, other: Zxid): boolean =>
  one.epoch > other.epoch || (one.epoch === other.epoch && one.counter >= other.counter);

/** Whether two are the same. */
export const sameZxid = (one: Zxid, other: Zxid): boolean =>
  one.epoch === other.epoch && one.counter === other.counter;

/**
 * The last transaction that is not after `zxid`. Epochs never fall along a history, so halving the
 * range finds it.
 */
export function lastUpTo(history: History, { epoch, counter }: Zxid): number {
  let low = history.compacted.counter;
  let high = Math.min(lastCounter(history), counter);
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if ((epochAt(history, middle) as number) <= epoch) low = middle;
    else high = middle - 1;
  }
  return low;
}
