/** What one replica can check by itself after every step. */
import { type Replica, stableHeight } from './state.ts';

/** What must hold after every step. */
export function invariant(replica: Replica): string | undefined {
  const { epoch, voted, snapshot, final, lastNotarized, tip } = replica;
  if (voted > epoch) return `has voted in epoch ${voted} and is in epoch ${epoch}`;
  if (lastNotarized >= epoch)
    return `has seen a notarized block of epoch ${lastNotarized} and is in epoch ${epoch}`;
  if (snapshot.height > final.height)
    return `has a snapshot of height ${snapshot.height}, and ${final.height} is its last final one`;
  if (tip !== null && replica.notarized.size === 0 && stableHeight(replica) === 0)
    return 'knows of a longest notarized chain of which nothing is notarized';
  return undefined;
}
