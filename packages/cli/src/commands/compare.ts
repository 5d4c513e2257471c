import { join } from 'node:path';
import {
  cellsOf,
  commandLine,
  completeScenario,
  quoted,
  type Scenario,
  type Tally,
  type VerdictRow,
} from '@quorumlab/harness';
import { rowName } from '@quorumlab/report/result';
import type { Command } from 'commander';
import {
  type CompareResult,
  hasCounterexample,
  type Rows,
  sayComparison,
} from '../compare-words.ts';
import { type Exit, exitCodes, usageError } from '../errors.ts';
import {
  jobsOf,
  readsHelp,
  readsWord,
  type ScenarioFlags,
  scenarioOf,
  wholeNumber,
} from '../flags.ts';
import { withExamples } from '../help.ts';
import { type GlobalFlags, grouped, type Io, progressOf, terminal } from '../io.ts';
import { type ReporterFlags, type Reporters, reportersOf, withReporterFlag } from '../reporters.ts';
import {
  cellRow,
  counterexampleOf,
  exitOf,
  resultOf,
  shrinkRecord,
  steadyCostRow,
  storyOf,
} from '../result.ts';
import { stoppable, stopped, stoppedBy, unlessStopped } from '../stop.ts';
import { tallySeeds } from '../tally-seeds.ts';
import { errorsOf, fileOf, runWithTrace, sayErrors } from '../traced.ts';
import { type WorkerPool, workerPool } from '../worker-pool.ts';

interface CompareFlags extends ReporterFlags {
  readonly n?: string;
  readonly f: string;
  readonly attack?: string;
  readonly seeds: string;
  readonly seed?: string;
  readonly net?: string;
  readonly reads?: string;
  readonly jobs?: string;
  readonly traces: string;
  readonly sizes?: string;
}

/** `quorumlab compare <protocol...>`: what each survives, and what that costs. */
export function addCompare(program: Command): void {
  withExamples(
    withReporterFlag(program.command('compare <protocols...>')),
    'quorumlab compare raft pbft -f 1 --seeds 50',
    'quorumlab compare raft hotstuff --attack split,f+1-traitors --net lossy',
    'quorumlab compare raft pbft -f 1 --seeds 50 --reporter html=report.html',
  )
    .description('the same attacks against several protocols, and what each of them costs')
    .option('-f <faults>', 'how many faulty ones each is to survive', '1')
    .option('-n <replicas>', 'how many replicas (default: as many as f takes)')
    .option(
      '--attack <names>',
      'e.g. split,double-voter, or all: quorumlab list attacks (default: one of each sort)',
    )
    .option('--seeds <runs>', 'how many seeds per cell, 1 to 1000000000', '300')
    .option('--seed <seed>', 'the first of them (default: 42)')
    .option('--net <network>', 'lan, wan, lossy, async or psync:gst=1s,delta=20ms (default: lan)')
    .option('--reads <kind>', readsHelp)
    .option(
      '--sizes <faults>',
      'the cost of a commit at these f too, e.g. 1,2,3,5; or none ' +
        '(default: 1,2,3,5 with a report, else none)',
    )
    .option('--jobs <threads>', 'how many threads, 1 to 64 (default: one per processor)')
    .option('--traces <folder>', 'where counterexamples go', join('.quorumlab', 'traces'))
    .action(async (protocols: readonly string[], flags: CompareFlags, command: Command) => {
      const io = terminal(command.optsWithGlobals<GlobalFlags>());
      const seeds = wholeNumber('--seeds', flags.seeds, 1, 1e9);
      const cells = cellsFor(protocols, flags);
      const jobs = jobsOf(flags.jobs);
      const sizes = sizesOf(flags);
      const reporters = reportersOf(flags, io);
      const result = await stoppable(async (signal) => {
        const pool = workerPool(jobs);
        try {
          return await compare({
            io,
            pool,
            lanes: jobs,
            cells,
            seeds,
            sizes,
            flags,
            reporters,
            signal,
          });
        } finally {
          await pool.dismiss();
        }
      });
      process.exitCode = result.exit;
      if (io.json) io.out(JSON.stringify(result));
      else if (result.verdicts.length > 0) sayComparison(io, result, seeds);
      sayErrors(io, result);
      if (result.stopped === undefined) return;
      io.complain(result.stopped);
      process.exitCode = result.exit;
    });
}

/** A comparison that is being made. */
interface Comparing {
  readonly io: Io;
  readonly pool: WorkerPool;
  /** Parts of one cell that the pool is given at a time. */
  readonly lanes: number;
  readonly cells: readonly Scenario[];
  readonly seeds: number;
  /** Values of f at which the cost of a commit is measured too. */
  readonly sizes: readonly number[];
  readonly flags: CompareFlags;
  readonly reporters: Reporters;
  readonly signal: AbortSignal;
}

/** What `--sizes` says; charts against n take some sizes, so reports have them. */
function sizesOf({ sizes, reporter }: CompareFlags): readonly number[] {
  if (sizes === 'none' || (sizes === undefined && reporter === undefined)) return [];
  const all = (sizes ?? '1,2,3,5').split(',').map((each) => wholeNumber('--sizes', each, 0, 33));
  return [...new Set(all)].sort((one, two) => one - two);
}

function cellsFor(protocols: readonly string[], flags: CompareFlags): readonly Scenario[] {
  const f = wholeNumber('-f', flags.f, 0, 3333);
  const { n, net, seed, attack, reads } = flags;
  const attacks = attack?.split(',').map((each) => each.trim());
  if (attacks?.includes(''))
    throw usageError('QL101', '--attack has a comma too many; write e.g. split,double-voter.');
  const shared: ScenarioFlags = {
    ...(net === undefined ? {} : { net }),
    ...(seed === undefined ? {} : { seed }),
  };
  // Flags that all scenarios share are read once, as every command reads them.
  const { network, seed: first } = scenarioOf('raft', shared);
  return cellsOf({
    protocols,
    f,
    ...(n === undefined ? {} : { n: wholeNumber('-n', n, 1, 10_000) }),
    ...(attacks === undefined ? {} : { attacks }),
    shared: { network, seed: first, ...(reads === undefined ? {} : { reads: readsWord(reads) }) },
  });
}

async function compare(comparing: Comparing): Promise<CompareResult> {
  const { pool, cells, seeds, sizes, flags, reporters, signal } = comparing;
  // Awaited together, so that an error of one is never left without somebody who hears it.
  const [costs = [], grown = [], tallies] = await Promise.all([
    unlessStopped(costsOf(pool, cells), signal),
    unlessStopped(Promise.all(sizes.map((size) => costsOf(pool, cells, size))), signal),
    talliesOf(comparing),
  ]);
  const { verdicts, failures } = await rowsOf(comparing, tallies);
  const cost = costs.map(steadyCostRow);
  const protocols = [...new Set(cells.map(({ protocol }) => protocol))].join(' ');
  // How many threads there were, and where traces went, changes nothing in the result.
  const { n, f, attack, seed, net, reads } = flags;
  const told = Object.entries({ attack, seed, net, reads, sizes: flags.sizes }).flatMap(
    ([name, value]) => (value === undefined ? [] : [`--${name} ${quoted(value)}`]),
  );
  const size = n === undefined ? [`-f ${f}`] : [`-f ${f}`, `-n ${n}`];
  const line = ['quorumlab compare', protocols, ...size, ...told, `--seeds ${seeds}`].join(' ');
  const unexpected = verdicts.filter(({ expected }) => !expected).length;
  const growth = grown.flat().map(steadyCostRow);
  const verdict = exitOf(verdicts);
  const whole = {
    ...resultOf(line, cells, verdicts, cost, verdict),
    ...(growth.length === 0 ? {} : { growth }),
    ...{ cost, unexpected },
  };
  const ran = verdicts.reduce((sum, { runs }) => sum + runs, 0);
  const stop = signal.aborted
    ? stopped(signal, `${grouped(ran)} runs of ${grouped(cells.length * seeds)}`)
    : undefined;
  const result = { ...whole, ...stoppedBy(stop), exit: stop?.exit ?? verdict };
  const errors = errorsOf([...failures, ...(await reporters(result))]);
  const exit = errors.errors === undefined ? verdict : exitCodes.usage;
  return { ...result, ...errors, exit: stop?.exit ?? exit };
}

/** Once per protocol and variant; of the groups of the cells, or of the smallest for another f. */
function costsOf(
  pool: WorkerPool,
  cells: readonly Scenario[],
  size?: number,
): ReturnType<typeof Promise.all<ReturnType<WorkerPool['cost']>[]>> {
  const one = new Map(cells.map((cell) => [rowName(cell), cell]));
  return Promise.all(
    [...one.values()].map((cell) => {
      const { protocol, options } = cell;
      const { n, f } = size === undefined ? cell : completeScenario({ protocol, f: size });
      // Without a fault to survive there is nobody to lead in another's place.
      const replacement = f > 0 && size === undefined;
      return pool.cost({ protocol, n, f, replacement, ...(options ? { options } : {}) });
    }),
  );
}

/** Every cell under every seed. What comes of it does not depend on how many threads there are. */
async function talliesOf({
  io,
  pool,
  lanes,
  cells,
  seeds,
  signal,
}: Comparing): Promise<readonly (Tally | undefined)[]> {
  const progress = progressOf(io, 'runs');
  const of = cells.length * seeds;
  let done = 0;
  let hits = 0;
  const update = (part: Tally): void => {
    done += part.runs;
    hits += part.hits;
    progress.update(done, of, `${io.sign('fail')} ${grouped(hits)}`);
  };
  const tallies = await Promise.all(
    cells.map((cell) => tallySeeds(pool, cell, seeds, { lanes, signal, update })),
  );
  progress.end();
  return tallies;
}

/** Enough for most attacks; `quorumlab shrink` goes on. */
const shrinking = { tries: 250, events: 2_000_000 };

async function rowsOf(
  { io, pool, cells, flags, signal }: Comparing,
  tallies: readonly (Tally | undefined)[],
): Promise<Rows> {
  const progress = progressOf(io, 'counterexamples');
  const of = tallies.filter((tally) => hasCounterexample(tally)).length;
  const failures: Exit[] = [];
  let done = 0;
  // A trace is in memory until it is written: one at a time.
  let turn: Promise<unknown> = Promise.resolve();
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const result = turn.then(work);
    turn = result.catch(() => undefined);
    return result;
  };
  const rows = await Promise.all(
    cells.map(async (cell, i): Promise<readonly VerdictRow[]> => {
      const tally = tallies[i];
      if (tally === undefined) return [];
      if (tally.shown === undefined || !hasCounterexample(tally)) return [cellRow(cell, tally, {})];
      const found = { ...cell, seed: tally.shown.seed };
      const small = await unlessStopped(pool.shrink(found, shrinking), signal);
      progress.update(++done, of, 'shrunk');
      // Without a violation (the time was over) there is nothing to hold on to.
      if (small === undefined && !signal.aborted) return [cellRow(cell, tally, {})];
      const scenario = small?.scenario ?? found;
      const file = join(flags.traces, fileOf(scenario));
      const traced = await inTurn(() => runWithTrace(scenario, file));
      if (traced.failure !== undefined) failures.push(traced.failure);
      const events = small?.before ?? tally.shown.events;
      const first = { seed: found.seed, events, replay: commandLine(found) };
      const smaller = small === undefined ? {} : { first, shrunk: shrinkRecord(small) };
      return [
        cellRow(cell, tally, {
          ...counterexampleOf(traced.result, traced.file, smaller),
          ...storyOf(traced.result),
        }),
      ];
    }),
  );
  progress.end();
  return { verdicts: rows.flat(), failures };
}
