/** Random schedules in which replicas also lose their disks. */
import { type Schedules, schedules } from '@quorumlab/protocol-testing';
import type { Epaxos, InstanceId } from '../src/index.ts';
import { type Cluster, cluster, fateIn } from './cluster.ts';

/** The schedules of EPaxos. */
export const { run, heal, reigns }: Schedules<Epaxos> = schedules<Epaxos, Cluster>({
  group: cluster,
  anyLeads: true,
  election: ['recover', 'recover-ok', 'validate', 'validate-ok'],
  campaign: (group, id) => group.recover(id),
  remembers: (_group, { disk, machine }) =>
    !disk.rejoining && machine.status().role !== 'rejoining',
  checks: (group) => ({ logs: () => oneFatePerInstance(group) }),
});

/** Agreement per instance on its command and its dependencies, and visibility. */
export function oneFatePerInstance(group: Cluster): string | undefined {
  const fates = new Map<InstanceId, string>();
  const all = new Map<InstanceId, ReadonlySet<InstanceId>>();
  const n = group.nodes.length;
  for (const { id } of group.nodes) {
    const view = group.view(id);
    const { instances, cut } = view;
    for (const [instance, row] of instances) {
      if (row.accepted > row.ballot) return `${id} accepted ${instance} above what it joined`;
      if (row.phase !== 'committed') continue;
      const fate = fateIn(view, instance);
      const other = fates.get(instance) ?? fate;
      if (other !== fate) return `instance ${instance} is ${other} and, at ${id}, ${fate}`;
      fates.set(instance, fate);
      if (row.isNoOp || instance < cut.below) continue;
      const after = new Set<InstanceId>();
      for (const { from, count } of row.dependencies)
        for (let i = 0; i < count; i++) after.add(from + i * n);
      all.set(instance, after);
    }
  }
  return blind(group, all);
}

/** Of two that interfere, one depends on the other, or a checkpoint is between them. */
function blind(
  group: Cluster,
  all: ReadonlyMap<InstanceId, ReadonlySet<InstanceId>>,
): string | undefined {
  const cuts = group.nodes.map(({ id }) => group.view(id));
  const isBefore = (one: InstanceId, after: ReadonlySet<InstanceId>): boolean =>
    after.has(one) ||
    cuts.some(({ cut, covered }) => covered.has(one) && after.has(cut.checkpoint)) ||
    cuts.some(({ cut }) => one < cut.below);
  const isCovered = (one: InstanceId): boolean => cuts.some(({ covered }) => covered.has(one));
  for (const [one, after] of all)
    for (const [other, theirs] of all)
      if (one < other && !isBefore(other, after) && !isBefore(one, theirs))
        if (!isCovered(one) && !isCovered(other))
          return `neither ${one} nor ${other} depends on the other`;
  return undefined;
}
