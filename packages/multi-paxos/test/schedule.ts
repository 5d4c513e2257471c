/** Random schedules in which members also join, leave and lose their disks. */
import { type Schedules, schedules } from '@quorumlab/protocol-testing';
import type { MultiPaxos } from '../src/index.ts';
import { type Cluster, changeOf, cluster } from './cluster.ts';

/** The schedules of Multi-Paxos. */
export const { run, heal, reigns }: Schedules<MultiPaxos> = schedules<MultiPaxos, Cluster>({
  group: cluster,
  election: ['prepare', 'promise'],
  campaign(group, id) {
    // Whoever has just heard a leader waits once more.
    group.timeout(id, 'election');
    group.timeout(id, 'election');
  },
  remembers: (_group, { disk, machine }) =>
    !disk.rejoining && machine.status().role !== 'rejoining',
  changeOf,
  checks: (group) => ({ logs: () => oneValuePerBallot(group) }),
});

/** One value per ballot and slot, whoever has voted for it. */
function oneValuePerBallot(group: Cluster): string | undefined {
  const values = new Map<string, string>();
  for (const { id } of group.nodes)
    for (const [slot, vote] of Object.entries(group.votesOf(id))) {
      const [ballot, value] = vote.split(':') as [string, string];
      const about = `ballot ${ballot} and slot ${slot}`;
      const other = values.get(about) ?? value;
      if (other !== value) return `one value per ballot: ${about} have ${other} and ${value}`;
      values.set(about, value);
    }
  return undefined;
}
