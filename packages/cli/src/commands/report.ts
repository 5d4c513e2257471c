import { dirname } from 'node:path';
import { quoted } from '@quorumlab/harness';
import type { Command } from 'commander';
import { exitCodes, usageError } from '../errors.ts';
import { readText } from '../files.ts';
import { withExamples } from '../help.ts';
import { type GlobalFlags, terminal } from '../io.ts';
import { type ReporterFlags, reportersOf, withReporterFlag } from '../reporters.ts';
import { exitOf } from '../result.ts';
import { errorsOf, sayErrors } from '../traced.ts';

interface ReportFlags extends ReporterFlags {
  readonly date?: string;
}

/** `quorumlab report <results...>`: stored results as one report, shards of a search merged. */
export function addReport(program: Command): void {
  withExamples(
    withReporterFlag(program.command('report <results...>')),
    'quorumlab report shard-1.json shard-2.json --reporter html=report.html',
    'quorumlab report last.json --reporter md=summary.md --reporter junit=junit.xml',
  )
    .description(
      'results of --json or --reporter json=FILE as one report; runs of one cell from different ' +
        'seeds on are added',
    )
    .option('--date <text>', 'a date for the head of an HTML report (default: none is told)')
    .action(async (files: readonly string[], flags: ReportFlags, command: Command) => {
      const io = terminal(command.optsWithGlobals<GlobalFlags>());
      const twice = files.find((file, i) => files.indexOf(file) !== i);
      if (twice !== undefined)
        throw usageError('QL117', `${twice} stands twice; name each result once.`);
      const reporters = reportersOf(flags, io);
      const { markdownReport, mergeResults, readResult } = await import('@quorumlab/report');
      const parts = files.map((file) => ({ file, result: readResult(readText(file), file) }));
      const line = ['quorumlab report', ...files.map(quoted)].join(' ');
      const merged = mergeResults(parts, line);
      const told = { ...merged, exit: exitOf(merged.verdicts, merged.expect) };
      const { date } = flags;
      const folders = [...new Set(files.map(dirname))];
      const more = { folders, ...(date === undefined ? {} : { date }) };
      const errors = errorsOf(await reporters(told, more));
      const exit = errors.errors === undefined ? told.exit : exitCodes.usage;
      process.exitCode = exit;
      if (io.json) io.out(JSON.stringify({ ...told, ...errors, exit }));
      else if (flags.reporter === undefined) io.out(markdownReport(told).trimEnd());
      sayErrors(io, errors);
    });
}
