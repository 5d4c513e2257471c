/** Commits on five sites of a wide area, in virtual time: the same figures on every machine. */
import {
  latenciesBySite,
  type OptionValues,
  roundTrip,
  type SiteLatency,
  wayAndBack,
} from '@quorumlab/harness';
import { wan, wanRegions } from '@quorumlab/sim';
import type { Part, Row } from './measure.ts';

const n = wanRegions.length;
/** A majority of five, and as many as EPaxos needs for its fast path with e = 2. */
const quorum = 3;
/** Timeouts above all round trips, and room for all that is under way. */
const epaxos: OptionValues = { recoveryTimeout: 3_000_000, fastPathWait: 10_000, pipeline: 64 };
const multiPaxos: OptionValues = { electionTimeout: 2_000_000, pipeline: 16 };

const shown = (micros: number): string => `${Math.round(micros / 1000)} ms`;

const rowOf = (name: string, limit: Row['limit'], { committed, answered }: SiteLatency): Row => ({
  part: 'wan',
  name,
  value: committed.median / 1000,
  unit: 'ms',
  ...(limit ? { limit } : {}),
  note: 'from asking until the site knows that its command is committed; virtual time',
  more: `p99 ${shown(committed.p99)}; answered ${shown(answered.median)}, ${shown(answered.p99)}`,
});

const at = (site: number): string => wanRegions[site] ?? `site ${site}`;

/** EPaxos at three rates of conflicts, and Multi-Paxos with its leader at two sites. */
export const sites: Part = async ({ quick }) => {
  const more = quick ? { clientsPerSite: 2, operations: 5 } : {};
  const rows: Row[] = [];
  for (const conflicts of [0, 20, 100])
    for (const each of latenciesBySite({
      ...{ protocol: 'epaxos', conflicts, options: epaxos },
      ...more,
    })) {
      const value = roundTrip(wan, each.site, { n, quorum }).least / 1000;
      const name = `EPaxos, ${conflicts} % conflicts, ${at(each.site)}`;
      rows.push(rowOf(name, { name: 'round trip to its nearest two', value }, each));
    }
  for (const leader of [0, n - 1]) {
    const there = roundTrip(wan, leader, { n, quorum });
    for (const each of latenciesBySite({
      ...{ protocol: 'multi-paxos', conflicts: 0, options: multiPaxos, leader },
      ...more,
    })) {
      const value = (wayAndBack(wan, each.site, leader).least + there.least) / 1000;
      const name = `Multi-Paxos led in ${at(leader)}, ${at(each.site)}`;
      rows.push(rowOf(name, { name: 'to the leader and back, and its round trip', value }, each));
    }
  }
  return rows;
};
