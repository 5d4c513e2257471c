/** What is known of a vote, and of what a quorum has acknowledged, for any quorum system. */

import type { QuorumSystem } from './quorum-system.ts';
import type { ReplicaId } from './vocabulary.ts';

/** How a vote stands: 'lost' once no answer that is still missing can make it 'won'. */
export type VoteResult = 'won' | 'lost' | 'pending';

/**
 * How a vote stands when these have said yes and these no; whoever is in neither may still say
 * either. A member that is in both counts as a yes. Non-members count for nothing.
 */
export function voteResult(
  quorums: QuorumSystem,
  yes: Iterable<ReplicaId>,
  no: Iterable<ReplicaId>,
): VoteResult {
  const granted = new Set(yes);
  if (quorums.has(granted)) return 'won';
  const refused = new Set(no);
  const hopeful = quorums.members.filter((each) => granted.has(each) || !refused.has(each));
  return quorums.has(hopeful) ? 'pending' : 'lost';
}

/**
 * The highest index that a quorum has acknowledged, each member all up to its own: Raft's
 * commitIndex, a learner's chosen prefix. Nothing if too few have acknowledged anything.
 */
export function committedIndex(
  quorums: QuorumSystem,
  acknowledged: ReadonlyMap<ReplicaId, number>,
): number | undefined {
  // This runs for every acknowledgement, and sorting the members would cost more than all else.
  const { members } = quorums;
  const holders: ReplicaId[] = [];
  for (let below = Number.POSITIVE_INFINITY; ; ) {
    let next = -1;
    for (let i = 0; i < members.length; i++) {
      const index = acknowledged.get(members[i] as ReplicaId) ?? -1;
      if (index < below && index > next) next = index;
    }
    if (next < 0) return undefined;
    for (let i = 0; i < members.length; i++)
      if (acknowledged.get(members[i] as ReplicaId) === next) holders.push(members[i] as ReplicaId);
    if (quorums.has(holders)) return next;
    below = next;
  }
}
