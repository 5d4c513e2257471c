/** Which requests must be in one order everywhere, where not all are. */
import type { Request } from '@quorumlab/core';
import type { StateMachine } from './types.ts';

/**
 * Whether two requests interfere: those of one client do, because its session tells by their order
 * which it has seen; so does a change of the group with everything, and otherwise whatever the
 * application says of any two of their operations. Symmetric if the application is.
 */
export function interference({
  interferes,
}: Pick<StateMachine, 'interferes'>): (one: Request, other: Request) => boolean {
  return (one, other) => {
    if (one.client === other.client) return true;
    if (one.configuration !== undefined || other.configuration !== undefined) return true;
    const { operations } = other;
    if (interferes === undefined) return one.operations.length > 0 && operations.length > 0;
    return one.operations.some((first) => operations.some((second) => interferes(first, second)));
  };
}
