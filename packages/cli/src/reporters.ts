/** `--reporter`: results as files too; what cannot be written is refused before the work. */
import { accessSync, appendFileSync, constants, existsSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { isSystemError, meaningOf } from '@quorumlab/harness';
import type { Result } from '@quorumlab/report/result';
import { type Command, Option } from 'commander';
import { type Exit, usageError } from './errors.ts';
import { writeLines } from './files.ts';
import { gather, oneOf } from './flags.ts';
import { localised, telling } from './invocation.ts';
import type { Io } from './io.ts';
import { withNamed } from './modules.ts';
import { reportViewer } from './page.ts';

/** What `--reporter` gives. */
export interface ReporterFlags {
  readonly reporter?: readonly string[];
}

/** The kinds of reports; `github` writes to the build that it runs in, all others to a file. */
const kinds = ['html', 'plain', 'junit', 'md', 'json', 'github'] as const;
type Kind = (typeof kinds)[number];

interface Reporter {
  readonly kind: Kind;
  /** Where it goes; of `github` the summary of the step, if there is one. */
  readonly file: string | undefined;
}

/** Writes what was asked for, and gives back what could not be written. */
export type Reporters = (result: Result, more?: ReportMore) => Promise<readonly Exit[]>;

/** What else goes into a report. */
export interface ReportMore {
  /** Folders in which the traces of a result may be, beside the working directory. */
  readonly folders?: readonly string[];
  readonly date?: string;
}

/** Adds the flag. */
export const withReporterFlag = (command: Command): Command =>
  command.addOption(
    new Option(
      '--reporter <kind=file>',
      'the result as a file too: html= (plain= for the same page without a script), junit=, md= ' +
        'or json= and a file, or github for its notes and summary; repeatable (default: none)',
    ).argParser(gather),
  );

/**
 * The reporters of the flags. Throws an {@link Exit} for a kind that there is not, a file that
 * cannot be written or is named twice, here or among `others`.
 */
export function reportersOf(
  flags: ReporterFlags,
  io: Io,
  ...others: readonly (string | undefined)[]
): Reporters {
  const all = (flags.reporter ?? []).flatMap(pieces).map(reporterOf);
  const taken = new Set(others.flatMap((file) => (file === undefined ? [] : [resolve(file)])));
  for (const { kind, file } of all) {
    if (file === undefined) continue;
    const path = resolve(file);
    if (taken.has(path) && kind !== 'github')
      throw usageError('QL117', `--reporter ${kind}=${file} names a file twice; name another one.`);
    taken.add(path);
    requireWritable(file, kind);
  }
  const notes = all.filter(({ kind }) => kind === 'github');
  if (notes.length > 1) throw usageError('QL117', '--reporter github stands twice; give it once.');
  return async (result, more = {}) => {
    if (all.length === 0) return [];
    const told = named(result);
    const failures: Exit[] = [];
    for (const each of all)
      try {
        await write(each, told, more, io);
      } catch (error) {
        failures.push(asExit(error, each));
      }
    return failures;
  };
}

/** `html=a.html,junit=b.xml` is two; a comma that no kind follows is of a name. */
const pieces = (text: string): readonly string[] =>
  text.split(RegExp(`,(?=(?:${kinds.join('|')})(?:=|,|$))`));

function reporterOf(text: string): Reporter {
  const at = text.indexOf('=');
  const kind = oneOf('--reporter', at < 0 ? text : text.slice(0, at), kinds);
  const file = at < 0 ? undefined : text.slice(at + 1);
  if (kind === 'github') {
    if (file === undefined) return { kind, file: process.env.GITHUB_STEP_SUMMARY || undefined };
    throw usageError(
      'QL100',
      '--reporter github takes no file: GITHUB_STEP_SUMMARY says where the summary goes.',
    );
  }
  if (file === undefined || file.trim() === '')
    throw usageError(
      'QL100',
      `--reporter ${kind} takes a file; write e.g. ${kind}=report.${kind}.`,
    );
  if (file === '-')
    throw usageError('QL100', `--reporter ${kind}=- is no file; for standard output use --json.`);
  return { kind, file };
}

/** Looks whether a file can be written, and writes nothing: what was there stays until the end. */
function requireWritable(file: string, kind: Kind): void {
  const cannot = (why: string): Exit =>
    usageError('QL108', `--reporter ${kind}: ${file} cannot be written: ${why}.`);
  const folder = dirname(resolve(file));
  try {
    if (!existsSync(folder)) throw cannot(`there is no folder ${folder}; make it first`);
    if (!statSync(folder).isDirectory()) throw cannot(`${folder} is no folder`);
    const there = statSync(file, { throwIfNoEntry: false });
    if (there?.isDirectory()) throw cannot('it is a folder; name a file in it');
    accessSync(there === undefined ? folder : file, constants.W_OK);
  } catch (error) {
    throw isSystemError(error) ? cannot(meaningOf(error)) : error;
  }
}

/** Commands in it work where they are offered, with the modules that this command has named. */
function named(result: Result): Result {
  const words = withNamed();
  if (words === '') return result;
  return JSON.parse(telling(JSON.stringify(result), JSON.stringify(words).slice(1, -1)));
}

async function write({ kind, file }: Reporter, result: Result, more: ReportMore, io: Io) {
  const report = await import('@quorumlab/report');
  const put = (text: string): void => void (file && writeLines(file, [text.trimEnd()]));
  switch (kind) {
    case 'json':
      return put(JSON.stringify(result));
    case 'junit':
      return put(report.junitReport(result));
    case 'md':
      return put(report.markdownReport(result));
    case 'plain':
    case 'html': {
      const { evidenceFor } = await import('./evidence.ts');
      const evidence = evidenceFor(result, more.folders);
      const { date } = more;
      // Nothing to show, nothing to show it with.
      const isLive =
        kind === 'html' && [...evidence.values()].some((each) => typeof each !== 'string');
      return put(
        report.htmlReport({
          ...{ result, evidence },
          ...(isLive ? { viewer: await reportViewer() } : {}),
          ...(date === undefined ? {} : { date }),
        }),
      );
    }
    case 'github': {
      for (const line of report.githubAnnotations(result)) {
        const text = localised(line);
        // With --json, stdout is for the document; builds read both streams.
        if (io.json) io.complain(text);
        else io.raw(text);
      }
      // Other steps and tools add to the same file.
      if (file !== undefined) appendFileSync(file, report.markdownReport(result));
    }
  }
}

const asExit = (error: unknown, { kind, file }: Reporter): Exit => {
  if (!isSystemError(error)) return error as Exit;
  const why = meaningOf(error);
  return usageError('QL108', `--reporter ${kind}: ${file} cannot be written: ${why}.`);
};
