/** What one replica can check by itself after every step. */
import { highViewOf, type Replica, viewAfter } from './state.ts';

/**
 * What must hold after every step. Constant time: each rule about one block is kept where it is
 * written.
 */
export function invariant(replica: Replica): string | undefined {
  const { view, lastVoted, locked, committed, snapshot } = replica;
  if (lastVoted > view) return `voted in view ${lastVoted} and is in view ${view}`;
  if (viewAfter(replica, replica.high) > view)
    return `is in view ${view}, which a certificate has ended`;
  if (locked.view > highViewOf(replica)) return `is locked on view ${locked.view} without proof`;
  if (snapshot.height > committed.height) return `has a snapshot at ${snapshot.height} too early`;
  return undefined;
}
