/** What one replica can check by itself after every step. */
import type { Group } from './group.ts';
import type { Replica } from './state.ts';

/** The invariants of Multi-Paxos that one replica can check by itself in constant time. */
export function invariant(group: Group, replica: Replica): string | undefined {
  const { firstUnchosen, chosenBelow, keptFrom, snapshot, promised, open } = replica;
  if (chosenBelow > firstUnchosen)
    return `slots below ${chosenBelow} are chosen on the disk, and ${firstUnchosen} is unchosen`;
  if (keptFrom > (snapshot === null ? 0 : snapshot.slot + 1))
    return `slots below ${keptFrom} are dropped, the snapshot ends with ${snapshot?.slot ?? -1}`;
  if (replica.ballot > promised && replica.role === 'leader')
    return `it leads ballot ${replica.ballot} and has promised only ${promised}`;
  if (open.size > group.alpha)
    return `${open.size} slots are open, which is more than the window of ${group.alpha}`;
  if (firstUnchosen > keptFrom && !replica.accepted.has(firstUnchosen - 1))
    return `slot ${firstUnchosen - 1} is chosen, and its value is not kept`;
  return undefined;
}
