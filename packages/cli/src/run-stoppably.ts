/** Runs that a signal can end: what was known until then is their result. */
import { setImmediate } from 'node:timers/promises';
import { type RunOptions, type RunResult, runInPieces, type Scenario } from '@quorumlab/harness';
import type { Exit } from './errors.ts';
import { grouped, type Io, progressOf } from './io.ts';
import { stopped } from './stop.ts';

/** How long signals may wait to be heard, in milliseconds. */
const deafMs = 20;

/**
 * Runs a scenario so that signals are heard meanwhile. Aborted, the run ends where it is: see
 * {@link isStopped}. With `io`, progress is shown.
 */
export async function runStoppably(
  scenario: Scenario,
  options: RunOptions,
  signal: AbortSignal | undefined,
  io?: Io,
): Promise<RunResult> {
  const isStopped = (): boolean => signal?.aborted ?? false;
  const pieces = runInPieces(scenario, { ...options, isStopped });
  const progress = io && progressOf(io, 'operations');
  let heard = performance.now();
  for (;;) {
    const piece = pieces.next();
    if (piece.done) {
      progress?.end();
      return piece.value;
    }
    if (performance.now() - heard < deafMs) continue;
    const { answered, events } = piece.value;
    progress?.update(answered, scenario.count, `${grouped(events)} events`);
    await setImmediate();
    heard = performance.now();
  }
}

/** Whether a run was ended before it had come to its end. */
export const isStopped = ({ spent }: RunResult): boolean => spent === 'patience';

/** How a command ends whose run was stopped; nothing if the run came to its end. */
export function stopOf(result: RunResult, signal: AbortSignal, more = ''): Exit | undefined {
  if (!isStopped(result)) return undefined;
  return stopped(signal, `${knownOf(result)}${more}`);
}

/** What a run that was stopped has shown. */
function knownOf({ violation, answered, events, scenario }: RunResult): string {
  const so = violation === undefined ? 'no violation' : `${violation.word} already`;
  return (
    `${so} in ${grouped(events)} events, ` +
    `${grouped(answered)} operations of ${grouped(scenario.count)} answered`
  );
}
