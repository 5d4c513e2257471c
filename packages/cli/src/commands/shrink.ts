import {
  againLine,
  costOfRun,
  expectation,
  headline,
  quoted,
  type Scenario,
  type Shrinkable,
  type ShrinkStep,
  type VerdictRow,
} from '@quorumlab/harness';
import { isOfShards } from '@quorumlab/harness/shards';
import type { Command } from 'commander';
import { type Exit, exitCodes } from '../errors.ts';
import { readText } from '../files.ts';
import { wholeNumber } from '../flags.ts';
import { withExamples } from '../help.ts';
import { type GlobalFlags, grouped, type Io, terminal } from '../io.ts';
import { counterexampleOf, exitOf, resultOf, rowOf, shrinkRecord } from '../result.ts';
import { stopOf } from '../run-stoppably.ts';
import { nothingWrong, shrinkShardTrace } from '../shard-again.ts';
import { stoppable, stopped, stoppedBy, unlessStopped } from '../stop.ts';
import { errorsOf, runWithTrace, sayErrors, type Traced } from '../traced.ts';
import { sayProofs, storyColumns, verdictWord } from '../words.ts';
import { type SmallRun, workerPool } from '../worker-pool.ts';
import { parsed, scenarioIn } from './replay.ts';

interface ShrinkFlags {
  readonly out?: string;
  readonly tries: string;
}

/** `quorumlab shrink <trace>`: a smaller trace with the same failure. */
export function addShrink(program: Command): void {
  withExamples(
    program.command('shrink <trace>'),
    'quorumlab shrink big.trace.ndjson',
    'quorumlab shrink big.trace.ndjson --out small.trace.ndjson --tries 500',
  )
    .description('make a counterexample smaller, while the same thing goes wrong')
    .option(
      '--out <file>',
      'where the small trace goes (default: beside the other, as .min.trace.ndjson)',
    )
    .option('--tries <runs>', 'how many smaller runs to try, 1 to 1000000', '2000')
    .action(async (file: string, flags: ShrinkFlags, command: Command) => {
      const io = terminal(command.optsWithGlobals<GlobalFlags>());
      const tries = wholeNumber('--tries', flags.tries, 1, 1e6);
      const text = readText(file);
      const trace = parsed(text);
      if (isOfShards(trace)) {
        const out = flags.out ?? smallName(file);
        return shrinkShardTrace(io, trace, { file, out, tries });
      }
      const scenario = scenarioIn(text);
      const found = await shrunk(scenario, tries);
      const { small } = found;
      let { stop } = found;
      if (small === undefined) {
        if (stop !== undefined) throw stop;
        throw nothingWrong(file);
      }
      const out = flags.out ?? smallName(file);
      const traced = await stoppable(async (signal) => {
        const run = await runWithTrace(small.scenario, out, { signal, io });
        stop ??= stopOf(run.result, signal, `; ${out} is not written`);
        return run;
      });
      const row = smallRow(scenario, file, small, traced);
      const errors = errorsOf(traced.failure === undefined ? [] : [traced.failure]);
      const exit = stop?.exit ?? (errors.errors ? exitCodes.usage : exitOf([row]));
      if (io.json) {
        const line = `quorumlab shrink ${quoted(file)} --out ${quoted(out)} --tries ${tries}`;
        const cost = [costOfRun(traced.result)];
        const result = resultOf(line, small.scenario, [row], cost, exit);
        io.out(JSON.stringify({ ...result, ...errors, ...stoppedBy(stop) }));
      } else saySmall(io, small, traced, row);
      sayErrors(io, errors);
      if (stop !== undefined) io.complain(stop.message);
      process.exitCode = exit;
    });
}

/** Shrinks in a thread, so that a signal can stop it; what was the smallest until then counts. */
function shrunk(
  scenario: Scenario,
  tries: number,
): Promise<{ readonly small: SmallRun | undefined; readonly stop?: Exit }> {
  return stoppable(async (signal) => {
    const pool = workerPool(1);
    let best: SmallRun | undefined;
    const update = (found: SmallRun): void => {
      best = found;
    };
    try {
      const options = { tries, events: tries * 25_000 };
      const small = await unlessStopped(pool.shrink(scenario, options, update), signal);
      if (!signal.aborted) return { small };
      const so = best === undefined ? 'nothing smaller was found' : 'this is the smallest so far';
      return { small: best, stop: stopped(signal, so) };
    } finally {
      await pool.dismiss();
    }
  });
}

function smallRow(
  scenario: Scenario,
  file: string,
  small: SmallRun,
  { result, file: out }: Traced,
): VerdictRow {
  const first = {
    seed: scenario.seed,
    events: small.before,
    replay: againLine(scenario, file) ?? `quorumlab replay ${quoted(file)}`,
  };
  return {
    ...rowOf(result, out),
    ...counterexampleOf(result, out, { first, shrunk: shrinkRecord(small) }),
  };
}

function saySmall(io: Io, small: SmallRun, { result, file }: Traced, row: VerdictRow): void {
  io.out(headline(small.scenario));
  sayShrunk(io, small);
  io.out(`${verdictWord(io, row.word)}, same rule as before: ${row.counterexample?.sentence}`);
  for (const text of storyColumns(io, result)) io.out(`  ${text}`);
  sayProofs(io, row);
  io.out(`  ${expectation(row)}`);
  if (file === undefined) return;
  io.out(`  trace     ${file}`);
  io.out(`  replay    quorumlab replay ${quoted(file)}`);
}

/** `a.trace.ndjson` becomes `a.min.trace.ndjson`. */
function smallName(file: string): string {
  if (file === '-') return 'min.trace.ndjson';
  return file.endsWith('.trace.ndjson')
    ? file.replace(/(\.min)?\.trace\.ndjson$/, '.min.trace.ndjson')
    : `${file}.min`;
}

const titles: Readonly<Record<Shrinkable, string>> = {
  choices: 'unkind choices',
  faults: 'faults',
  time: 'virtual ms',
  messages: 'messages that arrive',
  nodes: 'nodes',
  requests: 'requests',
};

/** `412 → 14 events`, and what each pass did. */
function sayShrunk(io: Io, { before, after, steps, tries }: SmallRun): void {
  const arrow = io.sign('arrow');
  io.out(`${grouped(before)} ${arrow} ${grouped(after)} events in ${grouped(tries)} tries`);
  for (const step of steps) {
    const [was, is] = [step.before, step.after].map((size) => grouped(shown(step, size)));
    const size = was === is ? `${is}` : `${was} ${arrow} ${is}`;
    io.out(`  ${titles[step.what].padEnd(22)}${size.padEnd(18)}(${step.tries} tries)`);
  }
}

const shown = ({ what }: ShrinkStep, size: number): number =>
  what === 'time' ? Math.round(size / 1000) : size;
