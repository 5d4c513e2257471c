/** Groups that change, for tests. */
import { among, command } from '@quorumlab/protocol-testing';
import { type Change, encodeChange, paper, type RaftOptions, raft } from '../src/index.ts';
import { type Cluster, cluster } from './cluster.ts';

const options: RaftOptions = { n: 5, initialMembers: [0, 1, 2] };

const groups: Cluster[] = [];

/** Which lines of the paper that `about` fits have not run in any group of this file. */
export function notRun(about: RegExp): readonly string[] {
  const ran = new Set(groups.flatMap(({ lines }) => [...lines]));
  return Object.keys(paper).filter((line) => about.test(line) && !ran.has(line));
}

/** Server 0 leads 1 and 2; 3 and 4 wait to be let in. */
export function start(more: Partial<RaftOptions> = {}): Cluster {
  const group = cluster(raft({ ...options, ...more }));
  groups.push(group);
  group.elect(0);
  group.settle();
  return group;
}

let asked = 0;

/** A client asks `id` for what `configuration` holds. */
export function ask(group: Cluster, id: number, configuration: Uint8Array): void {
  asked += 1;
  group.request(id, { ...command(`group ${asked}`), operations: [], configuration });
}

/** A client asks `id` for another group. */
export const change = (group: Cluster, id: number, wanted: Change): void =>
  ask(group, id, encodeChange(wanted));

/** The group that `id` goes by. */
export const groupOf = (group: Cluster, id: number) => {
  const { voters, outgoing, learners } = group.view(id).configurations.at(-1)?.configuration ?? {};
  return { voters, outgoing, learners };
};

/** Heartbeats until nobody lacks anything. */
export function calm(group: Cluster, ...servers: readonly number[]): void {
  for (let i = 0; i < 4; i++)
    for (const { id, up, timers } of group.nodes)
      if (up && timers.has('heartbeat') && servers.includes(id)) {
        group.timeout(id, 'heartbeat');
        group.settle(among(...servers));
      }
}

/** All servers. */
export const all = [0, 1, 2, 3, 4] as const;

/** A candidate whose log lacks nothing. */
export const candidacy = { kind: 'request-vote', term: 2, lastIndex: 9, lastTerm: 2 } as const;
