/** Each flaw with the worlds in which it shows, and how many seeds finding it may take. */
import { ms } from '@quorumlab/core';
import { runScenario, type Scenario } from '@quorumlab/harness';
import { swarm } from '../support/swarm.ts';
import { attacked, blackouts, type Family, hiccups, mutedReigns, reigns } from './scenarios.ts';

/** A wrong variant and its hunting ground. */
export interface Hunt {
  readonly name: string;
  readonly family: Family;
  /** The right variant's scenario made into the wrong one's. */
  readonly spoil: (scenario: Scenario) => Scenario;
  /** Seeds, from 1, within which it must be caught. */
  readonly budget: number;
}

/** What came of a hunt. */
export interface Catch {
  /** The first seed that shows the flaw, if any does. */
  readonly seed: number | undefined;
  readonly what: string;
  /** What the right variant did wrong under the same seeds; nothing, one hopes. */
  readonly rightFails: string | undefined;
}

const eager = { preVote: false, checkQuorum: false, heartbeat: ms(1) };
const short = { ...eager, electionTimeout: ms(6), maxEntriesPerAppend: 1 };

const muted = (stepMicros: number, more: Partial<Scenario> = {}): Family =>
  mutedReigns(
    { protocol: 'raft', n: 5, options: { ...short, maxInFlight: 1 }, ...more },
    ['append-entries'],
    stepMicros,
  );
const slowVotes = {
  protocol: 'raft',
  n: 3,
  network: 'psync:gst=1s,delta=1ms',
  options: { ...eager, electionTimeout: ms(30), heartbeat: ms(10) },
};
const voter = hiccups(slowVotes, 3000);
const terse = { electionTimeout: ms(6), heartbeat: ms(1) };
/** So many that a leader has always something under way. */
const crowd = { clients: 6, outstanding: 4, count: 200 };
const views = { protocol: 'pbft', n: 4, f: 1, options: { requestTimeout: ms(15) } };

const hasty = { electionTimeout: ms(10), heartbeat: ms(1), maxCommandsPerSlot: 1 };

/** Leaders that are heard by hardly anybody, and leave gaps behind. */
const deaf = mutedReigns(
  {
    protocol: 'multi-paxos',
    n: 3,
    options: hasty,
    clients: 6,
    outstanding: 4,
    count: 200,
  },
  ['accept', 'heartbeat', 'learn'],
  3000,
);

const mutant = (protocol: string, rule: string, budget: number, family: Family): Hunt => ({
  name: `${protocol}/${rule}`,
  family,
  budget,
  spoil: (scenario) => ({ ...scenario, mutant: rule }),
});

/** Disks that acknowledge before they sync, where the right ones do not. */
const lyingDisk = (protocol: string, n: number): Hunt => ({
  name: `disk/ack-before-fsync under ${protocol}`,
  family: blackouts({ protocol, n }),
  budget: 40,
  spoil: (scenario) => ({
    ...scenario,
    faults: scenario.faults.map((fault) =>
      fault.type === 'disk' ? { ...fault, disk: { ...fault.disk, lies: true } } : fault,
    ),
  }),
});

/** All hunts of the ordinary run. */
export const hunts: readonly Hunt[] = [
  mutant(
    'basic-paxos',
    'amnesia',
    20,
    hiccups(
      {
        protocol: 'basic-paxos',
        n: 3,
        network: 'psync:gst=1s,delta=1ms',
        options: { retry: ms(1), maxRetry: ms(20) },
        workload: 'a',
      },
      3000,
    ),
  ),
  mutant(
    'flexible-paxos',
    'disjoint-quorums',
    10,
    reigns({ protocol: 'flexible-paxos', n: 4, options: terse }, 15),
  ),
  mutant(
    'flexible-paxos',
    'rows-for-both',
    10,
    reigns({ protocol: 'flexible-paxos', n: 4, options: { ...terse, grid: '2x2' } }, 15),
  ),
  mutant('multi-paxos', 'gap-noop', 60, deaf),
  mutant('multi-paxos', 'commit-by-index', 60, deaf),
  mutant(
    'multi-paxos',
    'amnesia',
    60,
    reigns({ protocol: 'multi-paxos', n: 3, options: hasty }, 15),
  ),
  mutant('epaxos', 'execute-early', 20, (seed) => swarm('epaxos', seed)),
  mutant('epaxos', 'forked-commit', 20, (seed) => swarm('epaxos', seed)),
  mutant('epaxos', 'early-ack', 20, (seed) => swarm('epaxos', seed)),
  mutant('raft', 'figure-8', 40, muted(3500, crowd)),
  mutant('raft', 'double-vote', 60, voter),
  mutant('raft', 'rejoin-as-new', 60, hiccups(slowVotes, 3000, 'lost')),
  mutant(
    'raft',
    'commit-beyond-verified',
    30,
    reigns({ protocol: 'raft', n: 5, options: short }, 30),
  ),
  mutant('raft', 'truncate-on-stale-append', 60, muted(4000)),
  mutant('raft', 'vote-by-length', 100, muted(4000)),
  mutant(
    'raft',
    'stale-leader-read',
    30,
    reigns(
      { protocol: 'raft', n: 3, options: short, workload: 'a', clients: 6, outstanding: 2 },
      20,
    ),
  ),
  mutant(
    'zab',
    'epoch-before-history',
    60,
    mutedReigns(
      { protocol: 'zab', n: 3, options: { ...terse, maxPerMessage: 1 }, ...crowd },
      ['propose', 'newleader'],
      6000,
    ),
  ),
  mutant('zab', 'fifo-assumed', 40, reigns({ protocol: 'zab', n: 3, options: terse }, 15)),
  mutant('zab', 'counts-before-fsync', 20, reigns({ protocol: 'zab', n: 3, options: terse }, 15)),
  mutant(
    'pbft',
    'hard-coded-2f+1',
    10,
    attacked({ protocol: 'pbft', n: 5, f: 1, attack: 'double-voter' }),
  ),
  mutant(
    'pbft',
    'no-digest-match',
    10,
    attacked({ protocol: 'pbft', n: 4, f: 1, attack: 'equivocating-leader' }),
  ),
  mutant(
    'pbft',
    'skip-commit-phase',
    60,
    mutedReigns(
      { ...views, clients: 4, network: 'lossy' },
      ['prepare', 'commit', 'committed'],
      ms(60),
    ),
  ),
  mutant(
    'pbft',
    'tentative-without-rollback',
    10,
    mutedReigns(
      {
        ...views,
        options: { ...views.options, tentative: true },
        clients: 4,
        network: 'lossy',
      },
      ['prepare', 'commit', 'committed'],
      ms(60),
    ),
  ),
  mutant('pbft', 'prepared-not-carried', 60, reigns(views, 40)),
  mutant('pbft', 'no-watermarks', 60, (seed) => swarm('pbft', seed)),
  mutant('basic-paxos', 'duel-without-backoff', 60, (seed) => swarm('basic-paxos', seed)),
  mutant('hotstuff', 'forgets-proposed', 20, (seed) => swarm('hotstuff', seed)),
  mutant('hotstuff', 'flush-order', 20, (seed) => swarm('hotstuff', seed)),
  mutant('hotstuff', 'rotation-n4', 60, (seed) => swarm('hotstuff', seed)),
  mutant(
    'tendermint',
    'quorum-2f+1',
    10,
    attacked({ protocol: 'tendermint', n: 5, f: 1, attack: 'double-voter' }),
  ),
  mutant(
    'streamlet',
    'quorum-2f+1',
    30,
    attacked({ protocol: 'streamlet', n: 5, f: 1, attack: 'double-voter' }),
  ),
  mutant(
    'minbft',
    'quorum-of-f',
    30,
    attacked({ protocol: 'minbft', n: 3, f: 1, attack: 'split' }),
  ),
  lyingDisk('raft', 3),
  lyingDisk('pbft', 4),
];

/** What is wrong with the run of `scenario`; nothing if it is right. */
function flawIn(scenario: Scenario): string | undefined {
  const { word, violation, reasons } = runScenario(scenario, { lines: false });
  const reason = reasons.find((each) => each !== undefined);
  if (reason !== undefined) return `a replica stopped: ${reason}`;
  return word === 'ok' ? undefined : `${word}: ${violation?.sentence ?? 'not finished'}`;
}

/** What came of right variants: some mutants are hunted in the same worlds. */
const judged = new Map<string, string | undefined>();

/** As {@link flawIn}, for a scenario of a right variant, which is run once. */
function flawInRight(scenario: Scenario): string | undefined {
  const world = JSON.stringify(scenario);
  if (!judged.has(world)) judged.set(world, flawIn(scenario));
  return judged.get(world);
}

/** Looks for the flaw, seed by seed, and runs the right variant under the same seeds. */
export function hunt({ family, spoil, budget }: Hunt): Catch {
  for (let seed = 1; seed <= budget; seed++) {
    const rightFails = flawInRight(family(seed));
    if (rightFails !== undefined) {
      const sentence = `seed ${seed}: ${rightFails}`;
      return { seed: undefined, what: 'the right variant fails', rightFails: sentence };
    }
    const what = flawIn(spoil(family(seed)));
    if (what !== undefined) return { seed, what, rightFails };
  }
  return { seed: undefined, what: `not caught within ${budget} seeds`, rightFails: undefined };
}
