import { paper as basicPaxosPaper } from '@quorumlab/basic-paxos';
import { ms } from '@quorumlab/core';
import { paper as flexiblePaxosPaper } from '@quorumlab/flexible-paxos';
import { completeScenario, runScenario, type Scenario } from '@quorumlab/harness';
import { paper as hotstuffPaper } from '@quorumlab/hotstuff';
import { paper as multiPaxosPaper } from '@quorumlab/multi-paxos';
import { paper as pbftPaper } from '@quorumlab/pbft';
import { paper as raftPaper } from '@quorumlab/raft';
import { describe, expect, test } from 'vitest';
import { reigns } from '../mutants/scenarios.ts';
import { subjectsOf, swarm, swarmWorld } from '../simulation/swarm.ts';

/** Worlds per protocol that may be needed until every line has run. */
const budget = 200;

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

/** Lines that a protocol has from another one, where it is seen that they run. */
const inherited: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  'flexible-paxos': multiPaxosPaper,
};

const worlds: Readonly<Record<string, (seed: number) => readonly Scenario[]>> = {
  'basic-paxos': (seed) => [swarm('basic-paxos', seed), lostDisk('basic-paxos', seed)],
  'flexible-paxos': (seed) => [swarm('flexible-paxos', seed)],
  raft: (seed) => [swarm('raft', seed), snapshots(seed), emptied(seed)],
  pbft: (seed) => [swarm('pbft', seed)],
  // Only two of the three rule sets have a lock.
  hotstuff: (seed) => subjectsOf('hotstuff').map((subject) => swarmWorld(subject, seed).scenario),
};

for (const [protocol, paper] of [
  ['basic-paxos', basicPaxosPaper],
  ['flexible-paxos', flexiblePaxosPaper],
  ['raft', raftPaper],
  ['pbft', pbftPaper],
  ['hotstuff', hotstuffPaper],
] as const)
  describe(protocol, () => {
    const lines = new Set<string>();

    test(`every line of the paper runs within ${budget} seeds`, { timeout: 60_000 }, () => {
      const own = Object.keys(paper).filter((line) => !(line in (inherited[protocol] ?? {})));
      const missing = (): string[] => own.filter((line) => !lines.has(line));
      for (let seed = 1; seed <= budget && missing().length > 0; seed++)
        for (const scenario of worlds[protocol]?.(seed) ?? [])
          for (const line of Object.keys(runScenario(scenario).counters.lines)) lines.add(line);
      expect(missing()).toEqual([]);
    });

    test('no handler marks a line that the paper does not have', () => {
      expect([...lines].filter((line) => !Object.hasOwn(paper, line))).toEqual([]);
    });

    test('every line has words and, unless it is ours, a section', () => {
      for (const [line, said] of Object.entries(paper)) {
        const text = typeof said === 'string' ? said : `${said.section} ${said.text}`;
        expect(text.length, line).toBeGreaterThan(10);
      }
    });
  });
