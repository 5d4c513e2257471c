/** Scenarios drawn from a seed: first anything may go wrong, then all heals. */
import { drawBetween, drawOne, ms, type OptionValues, range } from '@quorumlab/core';
import { decisions } from '@quorumlab/sim';
import { attacks } from '../attacks.ts';
import type { ProtocolEntry } from '../protocol-entry.ts';
import { protocolOf } from '../protocols.ts';
import { type RunResult, runScenario } from '../run.ts';
import type { MembershipChange, Scenario } from '../scenario.ts';
import { isRare, rareChanges, rareFaults, rareSets, rareWork } from './rare.ts';
import {
  type Casualties,
  casualties,
  classes,
  healing,
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
  /** The protocol itself, if it is not registered. */
  readonly entry?: ProtocolEntry;
}

/**
 * The rule sets of a registered protocol, or of one of your own, or itself if there is one. Throws
 * a ScenarioError for a name that nobody has.
 */
export function subjectsOf(protocol: string | ProtocolEntry): readonly Subject[] {
  const known = typeof protocol === 'string' ? protocolOf(protocol) : protocol;
  const { name, variants } = known;
  const own = typeof protocol === 'string' ? {} : { entry: protocol };
  if (variants === undefined) return [{ name, protocol: name, options: {}, ...own }];
  const { option, values } = variants;
  return values.map((value) => ({
    name: `${name}:${value}`,
    protocol: name,
    options: { [option]: value },
    ...own,
  }));
}

const entryOf = ({ entry, protocol }: Subject): ProtocolEntry => entry ?? protocolOf(protocol);

/** What liars do in swarms. Twins bring a split of their own and have their place in the claims. */
const treasons: readonly string[] = attacks
  .filter(({ needs, beyond, twins }) => needs === 'byzantine' && !beyond && !twins)
  .map(({ name }) => name);

/** How many of its disks a group survives losing: see {@link casualties}. */
function lossesOf(entry: ProtocolEntry, n: number, f: number): 'none' | 'one' | 'any' {
  const { claims, create } = entry;
  if (claims.faults === 'byzantine') return 'any';
  return create({ n, f }).rejoin === undefined ? 'none' : 'one';
}

/**
 * From how many sizes that are large enough for f one is drawn. Flexible quorums only differ from
 * majorities in groups larger than they need be, and only such a group of liars can lose a member.
 */
function sparesOf({ name, change, claims }: ProtocolEntry): number {
  if (name === 'flexible-paxos') return 4;
  return change !== undefined && claims.faults === 'byzantine' ? 3 : 2;
}

/** A scenario, and who in it need not be well in the end. */
export interface SwarmWorld extends Pick<Casualties, 'gone' | 'emptied'> {
  readonly scenario: Scenario;
}

/** The world of `seed`. Clients have work until the healing; then the liveness bound runs. */
export function swarmWorld(subject: Subject, seed: number): SwarmWorld {
  const { protocol, options: told } = subject;
  const random = decisions({ seed: `swarm ${protocol} ${seed}` });
  const entry = entryOf(subject);
  const { claims, drawn, patience = 1 } = entry;
  const f = random.below(4) === 0 ? 2 : 1;
  const n = claims.replicas(f) + random.below(sparesOf(entry));
  const healsAt = ms(drawBetween(random, 300, 4000));
  const world: World = { random, n, healsAt };
  const faults = classes.flatMap((make) => (random.below(3) === 0 ? make(world) : []));
  const network = drawOne(random, ['lan', 'lossy', 'lossy', 'wan', 'psync:gst=2s,delta=20ms']);
  const lying = claims.faults === 'byzantine' && random.below(3) === 0;
  const attack = lying ? drawOne(random, treasons) : 'none';
  const by = lying
    ? range(n)
        .filter((node) => node % 2 === 0)
        .slice(0, f)
    : [];
  // A stream of its own, so that who is struck does not change what else happens.
  const struck = casualties(
    { ...world, random: decisions({ seed: `casualties ${protocol} ${seed}` }) },
    range(n).filter((node) => !by.includes(node)),
    f - by.length,
    lossesOf(entry, n, f),
    isRare(seed),
  );
  const { gone, emptied } = struck;
  const scenario: Scenario = {
    schema: 'quorumlab.scenario/1',
    protocol,
    n,
    f,
    network,
    clocks: drawOne(random, ['perfect', 'offset=50ms,drift=5000ppm,epsilon=10ms']),
    attack,
    by,
    faults: [
      ...withoutReturn(faults, gone),
      ...struck.faults,
      ...withoutReturn(healing(world, gone), gone),
    ],
    workload: drawOne(random, ['contest', 'writes', 'a', 'b', 'c', 'f']),
    count: drawBetween(random, 5, 40),
    clients: drawBetween(random, 1, 4),
    outstanding: drawBetween(random, 1, 3),
    until: healsAt + (network === 'wan' ? 4 : 1) * patience * livenessBound,
    crypto: 'ideal',
    options: { ...drawn?.(random, network, { n, f, told }), ...told },
    seed: `${seed}`,
  };
  return {
    scenario: isRare(seed) ? rarer(scenario, subject, world, struck) : scenario,
    gone,
    emptied,
  };
}

/** The same world, and what is rare on top: drawn from a stream of its own. */
function rarer(
  scenario: Scenario,
  subject: Subject,
  { n, healsAt }: World,
  struck: Casualties,
): Scenario {
  const { protocol, f, seed } = scenario;
  const { drawn, change, claims, transfer, create } = entryOf(subject);
  const { options: told } = subject;
  const random = decisions({ seed: `rare ${protocol} ${seed}` });
  const kinds = create({ n, f, options: told }).messages.kinds.map(({ kind }) => kind);
  const world = { random, n, healsAt, kinds };
  const work = rareWork(world, scenario);
  const { network = scenario.network } = work;
  // A stream of its own where leaders are told too, so that it changes nothing of the faults.
  const changing =
    transfer === undefined && claims.faults === 'crash'
      ? world
      : { ...world, random: decisions({ seed: `changes ${protocol} ${seed}` }) };
  const drawChanges = (): readonly MembershipChange[] =>
    claims.faults === 'byzantine'
      ? rareSets(changing)
      : rareChanges(changing, struck, transfer !== undefined);
  const changes = change === undefined ? [] : drawChanges();
  return {
    ...scenario,
    ...work,
    faults: [...withoutReturn(rareFaults(world, struck), struck.gone), ...scenario.faults],
    ...(changes.length > 0 ? { changes } : {}),
    options: { ...drawn?.(random, network, { n, f, told, narrow: true }), ...told },
  };
}

/**
 * What is wrong with the run of `seed`, with what replays it; nothing if all is well: safe always,
 * live once healed, nobody convicted but liars and who has lost its disk (every eighth is searched
 * for proofs), and the same run if it is run again (which every twentieth is). `seen` is shown the
 * run. How it is replayed is told by `again`; unless told, by the scenario itself.
 */
export function failureOf(
  subject: Subject,
  seed: number,
  seen: (result: RunResult, world: SwarmWorld) => void = () => {},
  again: (world: SwarmWorld) => string = ({ scenario }) =>
    `runScenario(${JSON.stringify(scenario)})`,
): string | undefined {
  const world = swarmWorld(subject, seed);
  const options = subject.entry ? { entry: subject.entry } : {};
  const replay = `replay: ${again(world)}`;
  let result: RunResult;
  try {
    result = runScenario(world.scenario, {
      ...options,
      proofs: seed % 8 === 0,
      reached: true,
      lines: false,
    });
  } catch (error) {
    return `it threw: ${String(error)}; ${replay}`;
  }
  seen(result, world);
  const { word, violation, reasons, digest } = result;
  const reason = reasons.find((each) => each !== undefined);
  if (reason !== undefined) return `a replica stopped by itself: ${reason}; ${replay}`;
  if (word !== 'ok') return `${word}: ${violation?.sentence ?? 'not finished'}; ${replay}`;
  const mayBe = [...world.scenario.by, ...world.emptied];
  const framed = result.proofs.find(({ signer }) => !mayBe.includes(signer));
  if (framed !== undefined)
    return `honest n${framed.signer} is convicted about ${framed.about}; ${replay}`;
  const accused = result.guilt.culprits.find(({ signer }) => !mayBe.includes(signer));
  if (accused !== undefined)
    return `honest n${accused.signer} is found guilty: it ${accused.rule}; ${replay}`;
  if (seed % 20 === 0 && runScenario(world.scenario, options).digest !== digest)
    return `two runs of one seed differ; ${replay}`;
  return undefined;
}
