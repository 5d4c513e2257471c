/** Runs of shards as they are asked for: plain data, and what is wrong with it in words. */
import { ms, type Protocol } from '@quorumlab/core';
import type { LogShape } from '@quorumlab/log';
import { type ShardMutant, shardFlaws, shardMutants } from '@quorumlab/shards';
import { timeText } from '../command-line.ts';
import { clockOf } from '../network-and-clock.ts';
import { protocolOf } from '../protocols.ts';
import { ScenarioError, unknownName } from '../scenario.ts';

/** What clients do, and what else happens: see {@link shardWorkloads}. */
export type ShardWorkload = 'relay' | 'swarm';

/** What each workload is, in a sentence. */
export const shardWorkloads: Readonly<Record<ShardWorkload, string>> = {
  relay: 'transactions one after the other, in two groups by turns, and a read after each',
  swarm: 'any transactions and reads, crashes, cuts, pauses, and ranges that move',
};

/** What may replicate the groups; `both` takes one or the other, by the seed. */
export const shardProtocols = ['both', 'raft', 'multi-paxos', 'zab'] as const;

/** See {@link shardProtocols}. */
export type ShardProtocol = (typeof shardProtocols)[number];

/** How many members each group has, and how many of them may crash. */
export const shardSize = { n: 3, f: 1 } as const;

/** How scenarios of shards are written down: in the first lines of traces. */
export const shardScenarioSchema = 'quorumlab.shard-scenario/1';

/** One run of two groups of three, their keepers and clients. Times in microseconds. */
export interface ShardScenario {
  readonly protocol: ShardProtocol;
  readonly workload: ShardWorkload;
  /** A wrong rule instead of the right ones. */
  readonly mutant?: ShardMutant;
  /** The error that all clocks declare, and may have. */
  readonly bound: number;
  /**
   * In place of `bound`: clocks as `--clock` of other runs has them, e.g. 'truetime'. Their
   * offsets, drifts and times of synchronisation are drawn by the seed, up to what this says.
   */
  readonly clocks?: string;
  /**
   * How far the clocks of the first group's keepers are beyond it: from the start on, or with
   * `clocks` by a time source that is wrong from {@link sourceWrongAt} on.
   */
  readonly beyond: number;
  /** How many transactions a relay has. */
  readonly count: number;
  readonly seed: number;
  /**
   * What of the workload is left out, by its number in {@link ShardRun.deeds}, ascending: for what
   * was made smaller.
   */
  readonly without?: readonly number[];
  /** Virtual time at which it ends, whatever is under way: then nothing is owed. */
  readonly until?: number;
  /** The choices of the run in place of those that the seed draws; what is missing is kind. */
  readonly choices?: readonly number[];
}

/** Whether all of a scenario can be told by flags and links: nothing of it was made smaller. */
export const isWhole = ({ without, until, choices }: ShardScenario): boolean =>
  without === undefined && until === undefined && choices === undefined;

/** When the time source of scenarios with `clocks` goes wrong: groups have leaders and keepers. */
export const sourceWrongAt: number = ms(900);

/** A scenario in which nothing is told. */
const usual: ShardScenario = {
  ...{ protocol: 'both', workload: 'relay', bound: ms(20), beyond: 0, count: 12, seed: 1 },
};

/** Largest clock error and largest seed that a scenario takes. */
const most = { time: ms(10_000), seed: 2 ** 31 } as const;

/**
 * A scenario with everything that was left out. Throws a ScenarioError that says what is wrong.
 *
 * @example
 * ```ts
 * import { completeShardScenario, runShards } from '@quorumlab/harness/shards';
 *
 * const mutant = 'commit-wait-latest';
 * const { word, sentence } = runShards(completeShardScenario({ mutant, bound: 20_000, seed: 2 }));
 * console.log(word, sentence);
 * ```
 */
export function completeShardScenario(given: Partial<ShardScenario>): ShardScenario {
  const { mutant, ...rest } = given;
  const scenario: ShardScenario = {
    ...usual,
    ...rest,
    ...(mutant === undefined ? {} : { mutant: mutantOf(mutant) }),
  };
  if (!shardProtocols.includes(scenario.protocol))
    throw unknownName('protocol of shards', scenario.protocol, shardProtocols);
  if (!Object.hasOwn(shardWorkloads, scenario.workload))
    throw unknownName('workload of shards', scenario.workload, Object.keys(shardWorkloads));
  requireWhole('bound of clocks', scenario.bound, ms(1), most.time);
  if (scenario.clocks !== undefined) clockOf(scenario.clocks, 0);
  requireWhole('time beyond it', scenario.beyond, 0, most.time);
  requireWhole('count of transactions', scenario.count, 1, 1000);
  requireWhole('seed', scenario.seed, 0, most.seed);
  requireWhole('end', scenario.until ?? most.time, 1, 6 * most.time);
  return scenario;
}

function requireWhole(what: string, value: number, least: number, largest: number): void {
  if (Number.isSafeInteger(value) && value >= least && value <= largest) return;
  throw new ScenarioError(
    'QL102',
    `the ${what} of shards is a whole number from ${least} to ${largest}, not ${value}.`,
  );
}

/** The wrong rule of a name. Throws a ScenarioError (QL101) that names near ones. */
export function mutantOf(name: string): ShardMutant {
  const names = Object.keys(shardMutants) as ShardMutant[];
  const found = names.find((each) => each === name);
  if (found === undefined) throw unknownName('mutant of shards', name, names);
  return found;
}

/** Whether every clock of a scenario holds true time, as far as it says. */
export function isWithinBound({ clocks, beyond }: ShardScenario): boolean {
  if (beyond > 0) return false;
  const { offset = 0, driftPerBillion = 0, ...model } = clockOf(clocks ?? 'perfect', 0) ?? {};
  const { epsilon = 0, growthPerBillion = 0 } = model;
  return Math.abs(offset) <= epsilon && Math.abs(driftPerBillion) <= growthPerBillion;
}

/** Whether nothing may break: the rules are right, and clocks within their bound. */
export const isClaimed = (scenario: ShardScenario): boolean =>
  scenario.mutant === undefined && isWithinBound(scenario);

/** What is wrong with a wrong rule, in a sentence. */
export const shardFlawOf = (mutant: ShardMutant): string => shardFlaws[mutant];

/** What replicates the groups of a scenario. */
export function protocolIn({ protocol, seed }: ShardScenario): Protocol<LogShape> {
  const name = protocol !== 'both' ? protocol : seed % 2 === 0 ? 'raft' : 'multi-paxos';
  const options = name === 'zab' ? {} : { snapshotEvery: 64 };
  return protocolOf(name).create({ ...shardSize, options }) as unknown as Protocol<LogShape>;
}

/** The command line that runs `seeds` seeds of a scenario, and nothing beside it that breaks. */
export function shardCommand(scenario: ShardScenario, seeds = 1): string {
  const { protocol, workload, mutant = 'none', bound, clocks, beyond, count, seed } = scenario;
  const told = (flag: string, value: string, unlessTold: string): readonly string[] =>
    value === unlessTold ? [] : [`${flag} ${value}`];
  return [
    'quorumlab shards',
    ...told('--protocol', protocol, usual.protocol),
    ...told('--workload', workload, usual.workload),
    `--mutant ${mutant}`,
    ...(clocks === undefined
      ? told('--bound', timeText(bound), timeText(usual.bound))
      : [`--clock ${clocks}`]),
    `--beyond ${beyond === 0 ? 'none' : timeText(beyond)}`,
    ...told('--count', `${count}`, `${usual.count}`),
    ...[`--seed ${seed}`, `--seeds ${seeds}`],
  ].join(' ');
}

/** A scenario in one line: what runs, by which rules and clocks. */
export function shardHeadline({ protocol, mutant, beyond, ...rest }: ShardScenario): string {
  const of = protocol === 'both' ? 'raft or multi-paxos' : protocol;
  const rules = mutant === undefined ? '' : ` with the mutant ${mutant}`;
  const off = beyond === 0 ? '' : `, and some ${timeText(beyond)} beyond that`;
  return `two shards of ${of}${rules}, clocks ${boundText(rest)}${off}`;
}

/** `within 20ms`, or what synchronised clocks are. */
export const boundText = ({ bound, clocks }: Pick<ShardScenario, 'bound' | 'clocks'>): string =>
  clocks === undefined ? `within ${timeText(bound)}` : `of ${clocks}`;
