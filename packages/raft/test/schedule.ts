/** Random schedules, and the properties of the paper's Figure 3 that are checked in them. */
import type { ReplicaId } from '@quorumlab/core';
import { type Schedules, schedules } from '@quorumlab/protocol-testing';
import type { Raft } from '../src/index.ts';
import { type Cluster, cluster } from './cluster.ts';

/** The schedules of Raft. */
export const { run, heal, reigns }: Schedules<Raft> = schedules<Raft, Cluster>({
  group: cluster,
  election: ['pre-vote', 'pre-vote-reply', 'request-vote', 'vote'],
  campaign: (group, id) => group.timeout(id, 'election'),
  remembers(group, { id, up }) {
    const { rejoining } = group.view(id);
    return up && (rejoining === null || rejoining.best?.index === 0);
  },
  checks(group) {
    const leaders = new Map<number, ReplicaId>();
    return {
      now: () => electionSafety(group, leaders),
      logs: (decided) => logMatching(group) ?? leaderCompleteness(group, decided),
    };
  },
});

/** One leader per term; `leaders` holds those that were seen. */
function electionSafety(group: Cluster, leaders: Map<number, ReplicaId>): string | undefined {
  for (const { id, up, machine } of group.nodes) {
    const { role, term } = machine.status();
    if (!up || role !== 'leader') continue;
    const other = leaders.get(term) ?? id;
    if (other !== id) return `election safety: ${other} and ${id} lead term ${term}`;
    leaders.set(term, id);
  }
  return undefined;
}

function logMatching(group: Cluster): string | undefined {
  const views = group.nodes.map(({ id }) => group.view(id));
  for (const [id, one] of views.entries())
    for (const two of views.slice(id + 1)) {
      let equal = false;
      for (const index of [...one.log.keys()].sort((a, b) => b - a)) {
        const mine = one.log.get(index);
        const other = two.log.get(index);
        if (other === undefined || mine === undefined) continue;
        if (mine.term === other.term) equal = true;
        const same = mine.term === other.term && mine.command === other.command;
        if (equal && !same) return `log matching: replica ${id} differs at index ${index}`;
      }
    }
  return undefined;
}

function leaderCompleteness(group: Cluster, decided: number): string | undefined {
  const views = group.nodes.map(({ id }) => group.view(id));
  const newest = Math.max(...views.map(({ currentTerm }) => currentTerm));
  for (const [id, { role, currentTerm, log, compacted }] of views.entries())
    if (group.nodes[id]?.up && role === 'leader' && currentTerm === newest)
      if (compacted.index + log.size < decided)
        return `leader completeness: ${id} lacks committed entries in term ${currentTerm}`;
  return undefined;
}
