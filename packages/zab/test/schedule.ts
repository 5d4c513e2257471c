/** Random schedules, and the properties of Zab that are checked in them. */
import type { ReplicaId } from '@quorumlab/core';
import { among, random, type Schedules, schedules } from '@quorumlab/protocol-testing';
import type { Zab } from '../src/index.ts';
import { type Cluster, cluster } from './cluster.ts';
import { properties } from './properties.ts';

/** What these members say to each other arrives in its order, but for what comes after `most`. */
function deliverSome(group: Cluster, members: readonly ReplicaId[], most: number): void {
  const inside = among(...members);
  for (let left = most; left > 0; left--) {
    const next = group.packets.find(inside);
    if (next === undefined) return;
    group.deliver(next);
  }
}

/** The schedules of Zab. */
export const { run, heal, reigns }: Schedules<Zab> = schedules<Zab, Cluster>({
  group: cluster,
  election: [],
  campaign(group, id) {
    // What happens follows from how many lives there have been: another number each time.
    const chance = random(group.lives * 7919 + id);
    const part = group.nodes
      .map((node) => node.id)
      .filter((each) => each === id || chance.below(3) > 0);
    for (const each of part) {
      group.crash(each);
      group.restart(each);
    }
    group.nominate(part);
    deliverSome(group, part, chance.below(2) === 0 ? 1_000 : chance.below(20));
    for (const { id: leader, machine } of group.nodes)
      if (machine.status().role === 'leader')
        for (let i = chance.below(4); i > 0; i--) group.propose(leader, `${group.lives}.${i}`);
    deliverSome(group, part, chance.below(8));
  },
  remembers(group, { id, up }) {
    const { rejoining } = group.view(id);
    return up && (rejoining === null || rejoining.best?.currentEpoch === 0);
  },
  checks(group) {
    const { now, histories } = properties(group);
    return { now, logs: () => histories() };
  },
});
