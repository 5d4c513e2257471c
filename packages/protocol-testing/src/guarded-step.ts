/** Steps in which a guard that refuses what its handler needs does not go unnoticed. */
import type { Input, Machine, Output, Shape } from '@quorumlab/core';

/** Bytes by their number: nobody changes them in place, and they may be many. */
const plain = (_key: string, value: unknown): unknown => {
  if (value instanceof Uint8Array) return value.length;
  return value instanceof Map || value instanceof Set ? [...value] : value;
};

const textOfState = <P extends Shape>(machine: Machine<P>): string =>
  JSON.stringify(machine.snapshot(), plain);

/** Whether a step comes to anything but lines of the paper. */
const saysAnything = <P extends Shape>({ lines: _, ...parts }: Output<P>): boolean =>
  Object.values(parts).some((list) => list.length > 0);

/**
 * Steps, whatever `Machine.admits` says of a message of another. Throws if it refuses the message
 * and the step then changes the state or says something.
 */
export function guardedStep<P extends Shape>(machine: Machine<P>, input: Input<P>): Output<P> {
  const { event, now } = input;
  // What a replica says to itself no host asks about.
  const isAsked = event.type === 'message' && event.message.from !== machine.self;
  if (!isAsked || machine.admits?.(event.message, now) !== false) return machine.step(input);
  const before = textOfState(machine);
  const output = machine.step(input);
  if (textOfState(machine) !== before || saysAnything(output))
    throw new Error(`A guard refuses ${JSON.stringify(event, plain)}, which comes to something.`);
  return output;
}
