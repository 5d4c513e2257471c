/** Scenarios drawn from a seed: first anything may go wrong, then all heals. */
import { ms, type Random, range } from '@quorumlab/core';
import {
  attacks,
  completeScenario,
  type OptionValues,
  protocolOf,
  type RunResult,
  runScenario,
  type Scenario,
} from '@quorumlab/harness';
import { decisions } from '@quorumlab/sim';
import {
  between,
  type Casualties,
  casualties,
  classes,
  healing,
  one,
  type World,
  withoutReturn,
} from './worlds.ts';

/** After the healing every request must be answered within this time, in microseconds. */
const livenessBound: number = ms(60_000);

/** A protocol, or one of its rule sets: what a swarm is about. */
export interface Subject {
  /** `raft`, or `hotstuff:chained` for a rule set. */
  readonly name: string;
  readonly protocol: string;
  /** What every run is told, for example its rule set. */
  readonly options: OptionValues;
}

/** The rule sets of `protocol`, or itself if there is one. */
export function subjectsOf(protocol: string): readonly Subject[] {
  const { variants } = protocolOf(protocol);
  if (variants === undefined) return [{ name: protocol, protocol, options: {} }];
  const { option, values } = variants;
  return values.map((value) => ({
    name: `${protocol}:${value}`,
    protocol,
    options: { [option]: value },
  }));
}

/** Where messages are quick, timeouts may be short: then leaders come and go many times. */
const timeoutOn = (random: Random, network: string): number =>
  ['lan', 'lossy'].includes(network) ? ms(one(random, [15, 60, 300])) : ms(300);

/** Options of a protocol's own, drawn for a group. */
type Draw = (
  random: Random,
  network: string,
  group: { readonly n: number; readonly f: number; readonly told: OptionValues },
) => OptionValues;

const multiPaxos: Draw = (random, network) => {
  const alpha = one(random, [1, 2, 4, 16]);
  return {
    electionTimeout: timeoutOn(random, network),
    alpha,
    pipeline: between(random, 1, alpha),
    snapshotEvery: one(random, [0, 3, 10, 10_000]),
    keepSlots: one(random, [0, 2, 1000]),
    maxCommandsPerSlot: one(random, [1, 2, 1024]),
  };
};

/** Quorums of all kinds that survive f of n crashes in both phases. */
function quorums(random: Random, n: number, f: number): OptionValues {
  const grids = n % 2 === 0 && f === 1 && n >= 4 ? [`2x${n / 2}`, `${n / 2}x2`] : [];
  // One replica counts twice: with n + 1 in all, f gone may weigh f + 1.
  const weights = n >= 2 * f + 2 ? [`2${',1'.repeat(n - 1)}`] : [];
  const kind = random.below(2 + grids.length + weights.length);
  if (kind < 2) {
    const q1 = between(random, f + 1, n - f);
    return { q1, q2: between(random, n + 1 - q1, n - f) };
  }
  const other = [...grids, ...weights][kind - 2] as string;
  if (other.includes('x')) return { grid: other };
  const q1 = between(random, f + 2, n - f);
  return { weights: other, q1, q2: n + 2 - q1 };
}

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
  'multi-paxos': multiPaxos,
  'flexible-paxos': (random, network, group) => ({
    ...multiPaxos(random, network, group),
    ...quorums(random, group.n, group.f),
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
  hotstuff: (random, network, { told }) => {
    const checkpointEvery = one(random, [1, 3, 10, 128]);
    // A new leader every view is for two-chains: three-chains would need more replicas. Where some
    // are silent most views fail, so it is for short timeouts if the end is to be waited for.
    const rotates =
      told.rules !== 'chained' && ['lan', 'lossy'].includes(network) && random.below(3) === 0;
    return {
      requestTimeout: rotates ? ms(15) : timeoutOn(random, network),
      checkpointEvery,
      window: checkpointEvery + between(random, 4, 40),
      maxBatch: one(random, [1, 3, 256]),
      ...(rotates ? { leaders: 'round-robin' } : { reign: one(random, [8, 16, 128]) }),
    };
  },
};

/** What liars do in swarms. Twins bring a split of their own and have their place in the claims. */
const treasons: readonly string[] = attacks
  .filter(({ needs, beyond, twins }) => needs === 'byzantine' && !beyond && !twins)
  .map(({ name }) => name);

/** How many of its disks a group survives losing: see {@link casualties}. */
function lossesOf(protocol: string, n: number, f: number): 'none' | 'one' | 'any' {
  const { claims, create } = protocolOf(protocol);
  if (claims.faults === 'byzantine') return 'any';
  return create({ n, f }).rejoin === undefined ? 'none' : 'one';
}

/** A scenario, and who in it need not be well in the end. */
export interface SwarmWorld extends Pick<Casualties, 'gone' | 'emptied'> {
  readonly scenario: Scenario;
}

/** The world of `seed`. Clients have work until the healing; then the liveness bound runs. */
export function swarmWorld({ protocol, options: told }: Subject, seed: number): SwarmWorld {
  const random = decisions({ seed: `swarm ${protocol} ${seed}` });
  const { claims } = protocolOf(protocol);
  const f = random.below(4) === 0 ? 2 : 1;
  // Flexible quorums only differ from majorities in groups larger than they need be.
  const n = claims.replicas(f) + random.below(protocol === 'flexible-paxos' ? 4 : 2);
  const healsAt = ms(between(random, 300, 4000));
  const world: World = { random, n, healsAt };
  const faults = classes.flatMap((make) => (random.below(3) === 0 ? make(world) : []));
  const network = one(random, ['lan', 'lossy', 'lossy', 'wan', 'psync:gst=2s,delta=20ms']);
  const lying = claims.faults === 'byzantine' && random.below(3) === 0;
  const attack = lying ? one(random, treasons) : 'none';
  const by = lying
    ? range(n)
        .filter((node) => node % 2 === 0)
        .slice(0, f)
    : [];
  // A stream of its own, so that who is struck does not change what else happens.
  const { gone, emptied, ...struck } = casualties(
    { ...world, random: decisions({ seed: `casualties ${protocol} ${seed}` }) },
    range(n).filter((node) => !by.includes(node)),
    f - by.length,
    lossesOf(protocol, n, f),
  );
  const scenario = completeScenario({
    protocol,
    n,
    f,
    network,
    clocks: one(random, ['perfect', 'offset=50ms,drift=5000ppm,epsilon=10ms']),
    attack,
    by,
    faults: [
      ...withoutReturn(faults, gone),
      ...struck.faults,
      ...withoutReturn(healing(world, gone), gone),
    ],
    workload: one(random, ['contest', 'writes', 'a', 'b', 'c', 'f']),
    count: between(random, 5, 40),
    clients: between(random, 1, 4),
    outstanding: between(random, 1, 3),
    until: healsAt + (network === 'wan' ? 4 : 1) * livenessBound,
    options: { ...options[protocol]?.(random, network, { n, f, told }), ...told },
    seed: `${seed}`,
  });
  return { scenario, gone, emptied };
}

/** The scenario of `seed` for `protocol`, with its first rule set if it has several. */
export function swarm(protocol: string, seed: number): Scenario {
  const [first] = subjectsOf(protocol);
  if (first === undefined) throw new Error(`${protocol} has no rule set`);
  return swarmWorld(first, seed).scenario;
}

/** What is wrong with the run of `seed`, with the line that replays it; nothing if all is well. */
export function failureOf(
  subject: Subject,
  seed: number,
  seen: (result: RunResult, world: SwarmWorld) => void = () => {},
): string | undefined {
  const world = swarmWorld(subject, seed);
  const replay = `replay: npm run simulate -- --protocol ${subject.name} --seed ${seed}`;
  let result: RunResult;
  try {
    result = runScenario(world.scenario);
  } catch (error) {
    return `it threw: ${String(error)}; ${replay}`;
  }
  seen(result, world);
  const { word, violation, reasons, digest } = result;
  const reason = reasons.find((each) => each !== undefined);
  if (reason !== undefined) return `a replica stopped by itself: ${reason}; ${replay}`;
  if (word !== 'ok') return `${word}: ${violation?.sentence ?? 'not finished'}; ${replay}`;
  if (seed % 20 === 0 && runScenario(world.scenario).digest !== digest)
    return `two runs of one seed differ; ${replay}`;
  return undefined;
}
