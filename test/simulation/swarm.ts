/** Scenarios drawn from a seed: first anything may go wrong, then all heals. */
import { ms, type Random, range } from '@quorumlab/core';
import {
  completeScenario,
  protocolOf,
  type RunResult,
  runScenario,
  type Scenario,
  type ScenarioFault,
} from '@quorumlab/harness';
import { decisions, ssd } from '@quorumlab/sim';

/** After the healing every request must be answered within this time, in microseconds. */
const livenessBound: number = ms(60_000);

const one = <T>(random: Random, choices: readonly T[]): T =>
  choices[random.below(choices.length)] as T;
const between = (random: Random, least: number, most: number): number =>
  least + random.below(most - least + 1);

/** What a fault class needs to know. */
interface World {
  readonly random: Random;
  readonly n: number;
  /** From here on everything works. */
  readonly healsAt: number;
}

const moment = ({ random, healsAt }: World): number => random.below(healsAt);

/** Two moments, the earlier first. */
function span(world: World): readonly [number, number] {
  const [a, b] = [moment(world), moment(world)];
  return a < b ? [a, b] : [b, a];
}

/** Some nodes, at least one and not all. */
function some({ random, n }: World): number[] {
  const nodes = range(n).filter(() => random.below(2) === 0);
  return nodes.length === 0 || nodes.length === n ? [random.below(n)] : nodes;
}

const others = ({ n }: World, nodes: readonly number[]): number[] =>
  range(n).filter((node) => !nodes.includes(node));

const times = (world: World, most: number, make: () => readonly ScenarioFault[]): ScenarioFault[] =>
  range(1 + world.random.below(most)).flatMap(make);

/** The classes; each is on or off in a run, by coin. */
const classes: readonly ((world: World) => readonly ScenarioFault[])[] = [
  function crashes(world) {
    return times(world, 6, () => {
      const [at, back] = span(world);
      const node = world.random.below(3) === 0 ? 'leader' : world.random.below(world.n);
      return [
        { type: 'crash', at, node },
        { type: 'restart', at: back, node },
      ];
    });
  },
  function blackout(world) {
    const [at, back] = span(world);
    return range(world.n).flatMap((node): ScenarioFault[] => [
      { type: 'crash', at, node },
      { type: 'restart', at: back + world.random.below(ms(100)), node },
    ]);
  },
  function pauses(world) {
    return times(world, 4, () => {
      const [at, back] = span(world);
      const node = world.random.below(world.n);
      return [
        { type: 'pause', at, node },
        { type: 'resume', at: back, node },
      ];
    });
  },
  function splits(world) {
    return times(world, 3, () => {
      const [at, back] = span(world);
      const group = some(world);
      return [
        { type: 'split', at, groups: [group, others(world, group)] },
        { type: 'heal', at: back },
      ];
    });
  },
  function oneWay(world) {
    return times(world, 3, () => {
      const [at, back] = span(world);
      const from = some(world);
      return [
        { type: 'cut', at, from, to: others(world, from) },
        { type: 'heal', at: back },
      ];
    });
  },
  /** Everybody hears two neighbours only, so that each majority is another one. */
  function ring(world) {
    const [at, back] = span(world);
    const near = (a: number, b: number): boolean =>
      [0, 1, world.n - 1].includes((a - b + world.n) % world.n);
    const cuts = range(world.n).map((node): ScenarioFault => {
      const to = range(world.n).filter((other) => !near(node, other));
      return { type: 'cut', at, from: [node], to };
    });
    return [...cuts, { type: 'heal', at: back }];
  },
  function flapping(world) {
    const period = between(world.random, ms(5), ms(400));
    const alone = [world.random.below(world.n)];
    const groups = [alone, others(world, alone)];
    return range(Math.min(12, Math.floor(world.healsAt / period))).map(
      (i): ScenarioFault =>
        i % 2 === 0 ? { type: 'split', at: i * period, groups } : { type: 'heal', at: i * period },
    );
  },
  function skews(world) {
    return times(world, 4, () => [
      {
        type: 'skew',
        at: moment(world),
        node: world.random.below(world.n),
        by: world.random.below(ms(10_000)),
        driftPerBillion: world.random.below(20_000_000) - 10_000_000,
      },
    ]);
  },
  function slowDisks(world) {
    return times(world, 3, () => [
      {
        type: 'disk',
        at: moment(world),
        node: world.random.below(world.n),
        disk: {
          sync: { type: 'uniform', min: 100, max: ms(between(world.random, 1, 200)) },
          torn: world.random.below(2) === 0,
        },
      },
    ]);
  },
];

/** All works again: nothing is cut, everybody runs, disks are quick. */
const healing = ({ n, healsAt: at }: World): readonly ScenarioFault[] => [
  { type: 'heal', at },
  ...range(n).flatMap((node): ScenarioFault[] => [
    { type: 'disk', at, node, disk: ssd },
    { type: 'resume', at, node },
    { type: 'restart', at, node },
  ]),
];

/** Where messages are quick, timeouts may be short: then leaders come and go many times. */
const timeoutOn = (random: Random, network: string): number =>
  ['lan', 'lossy'].includes(network) ? ms(one(random, [15, 60, 300])) : ms(300);

type Draw = (random: Random, network: string) => NonNullable<Scenario['options']>;

const options: Readonly<Record<string, Draw>> = {
  raft: (random, network) => ({
    electionTimeout: timeoutOn(random, network),
    preVote: random.below(4) > 0,
    checkQuorum: random.below(4) > 0,
    snapshotEvery: one(random, [0, 3, 10, 10_000]),
    keepEntries: one(random, [0, 2, 1000]),
    maxEntriesPerAppend: one(random, [1, 2, 1024]),
    maxInFlight: between(random, 1, 4),
  }),
  'basic-paxos': (random) => ({
    retry: ms(one(random, [1, 5, 20, 50])),
    maxRetry: ms(one(random, [400, 1000])),
  }),
  pbft: (random, network) => {
    const checkpointEvery = one(random, [1, 3, 10, 128]);
    return {
      requestTimeout: timeoutOn(random, network),
      checkpointEvery,
      window: checkpointEvery * between(random, 1, 3),
      maxBatch: one(random, [1, 3, 256]),
      maxOutstanding: between(random, 1, 3),
    };
  },
};

/** The scenario of `seed`. Clients have work until the healing; then the liveness bound runs. */
export function swarm(protocol: string, seed: number): Scenario {
  const random = decisions({ seed: `swarm ${protocol} ${seed}` });
  const { claims } = protocolOf(protocol);
  const f = random.below(4) === 0 ? 2 : 1;
  const n = claims.replicas(f) + random.below(2);
  const healsAt = ms(between(random, 300, 4000));
  const world: World = { random, n, healsAt };
  const faults = classes.flatMap((make) => (random.below(3) === 0 ? make(world) : []));
  const network = one(random, ['lan', 'lossy', 'lossy', 'wan', 'psync:gst=2s,delta=20ms']);
  const lying = claims.faults === 'byzantine' && random.below(3) === 0;
  const attack = lying
    ? one(random, ['equivocating-leader', 'silent-leader', 'silent-follower', 'stale-replay'])
    : 'none';
  return completeScenario({
    protocol,
    n,
    f,
    network,
    clocks: one(random, ['perfect', 'offset=50ms,drift=5000ppm,epsilon=10ms']),
    attack,
    by: lying
      ? range(n)
          .filter((node) => node % 2 === 0)
          .slice(0, f)
      : [],
    faults: [...faults, ...healing(world)],
    workload: one(random, ['contest', 'writes', 'a', 'b', 'c', 'f']),
    count: between(random, 5, 40),
    clients: between(random, 1, 4),
    outstanding: between(random, 1, 3),
    until: healsAt + livenessBound,
    options: options[protocol]?.(random, network) ?? {},
    seed: `${seed}`,
  });
}

/** What is wrong with the run of `seed`, with the line that replays it; nothing if all is well. */
export function failureOf(
  protocol: string,
  seed: number,
  seen: (result: RunResult) => void = () => {},
): string | undefined {
  const scenario = swarm(protocol, seed);
  const replay = `replay: npm run simulate -- --protocol ${protocol} --seed ${seed}`;
  const result = runScenario(scenario);
  seen(result);
  const { word, violation, reasons, digest } = result;
  const reason = reasons.find((each) => each !== undefined);
  if (reason !== undefined) return `a replica stopped by itself: ${reason}; ${replay}`;
  if (word !== 'ok') return `${word}: ${violation?.sentence ?? 'not finished'}; ${replay}`;
  if (seed % 20 === 0 && runScenario(scenario).digest !== digest)
    return `two runs of one seed differ; ${replay}`;
  return undefined;
}
