import { join } from 'node:path';
import { range } from '@quorumlab/core';
import {
  attackOf,
  attacks,
  commandLine,
  costOfRun,
  expectation,
  type FirstRun,
  flagsOf,
  headline,
  protocolOf,
  quoted,
  type Scenario,
  tooFewTraitors,
  type VerdictRow,
  variantsOf,
} from '@quorumlab/harness';
import type { LeftOut } from '@quorumlab/report/result';
import type { Command } from 'commander';
import { type Exit, exitCodes, usageError } from '../errors.ts';
import {
  actingScenarioOf,
  expected,
  jobsOf,
  type ScenarioFlags,
  scenarioOf,
  wholeNumber,
  withScenarioFlags,
} from '../flags.ts';
import { proofFileOf, proven, sayGuilt, signedIf } from '../guilt.ts';
import { withExamples } from '../help.ts';
import { type GlobalFlags, grouped, type Io, progressOf, terminal } from '../io.ts';
import { type ReporterFlags, reportersOf, withReporterFlag } from '../reporters.ts';
import { exitOf, resultOf, searchRow, shrinkRecord } from '../result.ts';
import { isStopped, runStoppably } from '../run-stoppably.ts';
import { stoppable, stopped, stoppedBy, unlessStopped } from '../stop.ts';
import { tallySeeds } from '../tally-seeds.ts';
import { errorsOf, fileOf, runWithTrace, sayErrors, type Traced } from '../traced.ts';
import { sayNotes, sayProofs, sayStory, storyColumns, verdictWord } from '../words.ts';
import { type SmallRun, type WorkerPool, workerPool } from '../worker-pool.ts';
import { attackMutants, every } from './attack-mutant.ts';

interface AttackFlags extends ScenarioFlags, ReporterFlags {
  readonly seeds?: string;
  readonly expect?: string;
  readonly traces: string;
  readonly proof?: string;
  readonly jobs?: string;
}

/** `quorumlab attack <protocol>`: looks for a violation over many seeds. */
export function addAttack(program: Command): void {
  withExamples(
    withReporterFlag(withScenarioFlags(program.command('attack <protocol>'))),
    'quorumlab attack raft -n 5 --attack double-voter --seeds 500',
    'quorumlab attack pbft --attack all --seeds 100',
    'quorumlab attack raft --mutant figure-8',
  )
    .description(
      'search seeds for a violation and show the first; with --mutant and no --attack, play the ' +
        'schedule that exposes the mutant, on it and on the right protocol (--mutant all: each)',
    )
    .option('--seeds <runs>', 'how many seeds, 1 to 1000000000', '1000')
    .option('--traces <folder>', 'where counterexamples go', join('.quorumlab', 'traces'))
    .option(
      '--proof <file>',
      'where the proof against the liars of the first hit goes (default: none)',
    )
    .option('--expect <word>', 'exit 0 only if the verdict is this word (default: what is claimed)')
    .option('--jobs <threads>', 'how many threads, 1 to 64 (default: one per processor)')
    .action(async (protocol: string, flags: AttackFlags, command: Command) => {
      const expect = expected(flags.expect);
      if (flags.mutant !== undefined && flags.attack === undefined) {
        if (flags.reporter !== undefined)
          throw usageError(
            'QL100',
            '--reporter is for searches, and --mutant alone plays one schedule.\n' +
              '  use   --attack none   to search with the mutant',
          );
        return attackMutants(protocol, flags.mutant, expect, command);
      }
      if (flags.mutant === every)
        throw usageError(
          'QL100',
          '--mutant all plays the schedules of all mutants, and --attack searches with one.\n' +
            `  use   --mutant all   alone\n  or    quorumlab list mutants   for their names`,
        );
      const io = terminal(command.optsWithGlobals<GlobalFlags>());
      const seeds = wholeNumber('--seeds', flags.seeds ?? '1000', 1, 1e9);
      const jobs = jobsOf(flags.jobs);
      const reporters = reportersOf(flags, io, flags.proof);
      const { scenarios, leftOut } = scenariosOf(protocol, flags);
      if (!io.json)
        for (const { attack, why } of leftOut) io.out(`${attack} is left out: ${why}\n`);
      const found = await stoppable((signal) =>
        attackAll({ io, scenarios, seeds, jobs, folder: flags.traces, proof: flags.proof, signal }),
      );
      const { rows, stop } = found;
      const verdict = stop?.exit ?? exitOf(rows, expect);
      const told = {
        ...resultOf(lineOf(protocol, flags, seeds), scenarios, rows, [], verdict),
        ...(expect === undefined ? {} : { expect }),
        ...(leftOut.length === 0 ? {} : { leftOut }),
        ...stoppedBy(stop),
      };
      const errors = errorsOf([...found.failures, ...(await reporters(told))]);
      const exit = stop?.exit ?? (errors.errors ? exitCodes.usage : verdict);
      process.exitCode = exit;
      if (io.json) io.out(JSON.stringify({ ...told, ...errors, exit }));
      sayErrors(io, errors);
      if (stop !== undefined) {
        io.complain(stop.message);
        process.exitCode = stop.exit;
      }
    });
}

/** The command line of this search. */
function lineOf(protocol: string, flags: AttackFlags, seeds: number): string {
  const { attack, ...others } = usual(protocol, flags);
  const told = scenarioOf(protocol, attack === 'all' ? others : { ...others, attack });
  const all = attack === 'all' ? ['--attack all'] : [];
  return ['quorumlab attack', protocol, ...flagsOf(told), ...all, `--seeds ${seeds}`].join(' ');
}

/**
 * The flags with an attack, if they name none: a lying leader. Against quorums that may not meet in
 * an honest node one that shows it, with as many liars as the group is said to survive.
 */
function usual(protocol: string, flags: AttackFlags): AttackFlags & { readonly attack: string } {
  const { attack } = flags;
  if (attack !== undefined) return { ...flags, attack };
  if (!flags.unsafeN && flags.quorum === undefined)
    return { ...flags, attack: 'equivocating-leader' };
  if (protocolOf(protocol).claims.faults === 'crash') return { ...flags, attack: 'split' };
  const { f } = scenarioOf(protocol, flags);
  return { ...flags, attack: 'double-voter', by: flags.by ?? range(Math.max(1, f)).join(',') };
}

/** A search for violations, attack by attack. */
interface Search {
  readonly io: Io;
  readonly scenarios: readonly Scenario[];
  readonly seeds: number;
  readonly jobs: number;
  /** Where traces go. */
  readonly folder: string;
  /** Where the proof goes, if one is wanted. */
  readonly proof: string | undefined;
  readonly signal: AbortSignal;
}

/** What came of it, as far as it came. */
interface Found {
  readonly rows: readonly VerdictRow[];
  readonly failures: readonly Exit[];
  readonly stop?: Exit;
}

async function attackAll(search: Search): Promise<Found> {
  const { scenarios, seeds, signal } = search;
  const jobs = Math.min(search.jobs, Math.ceil(seeds / seedsPerThread));
  const pool = workerPool(jobs);
  const rows: VerdictRow[] = [];
  const failures: Exit[] = [];
  try {
    for (const scenario of scenarios) {
      const one = await attackOne(search, pool, scenario);
      if (one === undefined) break;
      rows.push(one.row);
      failures.push(...one.failures);
      if (signal.aborted) break;
    }
  } finally {
    await pool.dismiss();
  }
  if (!signal.aborted) return { rows, failures };
  const ran = rows.reduce((sum, { runs }) => sum + runs, 0);
  const all = seeds * scenarios.length;
  const hits = rows.reduce((sum, row) => sum + row.hits, 0);
  const so = hits === 0 ? 'no violation' : `${grouped(hits)} with a violation`;
  return {
    rows,
    failures,
    stop: stopped(signal, `${so} in ${grouped(ran)} seeds of ${grouped(all)}`),
  };
}

/** A thread takes as long to start as it takes to run these. */
const seedsPerThread = 40;

/** One scenario per attack that the flags name, and per variant unless they name one. */
function scenariosOf(
  protocol: string,
  flags: AttackFlags,
): { readonly scenarios: readonly Scenario[]; readonly leftOut: readonly LeftOut[] } {
  const { attack: chosen, ...others } = usual(protocol, flags);
  const { by: _, ...withoutLiars } = others;
  const of = (attack: string): Scenario =>
    // Among all attacks, the liars are those of the attacks that have some.
    chosen === 'all' && attackOf(attack).needs !== 'byzantine'
      ? actingScenarioOf(protocol, { ...withoutLiars, attack })
      : actingScenarioOf(protocol, { ...others, attack });
  if (chosen !== 'all') return { scenarios: variantsOf(of(chosen)), leftOut: [] };
  const named = attacks
    // Nothing survives that by claim, and few protocols have what it sets back.
    .filter(({ needs, setsBack }) => needs !== 'nothing' && setsBack !== true)
    .map(({ name }) => of(name));
  const leftOut = named.flatMap((scenario): LeftOut[] => {
    const why = tooFewTraitors(scenario);
    return why === undefined ? [] : [{ attack: scenario.attack, why }];
  });
  const scenarios = named.filter((scenario) => tooFewTraitors(scenario) === undefined);
  return { scenarios: scenarios.flatMap((scenario) => variantsOf(scenario)), leftOut };
}

/** Searches one scenario and says what came of it; nothing if no run ended before a signal. */
async function attackOne(
  { io, scenarios, seeds, jobs, folder, proof, signal }: Search,
  pool: WorkerPool,
  scenario: Scenario,
): Promise<{ readonly row: VerdictRow; readonly failures: readonly Exit[] } | undefined> {
  const progress = progressOf(io, 'seeds');
  let runs = 0;
  let hits = 0;
  const tally = await tallySeeds(pool, scenario, seeds, {
    lanes: jobs,
    signal,
    update(part) {
      runs += part.runs;
      hits += part.hits;
      progress.update(runs, seeds, `${io.sign('fail')} ${grouped(hits)}`);
    },
  });
  progress.end();
  if (tally === undefined) return undefined;
  if (tally.first === undefined) {
    // Which budget has ended, only the run itself can tell.
    const unfinished = signal.aborted ? undefined : tally.shown;
    const again =
      unfinished && (await runStoppably({ ...scenario, seed: unfinished.seed }, {}, signal));
    const row = searchRow(scenario, tally, again && isStopped(again) ? undefined : again);
    if (!io.json) sayClean(io, scenario, row, tally.words.inconclusive ?? 0);
    return { row, failures: [] };
  }
  // The search keeps nothing; the first hit is run again, smaller, with its trace and its proofs.
  const { seed, events } = tally.first;
  const hit = { ...scenario, seed };
  const small = await unlessStopped(pool.shrink(hit, {}), signal);
  const shown = small?.scenario ?? hit;
  const traced = await runWithTrace(signedIf(shown, proof), join(folder, fileOf(shown)));
  const first = { seed, events, replay: commandLine(hit) };
  const smaller = small === undefined ? {} : { first, shrunk: shrinkRecord(small) };
  const written =
    proof === undefined
      ? {}
      : proven(traced.result, proofFileOf(proof, scenario, scenarios.length > 1));
  const row = searchRow(scenario, tally, traced.result, traced.file, smaller, written.file);
  if (!io.json) sayFound(io, scenario, { row, small, traced, first, asked: proof !== undefined });
  const failures = [traced.failure, written.failure].filter((each) => each !== undefined);
  return { row, failures };
}

interface Shown {
  readonly row: VerdictRow;
  readonly small: SmallRun | undefined;
  readonly traced: Traced;
  readonly first: FirstRun;
  /** A proof is wanted. */
  readonly asked: boolean;
}

function sayFound(io: Io, scenario: Scenario, { row, small, traced, first, asked }: Shown): void {
  io.out(headline(scenario));
  io.out('');
  io.out(
    `${verdictWord(io, row.word)}   ${grouped(row.hits)} of ${grouped(row.runs)} seeds. ` +
      `First: seed ${first.seed}, ${grouped(first.events)} events` +
      (small === undefined ? '' : ` ${io.sign('arrow')} ${shrunkTo(small)}`),
  );
  io.out(`  rule      ${row.counterexample?.rule}: ${row.counterexample?.sentence}`);
  for (const line of storyColumns(io, traced.result)) io.out(`  ${line}`);
  sayStory(io, row);
  sayProofs(io, row);
  sayGuilt(io, row, asked);
  io.out(`  ${expectation(row)}`);
  sayNotes(io, row);
  io.out(`  cost      ${costOfRun(traced.result).messages} messages until then`);
  if (traced.file !== undefined) {
    io.out(`  trace     ${traced.file}`);
    io.out(`  replay    quorumlab replay ${quoted(traced.file)}`);
  }
  io.out(`  first     ${first.replay}`);
  io.out('');
}

const shrunkTo = ({ after, scenario, tries }: SmallRun): string =>
  `shrunk to ${grouped(after)} among ${scenario.n} nodes (${grouped(tries)} tries)`;

function sayClean(io: Io, scenario: Scenario, row: VerdictRow, unfinished: number): void {
  io.out(headline(scenario));
  const fired = row.note ?? `the attack fired in ${grouped(row.fired)} of them`;
  const left = unfinished === 0 ? '' : `, of which ${grouped(unfinished)} were not finished`;
  io.out(
    `${verdictWord(io, row.word)}   no violation in ${grouped(row.runs)} seeds${left}; ${fired}`,
  );
  io.out(
    `  the true rate is below ${row.upper95.toFixed(2)} % with 95 % confidence; this is no proof`,
  );
  io.out(`  ${expectation(row)}`);
  sayNotes(io, row);
  io.out('');
}
