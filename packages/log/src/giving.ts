/** What a replica gives to others of the snapshots that it has. */

import { type Digest, type Instant, ms, type PrincipalId } from '@quorumlab/core';
import { rowOf } from './disk-layout.ts';
import type { ServiceMessage } from './messages.ts';
import type { Run, Served } from './replica-state.ts';
import type { LogShape } from './types.ts';

/** Who has not asked for so long fetches no more. */
const patience = ms(10_000);

/** The snapshots that members fetch now: newer ones do not take their place. */
export function fetchedOf(served: ReadonlyMap<PrincipalId, Served>, now: Instant): Set<Digest> {
  const roots = new Set<Digest>();
  for (const { root, at } of served.values()) if (now - at < patience) roots.add(root);
  return roots;
}

/** The answer to a message that asks for a part of a snapshot; nothing for any other. */
export function given<S extends LogShape>(
  { state: { kept, shelf }, rows }: Run<S>,
  message: ServiceMessage,
): ServiceMessage | undefined {
  if (message.kind === 'snapshot-request') {
    const { slot, root } = message;
    const found = kept.find(({ record }) => record.digest === root && record.slot === slot);
    return found?.manifest ?? { kind: 'snapshot-absent', slot, root };
  }
  if (message.kind !== 'chunk-request') return undefined;
  const { root, index } = message;
  const found = kept.find(({ record }) => record.digest === root);
  const name = found?.manifest.chunks[index];
  const row = name === undefined ? undefined : rowOf(shelf, name);
  const bytes = row === undefined ? undefined : rows.get(row);
  return bytes === undefined
    ? { kind: 'snapshot-absent', slot: found?.record.slot ?? 0, root }
    : { kind: 'snapshot-chunk', root, index, bytes };
}
