import { lastCounter, lastZxid } from './history.ts';
/** What one replica can check by itself after every step. */
import type { Replica } from './state.ts';

/** The invariants of Zab that one replica can check by itself in constant time. */
export function invariant(replica: Replica): string | undefined {
  const { acceptedEpoch, currentEpoch, committed, delivered, compacted, snapshot } = replica;
  const last = lastCounter(replica);
  const kept = snapshot?.zxid.counter ?? 0;
  if (currentEpoch > acceptedEpoch)
    return `epoch ${currentEpoch} is current, and only ${acceptedEpoch} is promised`;
  if (lastZxid(replica).epoch > acceptedEpoch)
    return `the history has epoch ${lastZxid(replica).epoch}, promised is ${acceptedEpoch}`;
  if (delivered > last) return `${delivered} transactions are delivered, ${last} are there`;
  if (delivered > committed) return `${delivered} is delivered, and only ${committed} committed`;
  if (kept > delivered) return `the snapshot ${kept} is above what is delivered, ${delivered}`;
  if (compacted.counter > kept)
    return `transactions up to ${compacted.counter} are dropped, the snapshot holds ${kept}`;
  if (replica.observes && replica.role === 'leading') return 'an observer leads';
  if (replica.observes && replica.phase === 'broadcast' && delivered !== last)
    return `an observer has ${last} transactions, of which ${delivered} are committed`;
  if (replica.role === 'leading' && replica.phase === 'broadcast')
    if (currentEpoch !== replica.epoch || delivered !== committed)
      return `it leads epoch ${replica.epoch} in epoch ${currentEpoch}, ${delivered} delivered`;
  return undefined;
}
