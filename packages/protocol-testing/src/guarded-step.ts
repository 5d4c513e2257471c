/** Steps in which a guard that refuses what its handler needs does not go unnoticed. */
import type { Input, Instant, Machine, Output, Shape, Signed } from '@quorumlab/core';

/**
 * Whether two values of plain state say the same, in the same order. What snapshots share is not
 * looked into, and of bytes only the number counts: nobody changes them in place.
 */
function same(one: unknown, two: unknown): boolean {
  if (Object.is(one, two)) return true;
  if (typeof one !== 'object' || typeof two !== 'object' || one === null || two === null)
    return false;
  if (one instanceof Uint8Array) return two instanceof Uint8Array && one.length === two.length;
  if (one instanceof Map) return two instanceof Map && one.size === two.size && sameEach(one, two);
  if (one instanceof Set) return two instanceof Set && one.size === two.size && sameEach(one, two);
  const keys = Object.keys(one);
  if (Array.isArray(one) !== Array.isArray(two) || keys.length !== Object.keys(two).length)
    return false;
  for (const key of keys)
    if (!same(one[key as keyof typeof one], two[key as keyof typeof two])) return false;
  return true;
}

/** Two collections of one size, member by member. */
function sameEach(one: Iterable<unknown>, two: Iterable<unknown>): boolean {
  const others = two[Symbol.iterator]();
  for (const each of one) if (!same(each, others.next().value)) return false;
  return true;
}

/** For people. */
const plain = (_key: string, value: unknown): unknown => {
  if (value instanceof Uint8Array) return value.length;
  return value instanceof Map || value instanceof Set ? [...value] : value;
};

/** Whether a step comes to anything but lines of the paper. */
const saysAnything = <P extends Shape>({ lines: _, ...parts }: Output<P>): boolean =>
  Object.values(parts).some((list) => list.length > 0);

/** Whether `Machine.admits`, or `Machine.expects` of all messages of its kind, refuses it. */
const isRefused = <P extends Shape>(
  machine: Machine<P>,
  message: Signed<P['Message']>,
  now: Instant,
): boolean =>
  machine.admits?.(message, now) === false ||
  machine.expects?.(message.kind, message.from) === false;

/**
 * Steps, whatever `Machine.admits` says of a message of another. Throws if it refuses the message
 * and the step then changes the state or says something.
 */
export function guardedStep<P extends Shape>(machine: Machine<P>, input: Input<P>): Output<P> {
  const { event, now } = input;
  // What a replica says to itself no host asks about.
  const isAsked = event.type === 'message' && event.message.from !== machine.self;
  if (!isAsked || !isRefused(machine, event.message, now)) return machine.step(input);
  const before = machine.snapshot();
  const output = machine.step(input);
  if (!same(before, machine.snapshot()) || saysAnything(output))
    throw new Error(`A guard refuses ${JSON.stringify(event, plain)}, which comes to something.`);
  return output;
}
