/** Many runs of shards, counted. */
import { type VerdictWord, worst } from '@quorumlab/checker';
import { addShardReached, type ShardReached } from './reached.ts';
import { runShards, type ShardRun } from './run.ts';
import { completeShardScenario, type ShardScenario } from './scenario.ts';

/** What many seeds of one scenario came to: plain data. */
export interface ShardTally {
  readonly scenario: ShardScenario;
  /** The worst that any run came to. */
  readonly word: VerdictWord;
  readonly runs: number;
  /** Runs in which anything does not hold. */
  readonly broken: number;
  /** Runs in which a timestamp is not above that of one that had ended before. */
  readonly outOfOrderRuns: number;
  /** Runs in which a read missed what had ended before it began. */
  readonly staleRuns: number;
  /** In all runs together. */
  readonly transactions: number;
  readonly reads: number;
  readonly outOfOrder: number;
  readonly stale: number;
  /** Microseconds from the beginning of a transaction to its answer, on average over all. */
  readonly latency: number;
  /** Rare situations, in all runs together. */
  readonly reached: ShardReached;
  /** The first run in which something does not hold, without its story. */
  readonly first?: Omit<ShardRun, 'story' | 'seats' | 'commits' | 'deeds'>;
}

/** Runs `seeds` seeds from `from` on. */
export function tallyShards(
  given: Partial<ShardScenario>,
  from: number,
  seeds: number,
): ShardTally {
  const scenario = completeShardScenario({ ...given, seed: from });
  let all = tallyOfRun(runShards(scenario));
  for (let i = 1; i < seeds; i++)
    all = addShardTallies(all, tallyOfRun(runShards({ ...scenario, seed: from + i })));
  return all;
}

function tallyOfRun(run: ShardRun): ShardTally {
  const { scenario, word, transactions, reads, outOfOrder, stale, latency, reached } = run;
  const { story: _, seats: __, commits: ___, deeds: ____, ...plain } = run;
  return {
    ...{ scenario, word, transactions, reads, outOfOrder, stale, latency, reached },
    runs: 1,
    broken: word === 'ok' ? 0 : 1,
    outOfOrderRuns: outOfOrder > 0 ? 1 : 0,
    staleRuns: stale > 0 ? 1 : 0,
    ...(word === 'ok' ? {} : { first: plain }),
  };
}

/** Two tallies of one scenario as one; the first one's seeds come first. */
export function addShardTallies(one: ShardTally, other: ShardTally): ShardTally {
  const sum = (part: 'runs' | 'broken' | 'outOfOrderRuns' | 'staleRuns' | Counted): number =>
    one[part] + other[part];
  const transactions = sum('transactions');
  const spent = one.latency * one.transactions + other.latency * other.transactions;
  const first = one.first ?? other.first;
  return {
    scenario: one.scenario,
    word: worst([one.word, other.word]),
    ...{ runs: sum('runs'), broken: sum('broken') },
    ...{ outOfOrderRuns: sum('outOfOrderRuns'), staleRuns: sum('staleRuns') },
    ...{ transactions, reads: sum('reads') },
    ...{ outOfOrder: sum('outOfOrder'), stale: sum('stale') },
    latency: transactions === 0 ? 0 : Math.round(spent / transactions),
    reached: addShardReached(one.reached, other.reached),
    ...(first ? { first } : {}),
  };
}

type Counted = 'transactions' | 'reads' | 'outOfOrder' | 'stale';
