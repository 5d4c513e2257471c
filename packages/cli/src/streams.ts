/** What becomes of a command whose words cannot be written. */
import { meaningOf, type SystemError } from '@quorumlab/harness';
import { exitCodes } from './errors.ts';
import { isUnderWay } from './stop.ts';

/**
 * A reader that closes the pipe early (head, less) has seen enough: that ends the command without
 * a word. A disk that is full ends it with one. Nobody can be told that stderr is gone.
 */
export function guardStreams(): void {
  process.stderr.on('error', () => undefined);
  process.stdout.on('error', (error: SystemError) => {
    // Nobody has seen what came of work that was not done yet.
    if (error.code === 'EPIPE')
      process.exit(isUnderWay() ? exitCodes.inconclusive : process.exitCode);
    process.stderr.write(`error QL108: the output cannot be written: ${meaningOf(error)}.\n`);
    process.exit(exitCodes.usage);
  });
}
