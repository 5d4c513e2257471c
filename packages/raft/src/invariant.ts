import { lastIndex } from './log.ts';
/** What one replica can check by itself after every step. */
import type { Replica } from './state.ts';

/** The invariants of Raft that one replica can check by itself in constant time. */
export function invariant(replica: Replica): string | undefined {
  const { commitIndex, lastApplied, compacted, snapshot } = replica;
  if (commitIndex > lastIndex(replica))
    return `commitIndex ${commitIndex} is above the last entry ${lastIndex(replica)}`;
  if (lastApplied !== commitIndex)
    return `entries up to ${commitIndex} are committed, but ${lastApplied} is the last applied`;
  if ((snapshot?.index ?? 0) > commitIndex)
    return `the snapshot ${snapshot?.index} is above commitIndex ${commitIndex}`;
  if (compacted.index > (snapshot?.index ?? 0))
    return `entries up to ${compacted.index} are dropped, the snapshot holds ${snapshot?.index}`;
  if (replica.role === 'leader' && replica.leader === null) return 'a leader follows nobody';
  return undefined;
}
