/** What is said of a trace that its scenario does not give again. */
import { engine } from '@quorumlab/harness';
import type { TraceDifference } from '@quorumlab/sim';
import { type Exit, exitCodes } from './errors.ts';
import type { Io } from './io.ts';
import { stoppedBy } from './stop.ts';
import { verdictWord } from './words.ts';

/** The schema of documents about a replay that came to no run. */
export const replaySchema = 'quorumlab.replay/1';

/** Says where a trace and its run differ, and ends with code 3, or as a signal has it. */
export function sayDifference(io: Io, difference: TraceDifference, stop: Exit | undefined): void {
  const exit = stop?.exit ?? exitCodes.replayDiffers;
  if (io.json)
    io.out(
      JSON.stringify({
        schema: replaySchema,
        engine,
        same: false,
        difference,
        exit,
        ...stoppedBy(stop),
      }),
    );
  else {
    const { event, line } = difference;
    const where = event === undefined ? `line ${line}` : `event ${event}`;
    io.out(`${verdictWord(io, 'invalid')}   the replay differs first at ${where} (line ${line})`);
    io.out(`  the file   ${difference.first ?? '(has ended)'}`);
    io.out(`  this run   ${difference.second ?? '(has ended)'}`);
    io.out('  either the file was edited, or this is a bug of determinism: please report it');
  }
  if (stop !== undefined) io.complain(stop.message);
  process.exitCode = exit;
}
