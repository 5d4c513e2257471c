/** Runs whose trace goes into a file; that this fails takes nothing from what was found. */
import { optionText, type RunOptions, type RunResult, type Scenario } from '@quorumlab/harness';
import type { Failure } from '@quorumlab/report/result';
import { traceBuffer } from '@quorumlab/sim';
import { type Exit, exitCodes, explainError } from './errors.ts';
import { writeLines } from './files.ts';
import type { Io } from './io.ts';
import { isStopped, runStoppably } from './run-stoppably.ts';

/** A run, and its file if that could be written. */
export interface Traced {
  readonly result: RunResult;
  readonly file?: string;
  readonly failure?: Exit;
}

/** How to run with a trace. */
export interface TracedOptions extends RunOptions {
  /** Ends the run where it is when aborted. */
  readonly signal?: AbortSignal;
  /** Shows progress. */
  readonly io?: Io;
}

/**
 * Runs a scenario and writes its trace to `file`, or says why that cannot be. The trace of a run
 * that was stopped is not written: it would not be that of its scenario.
 */
export async function runWithTrace(
  scenario: Scenario,
  file: string,
  { signal, io, ...more }: TracedOptions = {},
): Promise<Traced> {
  const buffer = traceBuffer();
  const options = { proofs: true, story: true, ...more, trace: buffer };
  const result = await runStoppably(scenario, options, signal, io);
  if (isStopped(result)) return { result };
  try {
    writeLines(file, buffer.lines);
    return { result, file };
  } catch (error) {
    return { result, failure: error as Exit };
  }
}

/** The name of the file of a scenario's trace. */
export function fileOf(scenario: Scenario): string {
  const { protocol, n, attack, seed, script, quorum } = scenario;
  const size = quorum === undefined ? `n${n}` : `n${n}-q${quorum}`;
  const words = [protocol, optionText(scenario), size, attack, seed].filter(Boolean);
  const name = words.map((word) => word.replace(/[^\w=.+-]/g, '_')).join('-');
  return `${name}${script === undefined ? '' : '.min'}.trace.ndjson`;
}

/** What could not be written, for a result; each sentence once. */
export function errorsOf(failures: readonly Exit[]): { readonly errors?: readonly Failure[] } {
  const all = new Map(failures.map((each) => [each.message, explainError(each)]));
  const errors = [...all.values()].flatMap((each) => {
    if (each === undefined) return [];
    const { code, message, hint, exit } = each;
    return [{ code, message, hint, exit }];
  });
  return errors.length === 0 ? {} : { errors };
}

/** Says what could not be written, behind all that was found; the exit code is that of an error. */
export function sayErrors(io: Io, { errors = [] }: { readonly errors?: readonly Failure[] }): void {
  for (const { code, message } of errors) io.complain(`error ${code}: ${message}`);
  if (errors.length > 0) process.exitCode = exitCodes.usage;
}
