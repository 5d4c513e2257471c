/** Runs shards, and says what came of it. */
import type { VerdictWord } from '@quorumlab/checker';
import { ms, type Random, range } from '@quorumlab/core';
import { shardMutants, shardRules } from '@quorumlab/shards';
import { type ClockModel, decisions, type TraceSink } from '@quorumlab/sim';
import { engine } from '../engine.ts';
import { clockOf } from '../network-and-clock.ts';
import type { StoryLine } from '../story.ts';
import { countOutOfOrder, countStale, type ShardViolation } from './judge.ts';
import type { ShardReached } from './reached.ts';
import { relay } from './relay.ts';
import { protocolIn, type ShardScenario, shardScenarioSchema, sourceWrongAt } from './scenario.ts';
import { commitsIn, type ShardCommit, shardStory } from './story.ts';
import { swarm, swarmPace, swarmPlan } from './swarm.ts';
import { seatNames, type World, world } from './world.ts';

/** What came of a run of shards: plain data. */
export interface ShardRun {
  readonly scenario: ShardScenario;
  /**
   * `forked`: a group disagrees with itself. `stale-read`: a read missed what had ended before, or
   * a clock was beyond its bound and something came of it. `invalid`: anything else that does not
   * hold, timestamps out of order among it. `stalled`: something has not ended.
   */
  readonly word: VerdictWord;
  /** What does not hold, with the reading that broke the bound if one did; or that all does. */
  readonly sentence: string;
  /** Everything that does not hold. */
  readonly violations: readonly ShardViolation[];
  /** The first reading of a clock that was beyond its bound, in words. */
  readonly brokenBound?: string;
  /** Transactions that committed, and reads that ended. */
  readonly transactions: number;
  readonly reads: number;
  /** Transactions without a higher timestamp than one that had ended before they began. */
  readonly outOfOrder: number;
  /** Strong reads that miss what had ended before they began. */
  readonly stale: number;
  /** Microseconds from the beginning of a transaction to its answer, on average; 0 if none. */
  readonly latency: number;
  /** Its transactions, the first to be told of first. */
  readonly commits: readonly ShardCommit[];
  /** What clients and keepers did, in words; seats as {@link seats} names them. */
  readonly story: readonly StoryLine[];
  readonly seats: readonly string[];
  /** Which rare situations it was in, and how often. */
  readonly reached: ShardReached;
  readonly events: number;
  readonly digest: string;
  /** What the workload asks for, without what the scenario leaves out or not: in its order. */
  readonly deeds: readonly ('fault' | 'request')[];
  /** The choices of the run, if they were recorded. */
  readonly choices?: readonly number[];
}

/** What is kept of a run. */
export interface ShardRunOptions {
  /** Where its trace goes. */
  readonly trace?: TraceSink;
  /** Whether its choices are recorded. */
  readonly record?: boolean;
}

/** Keepers' and clients' clocks: each as wrong as its bound allows, by the seed. */
function clocksOf(scenario: ShardScenario): (place: number) => ClockModel {
  const { workload, bound, clocks, beyond, seed } = scenario;
  const random = decisions({ seed: `clocks ${seed}` });
  if (clocks !== undefined) return drawnClocks(clocks, random);
  const drawn: number[] = [];
  const spread = bound - ms(1);
  return (place) => {
    const more = place < 2 ? beyond : 0;
    const isEven = place % 2 === 0;
    // As wrong as they may be, half of them early and half of them late, and they drift.
    if (workload === 'swarm')
      return {
        epsilon: bound,
        offset: spread * (isEven ? -1 : 1) + more,
        driftPerBillion: isEven ? -50_000 : 50_000,
      };
    while (drawn.length <= place) drawn.push(random.below(2 * spread + 1) - spread);
    return { epsilon: bound, offset: (drawn[place] as number) + more };
  };
}

/** Clocks that are wrong by up to what a text says, each in its own way. */
function drawnClocks(clocks: string, random: Random): (place: number) => ClockModel {
  const { offset = 0, driftPerBillion = 0, ...model } = clockOf(clocks, 0) ?? {};
  const { syncEvery = 0 } = model;
  const within = (most: number): number => random.below(2 * most + 1) - most;
  const drawn: ClockModel[] = [];
  return (place) => {
    while (drawn.length <= place)
      drawn.push({
        ...model,
        offset: within(offset),
        driftPerBillion: within(driftPerBillion),
        syncFirst: 1 + random.below(Math.max(1, syncEvery)),
      });
    return drawn[place] as ClockModel;
  };
}

/** The world of a scenario, after it has run: for whoever wants to know more than a verdict. */
export const shardWorld = (scenario: ShardScenario): World => played(scenario, {}).made;

/** Makes a world, and lets happen in it what the scenario says. */
function played(
  scenario: ShardScenario,
  { trace, record = false }: ShardRunOptions,
): { readonly made: World; readonly deeds: ShardRun['deeds'] } {
  const { workload, mutant, seed, count, clocks, beyond, choices, until } = scenario;
  const protocol = protocolIn(scenario);
  const parts = {
    ...{ protocol, seed, clock: clocksOf(scenario) },
    rules: mutant === undefined ? shardRules : shardMutants[mutant],
    ...(workload === 'swarm' ? { pace: swarmPace } : {}),
    ...(choices === undefined ? {} : { decisions: choices }),
    ...(until === undefined ? {} : { until }),
  };
  const made = world({
    ...{ ...parts, record },
    ...(trace && {
      trace: {
        ...{ sink: trace, engine },
        scenario: {
          ...{ schema: shardScenarioSchema, ...scenario },
          ...{ shards: 2, n: 6, seats: seatNames(parts) },
        },
        protocolVersions: { [protocol.name]: String(protocol.version) },
      },
    }),
  });
  if (clocks !== undefined && beyond > 0)
    for (const place of [0, 1]) {
      const seat = made.keeper(0, place);
      made.simulation.inject({ type: 'skew', at: sourceWrongAt, seat, source: beyond });
    }
  const leftOut = new Set(scenario.without);
  if (workload === 'relay') {
    relay(made, count, (deed) => !leftOut.has(deed));
    return { made, deeds: range(2 * count).map(() => 'request') };
  }
  const plan = swarmPlan(made);
  swarm(
    made,
    plan.filter((_, i) => !leftOut.has(i)),
  );
  return { made, deeds: plan.map(({ kind }) => (kind === 'fault' ? 'fault' : 'request')) };
}

/** Runs a scenario of shards. */
export function runShards(scenario: ShardScenario, options: ShardRunOptions = {}): ShardRun {
  const { made, deeds } = played(scenario, options);
  const violations = [...made.wrong(), ...unfinished(scenario, made)];
  const brokenBound = made.brokenBound();
  const { history } = made;
  const committed = history.filter(({ isRead, at }) => !isRead && at !== undefined);
  const [first] = violations;
  const spent = committed.reduce(
    (sum, { transaction: { invokedAt, returnedAt = invokedAt } }) => sum + returnedAt - invokedAt,
    0,
  );
  const transactions = committed.length;
  const reads = history.length - transactions;
  const because = brokenBound === undefined ? '' : `; ${brokenBound}`;
  const commits = commitsIn(scenario, made);
  const outcome = made.simulation.finish();
  return {
    ...{ scenario, violations, transactions, reads },
    word: wordOf(violations, brokenBound !== undefined),
    sentence: first
      ? `${first.sentence}${because}`
      : `${transactions} transactions and ${reads} reads, each in the order of time`,
    ...(brokenBound === undefined ? {} : { brokenBound }),
    outOfOrder: countOutOfOrder(history),
    stale: countStale(history),
    latency: transactions === 0 ? 0 : Math.round(spent / transactions),
    commits,
    story: shardStory(made, commits),
    seats: seatNames({ protocol: protocolIn(scenario) }),
    reached: made.reached(),
    events: outcome.events,
    digest: outcome.digest,
    deeds,
    ...(options.record ? { choices: made.simulation.decisions() } : {}),
  };
}

/** What has not ended although everything was healed. */
function unfinished({ until }: ShardScenario, made: World): readonly ShardViolation[] {
  if (until !== undefined) return [];
  const open = made.open();
  const rule = 'liveness';
  if (open > 0) return [{ rule, sentence: `${open} transactions have not ended` }];
  return made.openMoves() > 0 ? [{ rule, sentence: 'a move has not ended' }] : [];
}

function wordOf(violations: readonly ShardViolation[], isBeyond: boolean): VerdictWord {
  const rules = violations.map(({ rule }) => rule);
  if (rules.length === 0) return 'ok';
  if (rules.includes('agreement')) return 'forked';
  if (rules.every((rule) => rule === 'liveness')) return 'stalled';
  return isBeyond || rules.includes('stale-read') ? 'stale-read' : 'invalid';
}
