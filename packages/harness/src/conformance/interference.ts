/** What protocols that order only some commands have to be able to rely on. */
import { firstClient, sameBytes, toHex } from '@quorumlab/core';
import type { StateMachine } from '@quorumlab/log';
import type { ProtocolCase } from './protocol-suite.ts';

/** `interferes` of a state machine is wrong; the sentence names two operations that show it. */
export class InterferenceError extends Error {
  override readonly name: string = 'InterferenceError';
}

/**
 * What `StateMachine.interferes` promises, as a list of cases without a test runner, tried with any
 * two of `operations`, after each of them. Each throws an {@link InterferenceError} if a promise is
 * broken. A state machine without it keeps them all.
 *
 * @example
 * ```ts
 * import { testInterference } from '@quorumlab/harness';
 * import { keyValueStore, kv } from '@quorumlab/log';
 *
 * const operations = [kv.get('a'), kv.put('a', '1'), kv.put('b', '2')];
 * for (const { run } of testInterference(keyValueStore, operations)) run();
 * ```
 */
export function testInterference(
  stateMachine: () => StateMachine,
  operations: readonly Uint8Array[],
): readonly ProtocolCase[] {
  const { interferes = () => true } = stateMachine();
  const pairs = operations.flatMap((one) => operations.map((other) => [one, other] as const));
  return [
    {
      name: 'interference is symmetric',
      run() {
        for (const [one, other] of pairs)
          if (interferes(one, other) !== interferes(other, one))
            throw new InterferenceError(
              `${toHex(one)} interferes with ${toHex(other)} in one order of the two only; ` +
                'make interferes(a, b) and interferes(b, a) the same',
            );
      },
    },
    {
      name: 'what does not interfere can run in either order',
      run() {
        for (const [one, other] of pairs)
          if (!interferes(one, other))
            for (const first of operations) commutes(stateMachine, first, one, other);
      },
    },
  ];
}

function commutes(
  stateMachine: () => StateMachine,
  first: Uint8Array,
  one: Uint8Array,
  other: Uint8Array,
): void {
  const way = stateMachine();
  const back = stateMachine();
  for (const each of [way, back]) each.apply(first, firstClient);
  const ofOne = way.apply(one, firstClient);
  const ofOther = way.apply(other, firstClient + 1);
  const otherFirst = back.apply(other, firstClient + 1);
  const oneLast = back.apply(one, firstClient);
  if (
    sameBytes(ofOne, oneLast) &&
    sameBytes(ofOther, otherFirst) &&
    sameBytes(way.snapshot(), back.snapshot())
  )
    return;
  throw new InterferenceError(
    `${toHex(one)} and ${toHex(other)} are said not to interfere, and after ${toHex(first)} ` +
      'their order shows in a result or in the state; let interferes say so',
  );
}
