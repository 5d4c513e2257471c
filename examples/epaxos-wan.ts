// EPaxos on five sites of a WAN: a replica at each, and two clients who ask the one beside them.
// How long until a site knows that its command is committed, when none, some or all commands touch
// one key, beside Multi-Paxos, whose leader stands in us-east. Virtual time, medians.
import { latenciesBySite, roundTrip, type SiteLatency } from '@quorumlab/harness';
import { wan, wanRegions } from '@quorumlab/sim';

const n = wanRegions.length;
/** EPaxos commits with as many equal answers as a majority of five has, while two may be down. */
const quorum = 3;
const common = { n, f: 2, clientsPerSite: 2, seed: 7 };

/** Timeouts are above all round trips: nobody takes over what is only far away. */
const epaxos = (conflicts: number): readonly SiteLatency[] =>
  latenciesBySite({
    ...{ protocol: 'epaxos', conflicts, ...common },
    options: { e: n - quorum, recoveryTimeout: 3_000_000, fastPathWait: 10_000 },
  });

const multiPaxos = latenciesBySite({
  ...{ protocol: 'multi-paxos', conflicts: 0, leader: 0, ...common },
  options: { electionTimeout: 2_000_000, pipeline: 10 },
});

const ms = (micros: number): string => `${Math.round(micros / 1000)}`.padStart(6);
const [none, some, all] = [0, 20, 100].map(epaxos);

console.log('ms until committed        EPaxos, conflicts of    Multi-Paxos');
console.log('site          round trip     0 %   20 %  100 %    led in us-east');
for (const [site, name] of wanRegions.entries()) {
  const columns = [none, some, all].map((each) => ms(each?.[site]?.committed.median ?? 0));
  const { least } = roundTrip(wan, site, { n, quorum });
  const led = ms(multiPaxos[site]?.committed.median ?? 0);
  console.log(`${name.padEnd(14)}  ${ms(least)}    ${columns.join(' ')}          ${led}`);
}
const executed = ms(Math.max(...(all ?? []).map(({ answered }) => answered.median)));
console.log(`where all conflict, a client waits up to${executed} ms until its command is executed`);
