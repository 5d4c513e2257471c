import { upper95 } from '@quorumlab/checker';
import { engine, timeText } from '@quorumlab/harness';
import {
  addShardTallies,
  completeShardScenario,
  isClaimed,
  mutantOf,
  runShards,
  type ShardProtocol,
  type ShardScenario,
  type ShardTally,
  type ShardWorkload,
  shardCommand,
  shardFlawOf,
  shardProtocols,
  shardWorkloads,
} from '@quorumlab/harness/shards';
import type { Command } from 'commander';

import { type Exit, exitCodes, usageError } from '../errors.ts';
import { writeLines } from '../files.ts';
import { jobsOf, oneOf, timeOf, wholeNumber } from '../flags.ts';
import { withExamples } from '../help.ts';
import { type GlobalFlags, type Io, progressOf, terminal } from '../io.ts';
import { type ShardRow, sayShards } from '../shard-words.ts';
import { stoppable, stopped, stoppedBy } from '../stop.ts';
import { tallyParts } from '../tally-seeds.ts';
import { workerPool } from '../worker-pool.ts';

interface ShardFlags {
  readonly seeds: string;
  readonly seed: string;
  readonly bound: string;
  readonly clock?: string;
  readonly beyond: string;
  readonly mutant: string;
  readonly workload: string;
  readonly protocol: string;
  readonly count: string;
  readonly jobs?: string;
  readonly trace?: string;
  readonly verbose?: boolean;
}

/** `quorumlab shards`: transactions over groups, right and wrong, by clocks within and beyond. */
export function addShards(program: Command): void {
  withExamples(
    program.command('shards'),
    'quorumlab shards',
    'quorumlab shards --mutant no-commit-wait --bound 7ms --beyond none --seeds 10',
    'quorumlab shards --workload swarm --mutant move-without-fence --bound 4ms --seeds 20',
    'quorumlab shards --clock truetime --mutant none --seeds 10',
    'quorumlab shards --seeds 1 --seed 3 --beyond none --verbose',
  )
    .description('transactions over two groups: commit wait by clocks that are wrong, counted')
    .option('--seeds <runs>', 'how many seeds of each', '40')
    .option('--seed <seed>', 'the first of them', '1')
    .option('--bound <time>', 'the error that clocks declare, and may have', '20ms')
    .option(
      '--clock <clocks>',
      'in place of a bound that stays: e.g. truetime, as other runs have it (default: none)',
    )
    .option('--beyond <time>', 'how far clocks are beyond it, in a row of its own, or none', '60ms')
    .option('--mutant <name>', 'a wrong rule, in a row of its own, or none', 'commit-wait-latest')
    .option(
      '--workload <name>',
      'relay: one transaction after the other; swarm: all that may happen',
      'relay',
    )
    .option('--protocol <name>', `of the groups: ${shardProtocols.join(', ')}`, 'both')
    .option('--count <transactions>', 'how many transactions a relay has', '12')
    .option('--jobs <threads>', 'how many threads (default: one per core)')
    .option(
      '--trace <file>',
      'write the trace of the run that is shown to this file (default: none)',
    )
    .option('--verbose', 'tell the run that is shown: the first that breaks something')
    .action(async (flags: ShardFlags, command: Command) => {
      const io = terminal(command.optsWithGlobals<GlobalFlags>());
      const seeds = wholeNumber('--seeds', flags.seeds, 1, 1e6);
      if (flags.clock !== undefined && command.getOptionValueSource('bound') === 'cli')
        throw usageError('QL100', '--clock says what clocks are, and --bound too; leave out one.');
      const scenarios = scenariosOf(flags);
      const { rows, stop } = await rowsOf(io, scenarios, seeds, jobsOf(flags.jobs));
      const shown = rows.findLast(({ first }) => first !== undefined) ?? rows.at(-1);
      if (shown !== undefined && flags.trace !== undefined) traceTo(flags.trace, shown);
      const exit = stop?.exit ?? exitOf(rows);
      if (io.json) io.out(JSON.stringify({ ...documentOf(rows, seeds, exit), ...stoppedBy(stop) }));
      else {
        const told = flags.verbose && shown ? runShards(shownIn(shown)) : undefined;
        sayShards(io, rows, told, flags.trace);
      }
      if (stop !== undefined) io.complain(stop.message);
      process.exitCode = exit;
    });
}

/** The right rules; then, as they are asked for, a wrong one, and clocks beyond their bound. */
function scenariosOf(flags: ShardFlags): readonly ShardScenario[] {
  const plain = {
    protocol: oneOf<ShardProtocol>('--protocol', flags.protocol, shardProtocols),
    workload: oneOf('--workload', flags.workload, Object.keys(shardWorkloads) as ShardWorkload[]),
    bound: timeOf('--bound', flags.bound, 1000),
    ...(flags.clock === undefined ? {} : { clocks: flags.clock }),
    count: wholeNumber('--count', flags.count, 1, 1000),
    seed: wholeNumber('--seed', flags.seed, 0, 2 ** 31),
  };
  const beyond = flags.beyond === 'none' ? 0 : timeOf('--beyond', flags.beyond);
  return [
    plain,
    ...(flags.mutant === 'none' ? [] : [{ ...plain, mutant: mutantOf(flags.mutant) }]),
    ...(beyond === 0 ? [] : [{ ...plain, beyond }]),
  ].map(completeShardScenario);
}

/** Seeds that one thread runs in a go. */
const chunk = 5;

/** All rows; of a row that a signal stops there is nothing. */
async function rowsOf(
  io: Io,
  scenarios: readonly ShardScenario[],
  seeds: number,
  jobs: number,
): Promise<{ readonly rows: readonly ShardRow[]; readonly stop?: Exit }> {
  const progress = progressOf(io, 'runs');
  const rows: ShardRow[] = [];
  return stoppable(async (signal) => {
    const pool = workerPool(jobs);
    try {
      let done = 0;
      const update = (part: ShardTally): void => {
        done += part.runs;
        progress.update(done, scenarios.length * seeds, `${part.broken} of ${part.runs} broken`);
      };
      for (const scenario of scenarios) {
        const tally = await tallyParts(
          seeds,
          {
            chunk,
            run: (from, size) => pool.shards(scenario, scenario.seed + from, size),
            add: addShardTallies,
          },
          { lanes: jobs, signal, update },
        );
        if (tally === undefined || signal.aborted) break;
        rows.push(rowOf(tally));
      }
      if (!signal.aborted) return { rows };
      return {
        rows,
        stop: stopped(signal, `${rows.length} of ${scenarios.length} rows are whole`),
      };
    } finally {
      progress.end();
      await pool.dismiss();
    }
  });
}

function rowOf(tally: ShardTally): ShardRow {
  const { scenario, word, broken, runs } = tally;
  const claimed = isClaimed(scenario);
  return {
    ...tally,
    claimed,
    expected: !claimed || word === 'ok',
    ...(scenario.mutant === undefined ? {} : { flaw: shardFlawOf(scenario.mutant) }),
    upper95: upper95(broken, runs),
    again: shardCommand(shownIn(tally)),
  };
}

/** The run of a row that is shown. */
const shownIn = ({ scenario, first }: ShardTally): ShardScenario => first?.scenario ?? scenario;

function traceTo(file: string, shown: ShardRow): void {
  const lines: string[] = [];
  runShards(shownIn(shown), { trace: { line: (text) => void lines.push(text) } });
  writeLines(file, lines);
}

/** What is wrong and breaks nothing has not shown what it was asked for. */
function exitOf(rows: readonly ShardRow[]): number {
  if (rows.some(({ expected }) => !expected)) return exitCodes.unexpected;
  const isShown = rows.every(({ claimed, broken }) => claimed || broken > 0);
  return isShown ? exitCodes.expected : exitCodes.inconclusive;
}

/** Everything that the text says. */
const documentOf = (rows: readonly ShardRow[], seeds: number, exit: number): object => ({
  ...{ schema: 'quorumlab.shards/1', engine, seeds },
  rows: rows.map(({ scenario, ...row }) => ({
    rules: scenario.mutant ?? 'right',
    clocks: scenario.beyond === 0 ? 'within' : `${timeText(scenario.beyond)} beyond`,
    ...{ scenario, ...row },
  })),
  exit,
});
