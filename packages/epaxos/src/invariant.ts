/** What one replica can check by itself after every step. */
import type { Group } from './group.ts';
import type { Replica } from './state.ts';

/** The invariants of EPaxos* that one replica can check by itself in constant time. */
export function invariant(group: Group, replica: Replica): string | undefined {
  const { cut, snapshot, slot, cutSlot, own, ready, waiting, places } = replica;
  if (snapshot !== null && snapshot.cut.checkpoints > cut.checkpoints)
    return `the snapshot is of checkpoint ${snapshot.cut.checkpoints}, not the last one here`;
  if (cut.below > cut.base) return `what is below ${cut.below} is over, and ${cut.base} begins`;
  if (slot < cutSlot) return `slot ${slot} is next, and the last checkpoint was before ${cutSlot}`;
  if (own.size > 3 * group.window)
    return `${own.size} own instances are open, in three windows of ${group.window}`;
  if (ready.length > 0) return `${ready.length} committed instances were not looked at`;
  if (waiting.length > places.size) return 'a command waits twice';
  return undefined;
}
