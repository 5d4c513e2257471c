import { type Shrinkable, type ShrinkStep, type Shrunk, shrink } from '@quorumlab/harness';
import type { Command } from 'commander';
import { Exit, exitCodes } from '../errors.ts';
import { wholeNumber } from '../flags.ts';
import { type GlobalFlags, grouped, type Io, terminal } from '../io.ts';
import {
  againLine,
  costOf,
  counterexampleOf,
  exitOf,
  quoted,
  resultOf,
  rowOf,
  shrinkRecord,
} from '../result.ts';
import { expectation, headline, sayProofs, storyColumns, verdictWord } from '../words.ts';
import { readText, scenarioIn } from './replay.ts';
import { runWithTrace } from './run.ts';

interface ShrinkFlags {
  readonly out?: string;
  readonly tries: string;
}

/** `quorumlab shrink <trace>`: a smaller trace with the same failure. */
export function addShrink(program: Command): void {
  program
    .command('shrink <trace>')
    .description('make a counterexample smaller, while the same thing goes wrong')
    .option('--out <file>', 'where the small trace goes; beside the other unless told')
    .option('--tries <runs>', 'how many smaller runs to try', '2000')
    .action((file: string, flags: ShrinkFlags, command: Command) => {
      const io = terminal(command.optsWithGlobals<GlobalFlags>());
      const tries = wholeNumber('--tries', flags.tries, 1, 1e6);
      const scenario = scenarioIn(readText(file));
      const small = shrink(scenario, { tries, events: tries * 25_000 });
      if (small === undefined)
        throw new Exit(
          exitCodes.usage,
          `error QL118: nothing goes wrong in ${file}, so there is nothing to shrink.\n` +
            '  use   quorumlab attack to search for a counterexample',
        );
      const out = flags.out ?? smallName(file);
      const shown = runWithTrace(small.scenario, out);
      const first = {
        seed: scenario.seed,
        events: small.before,
        replay: againLine(scenario, file) ?? `quorumlab replay ${quoted(file)}`,
      };
      const row = {
        ...rowOf(shown, out),
        ...counterexampleOf(shown, out, { first, shrunk: shrinkRecord(small) }),
      };
      const exit = exitOf([row]);
      process.exitCode = exit;
      if (io.json) {
        const line = `quorumlab shrink ${quoted(file)} --out ${quoted(out)} --tries ${tries}`;
        io.out(JSON.stringify(resultOf(line, small.scenario, [row], [costOf(shown)], exit)));
        return;
      }
      io.out(headline(small.scenario));
      sayShrunk(io, small);
      io.out(`${verdictWord(io, row.word)}, same rule as before: ${row.counterexample?.sentence}`);
      for (const text of storyColumns(io, shown)) io.out(`  ${text}`);
      sayProofs(io, row);
      io.out(`  ${expectation(row)}`);
      io.out(`  trace     ${out}`);
      io.out(`  replay    quorumlab replay ${out}`);
    });
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
function sayShrunk(io: Io, { before, after, steps, tries }: Shrunk): void {
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
