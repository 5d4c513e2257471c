/** Whether a group can answer anything now, and if not, why. */

import { byzantine, majority, range } from '@quorumlab/core';
import { protocolOf } from '@quorumlab/harness';
import { type ClusterConfig, protocolIn } from './config.ts';
import { named } from './node-names.ts';
import type { StatusRow } from './status-row.ts';

/** Options by which a group has quorums or members of its own: then n and f do not tell them. */
const ownQuorums = ['q1', 'q2', 'grid', 'weights', 'initialMembers', 'observers'];

/** How many nodes it takes to answer anything; 1 where only the protocol itself could tell. */
function neededNodes({ protocol, n, f, options }: ClusterConfig): number {
  if (ownQuorums.some((name) => name in options)) return 1;
  const byzantineFaults = protocolOf(protocol).claims.faults === 'byzantine';
  return byzantineFaults ? byzantine(n, f).size : majority(n).size;
}

/** What is looked at of each node. */
type Seen = Pick<
  StatusRow,
  'node' | 'state' | 'role' | 'leader' | 'peers' | 'note' | 'voters' | 'committed'
>;

/**
 * Whose votes count now, by whoever knows most of the log; and the cluster as if it had been made
 * with them, where the group was changed.
 */
export function voting<R extends Pick<Seen, 'node' | 'voters' | 'committed'>>(
  config: ClusterConfig,
  all: readonly R[],
): { readonly config: ClusterConfig; readonly rows: readonly R[] } {
  const [newest] = all
    .filter(({ voters }) => voters !== undefined)
    .sort((one, two) => (two.committed ?? 0) - (one.committed ?? 0));
  const voters = newest?.voters;
  const isAsMade = voters === undefined || voters.join() === range(config.n).join();
  if (isAsMade) return { config, rows: all };
  const n = voters.length;
  const options = { ...config.options };
  // Where members may lie, a group that is changed survives as many as before. Elsewhere it goes by
  // more than half, whatever was told for the first group.
  const survivesLies = protocolOf(config.protocol).claims.faults === 'byzantine';
  const f = survivesLies ? config.f : majority(n).tolerates;
  for (const name of ownQuorums) delete options[name];
  const rows = all.filter(({ node }) => voters.includes(node));
  return { config: { ...config, n, f, options }, rows };
}

/**
 * Why nothing is answered until somebody does something, as one sentence: too few are up, or too
 * many lost their disks. Nothing if neither is so.
 */
export function shortageOf(made: ClusterConfig, all: readonly Seen[]): string | undefined {
  const { config, rows } = voting(made, all);
  const needed = neededNodes(config);
  const { n, protocol } = config;
  const away = rows.filter(({ state }) => state !== 'up' && state !== 'elsewhere');
  const may = n - away.length;
  if (may < needed) {
    const up = rows.filter(({ state }) => state === 'up').length;
    const why = away.map(({ node, note }) => `n${node}: ${note}`).join('; ');
    const are = away.some(({ state }) => state === 'unreachable')
      ? 'can be reached from here'
      : `${up === 1 ? 'is' : 'are'} up`;
    return (
      `${up} of ${n} nodes ${are}, and ${protocol} with n=${n} answers ` +
      `nothing with fewer than ${needed} (${why})`
    );
  }
  const rejoining = rows.filter(({ role }) => role === 'rejoining').map(({ node }) => node);
  if (rejoining.length > 0 && may - rejoining.length < needed)
    return lostDisks(config, rejoining, needed);
  return undefined;
}

/** Why nothing is answered now, as one sentence; nothing if nothing stands in the way. */
export function obstacleOf(made: ClusterConfig, all: readonly Seen[]): string | undefined {
  const shortage = shortageOf(made, all);
  if (shortage !== undefined) return shortage;
  const { config, rows } = voting(made, all);
  const needed = neededNodes(config);
  const { n } = config;
  const up = rows.filter(({ state }) => state === 'up');
  if (up.length < needed) return undefined; // The others are elsewhere: nobody here knows.
  const leads = up.find(({ node, leader }) => leader === node);
  const asksLeaders = protocolIn(made).client.ask === 'leader';
  if (asksLeaders && up.every(({ leader }) => leader === undefined))
    return (
      `no node has found a leader; n${up[0]?.node} is connected to ${up[0]?.peers} of ` +
      `${n - 1} others`
    );
  if (leads !== undefined && (leads.peers ?? 0) + 1 < needed)
    return (
      `n${leads.node} leads and is connected to ${leads.peers} of ${n - 1} others: look at the ` +
      'network between them, and at their ports'
    );
  return undefined;
}

/** Members that lost their disks ask all others first, so two of them wait for each other. */
const lostDisks = (
  { protocol, n }: ClusterConfig,
  rejoining: readonly number[],
  needed: number,
): string =>
  `${named(rejoining)} lost ${rejoining.length === 1 ? 'its disk' : 'their disks'} and ` +
  `${rejoining.length === 1 ? 'waits' : 'wait'} for what every other member knows, which leaves ` +
  `${n - rejoining.length} of the ${needed} that ${protocol} needs` +
  (rejoining.length === 1
    ? '; start the others'
    : '. They wait for each other, and no command brings the group back without loss unless ' +
      'there are copies of their data folders from the last moment: quorumlab cluster down, ' +
      `put the copies back as ${rejoining.map((node) => `n${node}/data`).join(' and ')}, ` +
      'quorumlab cluster up. Without such copies what only they had acknowledged is gone: ' +
      'quorumlab cluster init --folder NEW makes a cluster anew');
