import { paper as basicPaxosPaper } from '@quorumlab/basic-paxos';
import { ms, range } from '@quorumlab/core';
import { paper as epaxosPaper } from '@quorumlab/epaxos';
import { paper as flexiblePaxosPaper } from '@quorumlab/flexible-paxos';
import {
  completeScenario,
  runScenario,
  type Scenario,
  subjectsOf,
  swarmWorld,
} from '@quorumlab/harness';
import { paper as hotstuffPaper } from '@quorumlab/hotstuff';
import { paper as minbftPaper } from '@quorumlab/minbft';
import { paper as multiPaxosPaper } from '@quorumlab/multi-paxos';
import { paper as pbftPaper } from '@quorumlab/pbft';
import { paper as raftPaper } from '@quorumlab/raft';
import { paper as streamletPaper } from '@quorumlab/streamlet';
import { paper as tendermintPaper } from '@quorumlab/tendermint';
import { paper as zabPaper } from '@quorumlab/zab';
import { describe, expect, test } from 'vitest';
import { mutedReigns, reigns } from '../mutants/scenarios.ts';
import { swarm } from '../support/swarm.ts';
import { changes, outrunLeaders, twoStories } from './changes.ts';
import { recoveries } from './recoveries.ts';
import { linesUnder } from './schedules.ts';

/** Worlds per protocol that may be needed until every line has run. */
const budget = 200;

/**
 * Seeds whose worlds have shown what is rare come first. When runs have changed, others will show
 * it, and all that is lost is time.
 */
const telling: Readonly<Record<string, readonly number[]>> = {
  'multi-paxos': [112],
  epaxos: [121],
  raft: [15, 20, 25, 45, 10],
  zab: [41],
};

/** Each seed of the budget once. */
const seedsOf = (protocol: string): ReadonlySet<number> =>
  new Set([...(telling[protocol] ?? []), ...range(budget).map((i) => i + 1)]);

/** Leaders that come and go while followers need snapshots: what plain worlds rarely have. */
const snapshots = reigns(
  {
    protocol: 'raft',
    n: 3,
    network: 'lossy',
    options: {
      preVote: false,
      checkQuorum: false,
      electionTimeout: ms(10),
      heartbeat: ms(1),
      snapshotEvery: 2,
      keepEntries: 0,
    },
  },
  30,
);

/** Reads while a leader has a lease. */
const leased = (protocol: string, seed: number): Scenario =>
  completeScenario({
    protocol,
    n: 3,
    workload: 'a',
    options: { reads: 'lease' },
    seed: `${seed}`,
  });

/** A follower, mostly, that loses its disk. */
const emptied = (seed: number): Scenario =>
  completeScenario({
    protocol: 'raft',
    n: 3,
    count: 60,
    faults: [
      { type: 'crash', at: ms(1000), node: 0 },
      { type: 'restart', at: ms(1200), node: 0, disk: 'lost' },
    ],
    until: ms(20_000),
    seed: `${seed}`,
  });

/** A replica comes back without its disk, and says so. */
const lostDisk = (protocol: string, seed: number): Scenario =>
  completeScenario({
    protocol,
    faults: [
      { type: 'crash', at: ms(200), node: 1 },
      { type: 'restart', at: ms(300), node: 1, disk: 'lost' },
    ],
    until: ms(20_000),
    seed: `${seed}`,
  });

/** Multi-Paxos with short reigns, and slots that are compacted at once. */
const laggards = reigns(
  {
    protocol: 'multi-paxos',
    n: 3,
    network: 'lossy',
    options: {
      electionTimeout: ms(10),
      heartbeat: ms(1),
      snapshotEvery: 2,
      keepSlots: 0,
      alpha: 2,
    },
  },
  30,
);

/** A leader that crashes while its proposals reach hardly anybody leaves gaps behind. */
const gaps = mutedReigns(
  { protocol: 'multi-paxos', n: 3, options: { electionTimeout: ms(10), heartbeat: ms(1) } },
  ['accept'],
  3000,
);

/** Zab with leaders that come and go, and a history that is compacted at once. */
const shortEpochs = reigns(
  {
    protocol: 'zab',
    n: 3,
    network: 'lossy',
    options: {
      electionTimeout: ms(10),
      heartbeat: ms(1),
      snapshotEvery: 2,
      keepTransactions: 0,
      maxPerMessage: 1,
    },
  },
  30,
);

/** PBFT with what is off unless told. */
const optimised = (seed: number): Scenario => {
  const scenario = swarm('pbft', seed);
  return { ...scenario, options: { ...scenario.options, readOnly: true, tentative: true } };
};

const withMacs = (seed: number): Scenario => {
  const scenario = swarm('pbft', seed);
  return { ...scenario, options: { ...scenario.options, authentication: 'mac' } };
};

/** Lines that a protocol has from another one, where it is seen that they run. */
const inherited: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  'flexible-paxos': multiPaxosPaper,
};

const worlds: Readonly<Record<string, (seed: number) => readonly Scenario[]>> = {
  'basic-paxos': (seed) => [swarm('basic-paxos', seed), lostDisk('basic-paxos', seed)],
  'flexible-paxos': (seed) => [swarm('flexible-paxos', seed)],
  'multi-paxos': (seed) => [
    swarm('multi-paxos', seed),
    laggards(seed),
    gaps(seed),
    leased('multi-paxos', seed),
    lostDisk('multi-paxos', seed),
  ],
  epaxos: (seed) => [swarm('epaxos', seed), lostDisk('epaxos', seed)],
  raft: (seed) => [swarm('raft', seed), snapshots(seed), emptied(seed), leased('raft', seed)],
  zab: (seed) => [shortEpochs(seed), swarm('zab', seed), lostDisk('zab', seed)],
  pbft: (seed) => [swarm('pbft', seed), optimised(seed), withMacs(seed)],
  tendermint: (seed) => [swarm('tendermint', seed)],
  streamlet: (seed) => [swarm('streamlet', seed)],
  minbft: (seed) => [swarm('minbft', seed)],
  // Only two of the three rule sets have a lock.
  hotstuff: (seed) => subjectsOf('hotstuff').map((subject) => swarmWorld(subject, seed).scenario),
};

/** Lines that run elsewhere than in scenarios. */
const more: Readonly<Record<string, (seed: number) => readonly string[]>> = {
  'multi-paxos': (seed) => [...changes(seed), ...twoStories()],
  tendermint: () => linesUnder('tendermint', ['no-lock', 'mixed-round-precommits']),
  zab: outrunLeaders,
  epaxos: () => recoveries(),
};

for (const [protocol, paper] of [
  ['basic-paxos', basicPaxosPaper],
  ['flexible-paxos', flexiblePaxosPaper],
  ['multi-paxos', multiPaxosPaper],
  ['epaxos', epaxosPaper],
  ['raft', raftPaper],
  ['zab', zabPaper],
  ['pbft', pbftPaper],
  ['hotstuff', hotstuffPaper],
  ['tendermint', tendermintPaper],
  ['streamlet', streamletPaper],
  ['minbft', minbftPaper],
] as const)
  describe(protocol, () => {
    const lines = new Set<string>();

    test(`every line of the paper runs within ${budget} seeds`, { timeout: 240_000 }, () => {
      const own = Object.keys(paper).filter((line) => !(line in (inherited[protocol] ?? {})));
      const missing = (): string[] => own.filter((line) => !lines.has(line));
      for (const seed of seedsOf(protocol)) {
        if (missing().length === 0) break;
        for (const scenario of worlds[protocol]?.(seed) ?? [])
          for (const line of Object.keys(runScenario(scenario).counters.lines)) lines.add(line);
        for (const line of more[protocol]?.(seed) ?? []) lines.add(line);
      }
      expect(missing()).toEqual([]);
    });

    test('no handler marks a line that the paper does not have', () => {
      expect([...lines].filter((line) => !Object.hasOwn(paper, line))).toEqual([]);
    });

    test('every line has words and, unless it is ours, a section', () => {
      for (const [line, { section, text }] of Object.entries(paper)) {
        expect(section, line).not.toBe('');
        expect(text.length, line).toBeGreaterThan(10);
      }
    });
  });
