/** A trace against a run of its scenario, line by line. */
import type { RunResult, Scenario } from '@quorumlab/harness';
import { compareTraces, type TraceDifference, traceBuffer } from '@quorumlab/sim';
import type { Exit } from './errors.ts';
import type { Io } from './io.ts';
import { runStoppably, stopOf } from './run-stoppably.ts';

/** What came of a replay. */
export interface Replayed {
  readonly result: RunResult;
  readonly difference: TraceDifference | undefined;
  /** Set if a signal has ended the replay. */
  readonly stop: Exit | undefined;
  /** How many lines were compared, of how many of the file. */
  readonly lines: number;
  readonly of: number;
}

/** Runs a trace's scenario again and compares as far as it comes before `signal` is aborted. */
export async function replayed(
  scenario: Scenario,
  text: string,
  signal: AbortSignal,
  io?: Io,
): Promise<Replayed> {
  const buffer = traceBuffer();
  const options = { trace: buffer, proofs: true, story: true };
  const result = await runStoppably(scenario, options, signal, io);
  const told = text.split('\n');
  const of = told.at(-1) === '' ? told.length - 1 : told.length;
  const stop = stopOf(result, signal);
  if (stop === undefined)
    return { result, stop, lines: of, of, difference: compareTraces(text, buffer.text()) };
  // The last line says how the run ended, which this one has not.
  const lines = buffer.lines.length - 1;
  const some = (all: readonly string[]): string => all.slice(0, lines).join('\n');
  const difference = compareTraces(some(told), some(buffer.lines));
  return { result, stop, lines, of, difference };
}
