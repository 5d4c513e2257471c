/**
 * Sets of instances in one canonical form: runs of instances of one command leader each, which are
 * n apart, by leader and then ascending, none of which could be joined. Equal sets are equal lists.
 */
import { type InstanceId, idsLimit, type Runs } from './messages.ts';

/** No instances. */
export const none: Runs = Object.freeze([]);

/** The set of `ids`, in a group of `n`. */
export function runsOf(ids: Iterable<InstanceId>, n: number): Runs {
  const sorted = [...new Set(ids)].sort((one, two) => (one % n) - (two % n) || one - two);
  const out: { from: number; count: number }[] = [];
  for (const id of sorted) {
    const last = out.at(-1);
    if (last !== undefined && id === last.from + last.count * n) last.count++;
    else out.push({ from: id, count: 1 });
  }
  return out;
}

/** Each instance of a set. */
export function* each(runs: Runs, n: number): Iterable<InstanceId> {
  for (const { from, count } of runs) for (let i = 0; i < count; i++) yield from + i * n;
}

/** Whether `id` is in the set. */
export const has = (runs: Runs, id: InstanceId, n: number): boolean =>
  runs.some(({ from, count }) => id >= from && (id - from) % n === 0 && (id - from) / n < count);

/** All that is in one of the sets. */
export function union(sets: readonly Runs[], n: number): Runs {
  const [first = none, ...others] = sets;
  if (others.every((other) => isSame(other, first))) return first;
  const ids = new Set<InstanceId>();
  for (const runs of sets) for (const id of each(runs, n)) ids.add(id);
  return runsOf(ids, n);
}

/** Whether two sets are equal. */
export const isSame = (one: Runs, other: Runs): boolean =>
  one.length === other.length &&
  one.every(({ from, count }, i) => from === other[i]?.from && count === other[i]?.count);

/** Whether a peer's set is one that can be looked at. */
export function isSane(runs: Runs): boolean {
  let sum = 0;
  for (const { count } of runs) sum += count;
  return sum <= idsLimit;
}

/** A set as text: equal sets give equal texts. */
export const textOfRuns = (runs: Runs): string =>
  runs.map(({ from, count }) => `${from}x${count}`).join('+');
