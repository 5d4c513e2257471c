/** Queries that wait until the protocol allows them. */
import type { PrincipalId } from '@quorumlab/core';
import type { PendingRead, ServiceState } from './replica-state.ts';

/** Most queries that wait for the protocol's permission, and most bytes of them. */
const mostReads = { queries: 1024, bytes: 16 << 20 };

/**
 * Reads that a deposed leader may never allow must not fill the memory: while they are too many or
 * too large, the oldest one goes of the client that takes the most. So no client drives out others.
 */
export function forgetReads(state: ServiceState): void {
  for (;;) {
    const tooMany = state.reads.size > mostReads.queries;
    if (!tooMany && state.readBytes <= mostReads.bytes) return;
    const most = clientWithMost(state, tooMany ? () => 1 : ({ size }) => size);
    for (const [id, { client, size }] of state.reads) {
      if (client !== most) continue;
      state.reads.delete(id);
      state.readBytes -= size;
      break;
    }
  }
}

function clientWithMost(
  { reads }: ServiceState,
  weigh: (read: PendingRead) => number,
): PrincipalId | undefined {
  const sums = new Map<PrincipalId, number>();
  let most: PrincipalId | undefined;
  for (const read of reads.values()) {
    const { client } = read;
    const sum = (sums.get(client) ?? 0) + weigh(read);
    sums.set(client, sum);
    if (most === undefined || sum > (sums.get(most) ?? 0)) most = client;
  }
  return most;
}
