/**
 * Values that take long to read are read in steps, so that a host has time for others between two
 * of them: a frame of three megabytes may hold a quarter of a million operations.
 */
import type { Reader } from './bytes.ts';

/** What is read step by step. Each step yields how many parts of the value it has read. */
export type Steps<T> = Generator<number, T, void>;

/** What may be read in steps: see `Field`. */
interface Stepwise<T> {
  read(from: Reader): T;
  steps?(from: Reader): Steps<T>;
}

/** Those whose `steps` are their own: a copy of one may have another `read`. */
const known = new WeakSet<object>();

/** Whether `field` is read in steps. */
export const hasSteps = (field: object): boolean => known.has(field);

/** `field`, whose `steps` count from now on; not if it has parts, and none of them has steps. */
export function inSteps<F extends object>(parts: readonly object[], field: F): F {
  if (parts.length === 0 || parts.some(hasSteps)) known.add(field);
  return field;
}

/** Reads as `field.read` does, and throws as it does, in steps where there are any. */
export function* readInSteps<T>(field: Stepwise<T>, from: Reader): Steps<T> {
  if (field.steps === undefined || !hasSteps(field)) return field.read(from);
  return yield* field.steps(from);
}
